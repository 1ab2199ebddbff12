/* SPDX-License-Identifier: BSD-2-Clause */
#include "web/api.h"

#include "base/clock.h"
#include "config.h"
#include "web/pages.h"

#include <event2/http.h>
#include <stdlib.h>
#include <string.h>

/* Default number of rows of an answer. */
#define ROWS_DEFAULT 100

/* A request that waits for a daemon. */
struct api_wait {
	struct asker_waiter waiter;
	struct http_request *request;
	struct daemon *daemon;
	struct sessions_query query;
};

static void api_no_memory(struct http_request *request)
{
	http_fail(request, HTTP_SERVUNAVAIL, "failed", "no memory");
}

static void api_page(struct http_request *request, const struct http_route *route, void *arg)
{
	struct evbuffer *body = evbuffer_new();

	(void)arg;
	for (size_t i = 0; i < pages_count; i++) {
		if (strcmp(pages[i].name, route->more) == 0 && body &&
		    evbuffer_add_reference(body, pages[i].data, pages[i].len, NULL, NULL) == 0) {
			http_reply(request, HTTP_OK, pages[i].type, body);
			evbuffer_free(body);
			return;
		}
	}
	if (body)
		evbuffer_free(body);
	api_no_memory(request);
}

/* Sends the object; NULL: memory was short. */
static void api_reply(struct http_request *request, const json_t *object)
{
	char *text = json_dumps(object, JSON_COMPACT);
	struct evbuffer *body = evbuffer_new();

	if (body && text && evbuffer_add_printf(body, "%s\n", text) >= 0)
		http_reply(request, HTTP_OK, "application/json", body);
	else
		api_no_memory(request);
	if (body)
		evbuffer_free(body);
	free(text);
}

static void api_daemons(struct http_request *request, const struct http_route *route, void *arg)
{
	struct api *api = arg;
	json_t *list = json_array();
	json_t *object = json_pack("{s:b,s:i,s:s,s:o}", "ok", 1, "v", 1, "release", DTCP_VERSION,
				   "daemons", list);

	(void)route;
	daemons_look(api->daemons);
	for (size_t i = 0; object && i < daemons_count(api->daemons); i++) {
		const struct daemon *daemon = daemons_get(api->daemons, i);

		(void)json_array_append_new(list, json_pack("{s:s,s:s,s:s,s:b}", "id", daemon->id,
							    "program", ask_program(&daemon->at),
							    "interface", daemon->at.interface,
							    "there", daemon->there));
	}
	api_reply(request, object);
	json_decref(object);
}

/* The HTTP status for a failed question. */
static int api_status_of(const char *code)
{
	if (strcmp(code, "silent") == 0)
		return 504;
	return strcmp(code, "absent") == 0 || strcmp(code, "busy") == 0 ? HTTP_SERVUNAVAIL : 502;
}

/* True after an error reply, if the daemon did not answer. */
static bool api_failed(struct http_request *request, const struct asker *asker)
{
	if (!asker_ok(asker))
		http_fail(request, api_status_of(asker_code(asker)), asker_code(asker), "%s",
			  asker_error(asker));
	return !asker_ok(asker);
}

/* The daemon that the query names; NULL after an error reply. */
static struct daemon *api_daemon(struct http_request *request, struct api *api)
{
	const char *id = http_query(request, "daemon");
	struct daemon *daemon;

	if (!id) {
		http_fail(request, HTTP_BADREQUEST, "bad", "daemon: which one? See /api/daemons");
		return NULL;
	}
	daemons_look(api->daemons);
	daemon = daemons_find(api->daemons, id);
	if (!daemon)
		http_fail(request, HTTP_NOTFOUND, "missing", "daemon: there is no %.64s here", id);
	return daemon;
}

static struct api_wait *api_wait_new(struct http_request *request, struct daemon *daemon,
				     void (*done)(void *arg))
{
	struct api_wait *wait = calloc(1, sizeof(*wait));

	if (!wait) {
		api_no_memory(request);
		return NULL;
	}
	*wait = (struct api_wait){
		.waiter = {.done = done, .arg = wait}, .request = request, .daemon = daemon};
	return wait;
}

static void api_status_done(void *arg)
{
	struct api_wait *wait = arg;

	if (!api_failed(wait->request, wait->daemon->status))
		api_reply(wait->request, asker_last(wait->daemon->status));
	free(wait);
}

