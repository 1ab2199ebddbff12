/* SPDX-License-Identifier: BSD-2-Clause */
#include "web/http.h"

#include "base/log.h"
#include "web/body.h"
#include "web/gate.h"

#include <errno.h>
#include <event2/http.h>
#include <event2/keyvalq_struct.h>
#include <event2/listener.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

/* Idle timeout in seconds. */
#define IDLE_MAX 15

/* Unsupported methods are answered here, not by evhttp. */
#define ALL_METHODS UINT16_MAX

struct http {
	struct evhttp *server;
	struct gate *gate;
	const struct address_names *names;
	const struct http_route *routes;
	size_t n_routes;
	void *arg;
	size_t n_listeners;
	struct evconnlistener *listeners[ADDRESS_MAX];
	LIST_HEAD(, http_request) waiting; /* requests without a reply yet */
	size_t held;			   /* octets of unsent long replies */
};

struct http_request {
	LIST_ENTRY(http_request) next;
	struct http *http;
	struct evhttp_request *request;
	struct evkeyvalq query;
	bool api;
};

/* Headers of every reply. */
static const struct {
	const char *name;
	const char *value;
} http_headers[] = {
	{"Content-Security-Policy",
	 "default-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"},
	{"X-Content-Type-Options", "nosniff"},
	{"X-Frame-Options", "DENY"},
	{"Referrer-Policy", "no-referrer"},
	{"Cross-Origin-Opener-Policy", "same-origin"},
	{"Cross-Origin-Resource-Policy", "same-origin"},
	{"Cache-Control", "no-store"},
};

const char *http_query(const struct http_request *request, const char *key)
{
	return evhttp_find_header(&request->query, key);
}

const char *http_header(const struct http_request *request, const char *name)
{
	return evhttp_find_header(evhttp_request_get_input_headers(request->request), name);
}

static void http_request_free(struct http_request *request)
{
	LIST_REMOVE(request, next);
	evhttp_clear_headers(&request->query);
	free(request);
}

static void http_log(struct evhttp_request *own, int status)
{
	const char *uri = evhttp_request_get_uri(own);
	char shown[300];

	log_debug("%s: %d", log_escape(uri, strlen(uri), shown, sizeof(shown)), status);
}

static void http_send(struct http_request *request, int status, const char *type,
		      struct evbuffer *body)
{
	struct evhttp_request *own = request->request;
	struct evkeyvalq *headers = evhttp_request_get_output_headers(own);
	bool head = evhttp_request_get_command(own) == EVHTTP_REQ_HEAD;
	char length[24];

	(void)snprintf(length, sizeof(length), "%zu", evbuffer_get_length(body));
	(void)evhttp_add_header(headers, "Content-Type", type);
	(void)evhttp_add_header(headers, "Content-Length", length);
	for (size_t i = 0; i < sizeof(http_headers) / sizeof(http_headers[0]); i++)
		(void)evhttp_add_header(headers, http_headers[i].name, http_headers[i].value);
	http_request_free(request);
	if (log_is_debug())
		http_log(own, status);
	evhttp_send_reply(own, status, status == 421 ? "Misdirected Request" : NULL,
			  head ? NULL : body);
	(void)evbuffer_drain(body, evbuffer_get_length(body));
}

void http_reply_shared(struct http_request *request, int status, const char *type,
		       struct body *body)
{
	struct evbuffer *out = evbuffer_new();

	/* One that was sent at once would be gone. */
	body_hold(body);
	if (out && body_add(body, out))
		http_send(request, status, type, out);
	else
		http_fail(request, HTTP_SERVUNAVAIL, "failed", "no memory");
	if (out)
		evbuffer_free(out);
	body_release(body);
}

void http_reply_sharing(struct http_request *request, int status, const char *type,
			struct evbuffer *data, struct body **shared)
{
	struct http *http = request->http;
	size_t len = evbuffer_get_length(data);
	struct body *body;

	if (len <= HTTP_SHORT_MAX) {
		http_send(request, status, type, data);
		return;
	}
	if (http->held > 0 && http->held + len > HTTP_HELD_MAX) {
		http_fail(request, HTTP_SERVUNAVAIL, "busy",
			  "too many long replies wait for those who read them; try again");
	} else if ((body = body_new(data, &http->held, shared))) {
		http_reply_shared(request, status, type, body);
		body_release(body);
	} else {
		http_fail(request, HTTP_SERVUNAVAIL, "failed", "no memory");
	}
	(void)evbuffer_drain(data, evbuffer_get_length(data));
}

