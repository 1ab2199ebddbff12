/* SPDX-License-Identifier: BSD-2-Clause */
/* Shared by the files of metrics. */
#ifndef DTCP_WEB_METRICS_PARTS_H
#define DTCP_WEB_METRICS_PARTS_H

#include "web/metrics.h"

/* The labels that identify a daemon. */
struct exposition_labels metrics_daemon_labels(const struct metrics_daemon *daemon,
					       bool with_program);

/* metrics_users.c: metrics for each user who has a session. */
void metrics_write_users(struct exposition *exposition, const struct metrics_daemon *list,
			 size_t count);

#endif
