/* SPDX-License-Identifier: BSD-2-Clause */
/* Shared by the parts of judge. Private to server/root/judge*.c. */
#ifndef DTCP_SERVER_ROOT_JUDGE_PARTS_H
#define DTCP_SERVER_ROOT_JUDGE_PARTS_H

#include "server/root/judge.h"

struct judge {
	const struct facts *facts;
	const struct survey *survey;
	const struct server_options *options;
	judge_say say;
	void *arg;
};

/* Reports one problem; fatal as in judge.h. */
__attribute__((format(printf, 3, 4))) void judge_find(const struct judge *judge, bool fatal,
						      const char *format, ...);

/* judge_filter.c: required packets that the machine's packet filter drops. */
void judge_packet_filter(const struct judge *judge);

#endif
