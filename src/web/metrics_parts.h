/* SPDX-License-Identifier: BSD-2-Clause */
/* What the files of metrics share. */
#ifndef DTCP_WEB_METRICS_PARTS_H
#define DTCP_WEB_METRICS_PARTS_H

#include "web/metrics.h"

/* The labels that say which daemon it is. */
struct exposition_labels metrics_daemon_labels(const struct metrics_daemon *daemon,
					       bool with_program);

/* metrics_users.c: series of single users, for those that have sessions. */
void metrics_write_users(struct exposition *exposition, const struct metrics_daemon *list,
			 size_t count);

#endif
