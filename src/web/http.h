/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The HTTP side, by libevent's evhttp: what is let in (GET and HEAD, of a host that is us, for a
 * path and with words that there are), and what each reply has.
 */
#ifndef DTCP_WEB_HTTP_H
#define DTCP_WEB_HTTP_H

#include "web/address.h"

#include <event2/buffer.h>
#include <event2/event.h>
#include <stdbool.h>
#include <stddef.h>

/*
 * Octets of replies that wait to be read, by all readers together: with more than that, no other
 * long reply is begun. Those of HTTP_SHORT_MAX or less are always sent.
 */
#define HTTP_HELD_MAX  (64 << 20)
#define HTTP_SHORT_MAX 65536

/* Most octets of a request's head; and of its body, of which nothing is made. */
#define HTTP_HEAD_MAX 8192
#define HTTP_BODY_MAX 4096

struct http;
struct http_request;

struct http_route {
	const char *path;
	const char *keys; /* of its query, with blanks in between */
	/* Replies, at once or later, by http_reply() or http_fail(), exactly once. */
	void (*handle)(struct http_request *request, const struct http_route *route, void *arg);
	const void *more; /* the handler's */
};

/*
 * Serves on listening, non-blocking sockets, which become its own; routes and names must stay
 * valid. NULL after logging.
 */
struct http *http_new(struct event_base *base, const int *sockets, size_t n_sockets,
		      const struct address_names *names, const struct http_route *routes,
		      size_t n_routes, void *arg);
void http_free(struct http *http);

/* A word of the query, decoded, or a header; NULL: there is none. */
const char *http_query(const struct http_request *request, const char *key);
const char *http_header(const struct http_request *request, const char *name);

/* A number of the query. False: there is one that is none, or is larger than max; then that was
 * replied. */
bool http_query_number(struct http_request *request, const char *key, size_t max, size_t *number);

/* Sends what is in body, which is empty then. The request is gone. */
void http_reply(struct http_request *request, int status, const char *type, struct evbuffer *body);

struct body;

/* The same; if shared is not NULL, a long one is in *shared as long as somebody reads it, and then
 * NULL again. */
void http_reply_sharing(struct http_request *request, int status, const char *type,
			struct evbuffer *body, struct body **shared);

/* Sends one that somebody else reads. */
void http_reply_shared(struct http_request *request, int status, const char *type,
		       struct body *body);

/* The same with an error: below /api/ as an object with "code" and "error", else as text. */
__attribute__((format(printf, 4, 5))) void http_fail(struct http_request *request, int status,
						     const char *code, const char *format, ...);

#endif
