/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How many connections there are, and for how long. evhttp (of libevent 2.1) has no limit to their
 * number, its timeout begins anew with each octet, and it does not tell when one is over. So this
 * makes the bufferevents that it uses, and keeps a reference to each.
 */
#ifndef DTCP_WEB_GATE_H
#define DTCP_WEB_GATE_H

#include <event2/http.h>

/* Most connections at once. Of more, the one that has asked for nothing for longest is closed. */
#define GATE_MAX 64

/* Milliseconds for a request to come, from the start of the connection or the reply before; and for
 * a reply to be taken. */
#define GATE_REQUEST_MS 20000
#define GATE_REPLY_MS	60000

struct gate;

/* From now on it decides who is let in to http, whose listeners all exist. NULL after logging. */
struct gate *gate_new(struct event_base *base, struct evhttp *http,
		      struct evconnlistener *const *listeners, size_t count);

/* After evhttp_free(). */
void gate_free(struct gate *gate);

/* A request is complete, and has its reply at its end: to be called for each. */
void gate_request(struct gate *gate, struct evhttp_request *request);

#endif
