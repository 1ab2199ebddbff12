/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The HTTP side, by libevent's evhttp: which requests are accepted (GET and HEAD, for one of our
 * host names, with a known path and known query keys), and the headers of replies.
 */
#ifndef DTCP_WEB_HTTP_H
#define DTCP_WEB_HTTP_H

#include "web/address.h"

#include <event2/buffer.h>
#include <event2/event.h>
#include <stdbool.h>
#include <stddef.h>

/*
 * Limit of octets of unsent replies, of all readers together, beyond which no further long reply is
 * begun. Replies of at most HTTP_SHORT_MAX are always sent.
 */
#define HTTP_HELD_MAX  (64 << 20)
#define HTTP_SHORT_MAX 65536

/* Largest size of a request's head, octets; and of its body, which is ignored. */
#define HTTP_HEAD_MAX 8192
#define HTTP_BODY_MAX 4096

struct http;
struct http_request;

struct http_route {
	const char *path;
	const char *keys; /* of its query, separated by blanks */
	/* Replies, at once or later, by http_reply() or http_fail(), exactly once. */
	void (*handle)(struct http_request *request, const struct http_route *route, void *arg);
	const void *more; /* for the handler */
};

/*
 * Serves on listening, non-blocking sockets, which it takes over; routes and names must stay valid.
 * NULL after logging.
 */
struct http *http_new(struct event_base *base, const int *sockets, size_t n_sockets,
		      const struct address_names *names, const struct http_route *routes,
		      size_t n_routes, void *arg);
void http_free(struct http *http);

/* A value of the query, decoded, or a header; NULL: none. */
const char *http_query(const struct http_request *request, const char *key);
const char *http_header(const struct http_request *request, const char *name);

/*
 * A number in the query. False if it is invalid, or larger than max; then an error reply was sent.
 */
bool http_query_number(struct http_request *request, const char *key, size_t max, size_t *number);

/* Sends and empties body. Frees the request. */
void http_reply(struct http_request *request, int status, const char *type, struct evbuffer *body);

struct body;

/*
 * The same; if shared is not NULL, a long reply is available in *shared for others until its last
 * reader is done; then *shared is NULL again.
 */
void http_reply_sharing(struct http_request *request, int status, const char *type,
			struct evbuffer *data, struct body **shared);

/* Sends a long reply that is already being sent to another reader. */
void http_reply_shared(struct http_request *request, int status, const char *type,
		       struct body *body);

/* The same with an error: below /api/ as an object with "code" and "error", otherwise as text. */
__attribute__((format(printf, 4, 5))) void http_fail(struct http_request *request, int status,
						     const char *code, const char *format, ...);

#endif
