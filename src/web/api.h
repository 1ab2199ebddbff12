/* SPDX-License-Identifier: BSD-2-Clause */
/* The resources: pages, metrics, and the objects that the pages show. */
#ifndef DTCP_WEB_API_H
#define DTCP_WEB_API_H

#include "web/daemons.h"
#include "web/exposition.h"
#include "web/http.h"

#include <stdbool.h>
#include <stddef.h>

/* Metrics that are being sent, and the times of the answers that they were made of. */
struct scraped {
	struct body *body; /* NULL: none */
	int64_t at[2 * DAEMONS_MAX];
};

/* The argument of the routes. */
struct api {
	struct daemons *daemons;
	bool per_user; /* metrics for each user */
	struct scraped scraped[EXPOSITION_FORMATS];
};

extern const struct http_route api_routes[];
extern const size_t api_routes_count;

/* scrape.c: /metrics. */
void scrape_handle(struct http_request *request, const struct http_route *route, void *arg);

/* Whether a header Accept (NULL: none) prefers OpenMetrics to the older format. */
bool scrape_wants_openmetrics(const char *accept);

#endif
