/* SPDX-License-Identifier: BSD-2-Clause */
/* The daemons' answers as metrics: names, types and texts. */
#ifndef DTCP_WEB_METRICS_H
#define DTCP_WEB_METRICS_H

#include "web/exposition.h"
#include "web/sessions.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

struct metrics_daemon {
	const char *program;
	const char *interface;
	bool client;
	json_t *status;			 /* "status" of its answer; NULL: it did not answer */
	const struct sessions *sessions; /* NULL: no metrics for single users */
};

/* Writes all metrics of all daemons. Label values are escaped. */
void metrics_write(struct exposition *exposition, const struct metrics_daemon *list, size_t count);

#endif
