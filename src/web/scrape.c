/* SPDX-License-Identifier: BSD-2-Clause */
/* /metrics: asks all daemons at the same time, and contains those that answer. */
#include "web/api.h"
#include "web/metrics.h"

#include <event2/http.h>
#include <stdlib.h>
#include <string.h>

/* How much of an Accept header is read. */
#define ACCEPT_SIZE 1024

struct scrape {
	struct http_request *request;
	struct api *api;
	enum exposition_format format;
	size_t pending;
	struct asker_waiter waiters[2 * DAEMONS_MAX];
};

/* The weight of one media range, 0 to 1. */
static double scrape_weight(char *range)
{
	char *word;

	(void)strsep(&range, ";");
	while ((word = strsep(&range, ";"))) {
		word += strspn(word, " \t");
		if (strncasecmp(word, "q=", 2) == 0)
			return strtod(word + 2, NULL); /* NOLINT(cert-err34-c): else 0 */
	}
	return 1;
}

bool scrape_wants_openmetrics(const char *accept)
{
	char text[ACCEPT_SIZE];
	char *rest = text;
	char *range;
	double best = 0, other = 0;

	(void)strlcpy(text, accept ? accept : "", sizeof(text));
	while ((range = strsep(&rest, ","))) {
		size_t len;

		range += strspn(range, " \t");
		len = strcspn(range, "; \t");
		if (len == 28 && strncasecmp(range, "application/openmetrics-text", len) == 0) {
			double weight = scrape_weight(range);

			best = weight > best ? weight : best;
		} else if ((len == 10 && strncasecmp(range, "text/plain", len) == 0) ||
			   (len == 6 && strncasecmp(range, "text/*", len) == 0)) {
			double weight = scrape_weight(range);

			other = weight > other ? weight : other;
		}
	}
	return best > 0 && best >= other;
}

/* The times of all answers, which identify them. */
static void scrape_times(const struct scrape *scrape, int64_t at[static 2 * DAEMONS_MAX])
{
	size_t count = daemons_count(scrape->api->daemons);

	memset(at, 0, sizeof(*at) * 2 * DAEMONS_MAX);
	for (size_t i = 0; i < count; i++) {
		const struct daemon *daemon = daemons_get(scrape->api->daemons, i);

		at[2 * i] = asker_at(daemon->status);
		if (daemon->sessions)
			at[2 * i + 1] = asker_at(daemon->sessions);
	}
}

static void scrape_write(const struct scrape *scrape, struct exposition *exposition)
{
	struct metrics_daemon list[DAEMONS_MAX];
	size_t count = daemons_count(scrape->api->daemons);

	for (size_t i = 0; i < count; i++) {
		const struct daemon *daemon = daemons_get(scrape->api->daemons, i);
		bool ok = asker_ok(daemon->status);

		list[i] = (struct metrics_daemon){
			.program = ask_program(&daemon->at),
			.interface = daemon->at.interface,
			.client = daemon->at.client,
			.status = ok ? json_object_get(asker_last(daemon->status), "status") : NULL,
			.sessions = ok && scrape->api->per_user ? daemon->table : NULL,
		};
	}
	metrics_write(exposition, list, count);
}

/* If the same content is being sent to another reader, shares it. */
static void scrape_reply(struct scrape *scrape)
{
	struct scraped *scraped = &scrape->api->scraped[scrape->format];
	const char *type = exposition_content_type(scrape->format);
	const struct body *before = scraped->body;
	struct evbuffer *out = NULL;
	struct exposition exposition;
	int64_t at[2 * DAEMONS_MAX];

	scrape_times(scrape, at);
	if (scraped->body && memcmp(scraped->at, at, sizeof(at)) == 0) {
		http_reply_shared(scrape->request, HTTP_OK, type, scraped->body);
		free(scrape);
		return;
	}
	out = evbuffer_new();
	exposition_init(&exposition, scrape->format, out);
	if (out)
		scrape_write(scrape, &exposition);
	if (out && !exposition.failed) {
		http_reply_sharing(scrape->request, HTTP_OK, type, out, &scraped->body);
		if (scraped->body != before)
			memcpy(scraped->at, at, sizeof(at));
	} else {
		http_fail(scrape->request, HTTP_SERVUNAVAIL, "failed", "no memory");
	}
	if (out)
		evbuffer_free(out);
	free(scrape);
}

static void scrape_answered(void *arg)
{
	struct scrape *scrape = arg;

	if (--scrape->pending == 0)
		scrape_reply(scrape);
}

static void scrape_want(struct scrape *scrape, size_t place, struct asker *asker)
{
	struct asker_waiter *waiter = &scrape->waiters[place];

	if (!asker)
		return;
	scrape->pending++;
	*waiter = (struct asker_waiter){.done = scrape_answered, .arg = scrape};
	asker_want(asker, waiter);
}

void scrape_handle(struct http_request *request, const struct http_route *route, void *arg)
{
	struct scrape *scrape = calloc(1, sizeof(*scrape));
	struct api *api = arg;

	(void)route;
	if (!scrape) {
		http_fail(request, HTTP_SERVUNAVAIL, "failed", "no memory");
		return;
	}
	scrape->request = request;
	scrape->api = api;
	scrape->format = scrape_wants_openmetrics(http_header(request, "Accept"))
				 ? EXPOSITION_OPENMETRICS
				 : EXPOSITION_PROMETHEUS;
	daemons_look(api->daemons);
	/* Keeps the scrape pending until all daemons have been asked. */
	scrape->pending = 1;
	for (size_t i = 0; i < daemons_count(api->daemons); i++) {
		const struct daemon *daemon = daemons_get(api->daemons, i);

		scrape_want(scrape, 2 * i, daemon->status);
		if (api->per_user)
			scrape_want(scrape, 2 * i + 1, daemon->sessions);
	}
	scrape_answered(scrape);
}