void http_reply(struct http_request *request, int status, const char *type, struct evbuffer *body)
{
	http_reply_sharing(request, status, type, body, NULL);
}

void http_fail(struct http_request *request, int status, const char *code, const char *format, ...)
{
	struct evbuffer *body = evbuffer_new();
	char text[600];
	char shown[800];
	json_t *object;
	char *json;
	va_list ap;

	va_start(ap, format);
	(void)vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	(void)log_escape(text, strlen(text), shown, sizeof(shown));
	if (!body) {
		evhttp_connection_free(evhttp_request_get_connection(request->request));
		http_request_free(request);
		return;
	}
	if (request->api) {
		object = json_pack("{s:b,s:i,s:s,s:s}", "ok", 0, "v", 1, "code", code, "error",
				   shown);
		json = json_dumps(object, JSON_COMPACT);
		(void)evbuffer_add_printf(body, "%s\n", json ? json : "{\"ok\":false}");
		free(json);
		json_decref(object);
	} else {
		(void)evbuffer_add_printf(body, "%s\n", shown);
	}
	http_reply(request, status, request->api ? "application/json" : "text/plain; charset=utf-8",
		   body);
	evbuffer_free(body);
}

bool http_query_number(struct http_request *request, const char *key, size_t max, size_t *number)
{
	const char *text = http_query(request, key);
	const char *error = NULL;

	if (!text)
		return true;
	if (text[strspn(text, "0123456789")] == '\0')
		*number = (size_t)strtonum(text, 0, (long long)max, &error);
	else
		error = "";
	if (error)
		http_fail(request, HTTP_BADREQUEST, "bad", "%s: a number from 0 to %zu is needed",
			  key, max);
	return !error;
}

/* Counts a header or key; duplicates are read differently by different programs. */
static size_t http_count(const struct evkeyvalq *list, const char *key)
{
	const struct evkeyval *pair;
	size_t count = 0;

	TAILQ_FOREACH (pair, list, next)
		count += strcasecmp(pair->key, key) == 0;
	return count;
}

/* Whether the request names this server; else it has been answered. */
static bool http_check_host(struct http *http, struct http_request *request)
{
	struct evhttp_request *own = request->request;
	const char *given = evhttp_uri_get_host(evhttp_request_get_evhttp_uri(own));
	const char *host = http_header(request, "Host");
	char bracketed[300];

	if (http_count(evhttp_request_get_input_headers(own), "Host") != 1) {
		http_fail(request, HTTP_BADREQUEST, "bad", "one header Host is needed");
		return false;
	}
	/*
	 * evhttp takes "//" for a URL. The host of an absolute URL comes without the brackets of an
	 * IPv6 address.
	 */
	if (given && given[0] == '\0')
		given = NULL;
	if (given && strchr(given, ':') && given[0] != '[') {
		(void)snprintf(bracketed, sizeof(bracketed), "[%s]", given);
		given = bracketed;
	}
	if (address_host_allowed(host, http->names) &&
	    (!given || address_host_allowed(given, http->names)))
		return true;
	http_fail(request, 421, "host",
		  "this is not %.200s; if it is to be, start dtcpweb with --host and that name",
		  given ? given : host);
	return false;
}

static const struct http_route *http_find(const struct http *http, const char *path)
{
	for (size_t i = 0; i < http->n_routes; i++) {
		if (strcmp(http->routes[i].path, path) == 0)
			return &http->routes[i];
	}
	return NULL;
}

static bool http_is_key(const char *keys, const char *key)
{
	size_t len = strlen(key);

	for (; *keys; keys += strcspn(keys, " "), keys += *keys == ' ') {
		if (len > 0 && strcspn(keys, " ") == len && strncmp(keys, key, len) == 0)
			return true;
	}
	return false;
}

