/* SPDX-License-Identifier: BSD-2-Clause */
/* Finds the reasons why the server would not work on a machine, from facts about it. Pure. */
#ifndef DTCP_SERVER_ROOT_JUDGE_H
#define DTCP_SERVER_ROOT_JUDGE_H

#include "server/root/facts.h"

/*
 * Called for each certain problem, with a line that has the problem and a remedy. fatal: the server
 * would not start.
 */
typedef void (*judge_say)(bool fatal, const char *line, void *arg);

void judge(const struct facts *facts, const struct server_options *options, judge_say say,
	   void *arg);

/* The default route, the preferred one if there are several; NULL if there is none. */
const struct survey_route *judge_way_out(const struct survey *survey);

#endif