static void api_status(struct http_request *request, const struct http_route *route, void *arg)
{
	struct daemon *daemon = api_daemon(request, arg);
	struct api_wait *wait = daemon ? api_wait_new(request, daemon, api_status_done) : NULL;

	(void)route;
	if (wait)
		asker_want(daemon->status, &wait->waiter);
}

static void api_history(struct http_request *request, const struct http_route *route, void *arg)
{
	struct daemon *daemon = api_daemon(request, arg);
	struct evbuffer *body;

	(void)route;
	if (!daemon)
		return;
	body = evbuffer_new();
	if (body && evbuffer_add_printf(body, "{\"ok\":true,\"v\":1,") >= 0 &&
	    history_write(&daemon->history, body) && evbuffer_add(body, "}\n", 2) == 0)
		http_reply(request, HTTP_OK, "application/json", body);
	else
		api_no_memory(request);
	if (body)
		evbuffer_free(body);
}

static void api_sessions_done(void *arg)
{
	struct api_wait *wait = arg;
	const struct asker *asker = wait->daemon->sessions;
	struct evbuffer *body = evbuffer_new();

	if (api_failed(wait->request, asker)) {
		/* Already replied. */
	} else if (body &&
		   evbuffer_add_printf(body, "{\"ok\":true,\"v\":1,\"age\":%.3f,",
				       (double)(clock_ms() - asker_at(asker)) / 1000) >= 0 &&
		   sessions_select(wait->daemon->table, &wait->query, body) &&
		   evbuffer_add(body, "}\n", 2) == 0) {
		http_reply(wait->request, HTTP_OK, "application/json", body);
	} else {
		api_no_memory(wait->request);
	}
	if (body)
		evbuffer_free(body);
	free(wait);
}

/* False after an error reply. */
static bool api_sessions_query(struct http_request *request, struct sessions_query *query)
{
	const char *search = http_query(request, "search");
	const char *sort = http_query(request, "sort");
	const char *order = http_query(request, "order");

	*query = (struct sessions_query){
		.search = search ? search : "", .sort = sort ? sort : "id", .limit = ROWS_DEFAULT};
	if (!sessions_sort_known(query->sort)) {
		http_fail(request, HTTP_BADREQUEST, "bad", "sort: %.64s is no member of a session",
			  query->sort);
		return false;
	}
	if (strlen(query->search) > SESSIONS_SEARCH_MAX) {
		http_fail(request, HTTP_BADREQUEST, "bad", "search: longer than %d characters",
			  SESSIONS_SEARCH_MAX);
		return false;
	}
	query->descending = order && strcmp(order, "down") == 0;
	if (order && !query->descending && strcmp(order, "up") != 0) {
		http_fail(request, HTTP_BADREQUEST, "bad", "order: up or down");
		return false;
	}
	return http_query_number(request, "offset", SESSIONS_MAX, &query->offset) &&
	       http_query_number(request, "limit", SESSIONS_ROWS_MAX, &query->limit);
}

static void api_sessions(struct http_request *request, const struct http_route *route, void *arg)
{
	struct daemon *daemon = api_daemon(request, arg);
	struct sessions_query query;
	struct api_wait *wait;

	(void)route;
	if (!daemon)
		return;
	if (!daemon->sessions) {
		http_fail(request, HTTP_BADREQUEST, "bad", "daemon: %s is a client", daemon->id);
		return;
	}
	if (!api_sessions_query(request, &query))
		return;
	wait = api_wait_new(request, daemon, api_sessions_done);
	if (!wait)
		return;
	wait->query = query;
	asker_want(daemon->sessions, &wait->waiter);
}

#define PAGE(path, name)                                                                           \
	{                                                                                          \
		path, "", api_page, name                                                           \
	}

const struct http_route api_routes[] = {
	{"/", "daemon", api_page, "index.html"},
	{"/me", "daemon", api_page, "me.html"},
	PAGE("/style.css", "style.css"),
	PAGE("/common.js", "common.js"),
	PAGE("/index.js", "index.js"),
	PAGE("/me.js", "me.js"),
	PAGE("/icon.svg", "icon.svg"),
	PAGE("/favicon.ico", "icon.svg"),
	{"/metrics", "", scrape_handle, NULL},
	{"/api/daemons", "", api_daemons, NULL},
	{"/api/status", "daemon", api_status, NULL},
	{"/api/history", "daemon", api_history, NULL},
	{"/api/sessions", "daemon search sort order offset limit", api_sessions, NULL},
};
const size_t api_routes_count = sizeof(api_routes) / sizeof(api_routes[0]);