/* Parses the query; true if all of its keys are known. */
static bool http_check_query(struct http_request *request, const struct http_route *route,
			     const char *query)
{
	const struct evkeyval *pair;

	/* A value with a NUL in it would be mistaken for a shorter one. */
	if (strstr(query, "%00") || evhttp_parse_query_str(query, &request->query) == -1) {
		http_fail(request, HTTP_BADREQUEST, "bad", "the query cannot be read");
		return false;
	}
	TAILQ_FOREACH (pair, &request->query, next) {
		if (!http_is_key(route->keys, pair->key)) {
			http_fail(request, HTTP_BADREQUEST, "bad", "%.100s: %s", pair->key,
				  route->keys[0] ? "not a word of this query"
						 : "there is no query here");
			return false;
		}
		if (http_count(&request->query, pair->key) > 1) {
			http_fail(request, HTTP_BADREQUEST, "bad", "%.100s: there are two of it",
				  pair->key);
			return false;
		}
	}
	return true;
}

static void http_serve(struct http *http, struct http_request *request)
{
	struct evhttp_request *own = request->request;
	const struct evhttp_uri *uri = evhttp_request_get_evhttp_uri(own);
	enum evhttp_cmd_type method = evhttp_request_get_command(own);
	const char *path = uri ? evhttp_uri_get_path(uri) : NULL;
	const char *query = uri ? evhttp_uri_get_query(uri) : NULL;
	const struct http_route *route;

	if (!path || path[0] == '\0')
		path = "/";
	request->api = strncmp(path, "/api/", 5) == 0;
	if (method != EVHTTP_REQ_GET && method != EVHTTP_REQ_HEAD) {
		struct evkeyvalq *headers = evhttp_request_get_output_headers(own);

		(void)evhttp_add_header(headers, "Allow", "GET, HEAD");
		(void)evhttp_add_header(headers, "Connection", "close");
		http_fail(request, HTTP_BADMETHOD, "method", "only GET and HEAD are served");
		return;
	}
	if (!http_check_host(http, request))
		return;
	route = http_find(http, path);
	if (!route)
		http_fail(request, HTTP_NOTFOUND, "missing", "there is no such page");
	else if (http_check_query(request, route, query ? query : ""))
		route->handle(request, route, http->arg);
}

static void http_requested(struct evhttp_request *own, void *arg)
{
	struct http *http = arg;
	struct http_request *request = calloc(1, sizeof(*request));

	gate_request(http->gate, own);
	if (!request) {
		evhttp_send_error(own, HTTP_SERVUNAVAIL, NULL);
		return;
	}
	request->http = http;
	request->request = own;
	TAILQ_INIT(&request->query);
	LIST_INSERT_HEAD(&http->waiting, request, next);
	http_serve(http, request);
}

static bool http_listen(struct http *http, struct event_base *base, const int *sockets,
			size_t n_sockets)
{
	for (size_t i = 0; i < n_sockets; i++) {
		struct evconnlistener *listener = evconnlistener_new(
			base, NULL, NULL, LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC, 0,
			sockets[i]);

		if (!listener)
			return false;
		if (!evhttp_bind_listener(http->server, listener)) {
			evconnlistener_free(listener);
			return false;
		}
		http->listeners[http->n_listeners++] = listener;
	}
	return true;
}

struct http *http_new(struct event_base *base, const int *sockets, size_t n_sockets,
		      const struct address_names *names, const struct http_route *routes,
		      size_t n_routes, void *arg)
{
	struct http *http = calloc(1, sizeof(*http));

	if (http)
		http->server = evhttp_new(base);
	if (!http || !http->server || !http_listen(http, base, sockets, n_sockets)) {
		log_warnx("no memory to serve HTTP");
		http_free(http);
		return NULL;
	}
	http->names = names;
	http->routes = routes;
	http->n_routes = n_routes;
	http->arg = arg;
	LIST_INIT(&http->waiting);
	evhttp_set_max_headers_size(http->server, HTTP_HEAD_MAX);
	evhttp_set_max_body_size(http->server, HTTP_BODY_MAX);
	evhttp_set_timeout(http->server, IDLE_MAX);
	evhttp_set_allowed_methods(http->server, ALL_METHODS);
	evhttp_set_default_content_type(http->server, NULL);
	evhttp_set_gencb(http->server, http_requested, http);
	http->gate = gate_new(base, http->server, http->listeners, http->n_listeners);
	if (!http->gate) {
		http_free(http);
		return NULL;
	}
	return http;
}

void http_free(struct http *http)
{
	struct http_request *request, *other;

	if (!http)
		return;
	LIST_FOREACH_SAFE (request, &http->waiting, next, other)
		http_request_free(request);
	if (http->server)
		evhttp_free(http->server);
	gate_free(http->gate);
	free(http);
}
