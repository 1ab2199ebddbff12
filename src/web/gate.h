/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Limits the number of connections, and their duration. evhttp (of libevent 2.1) has no limit on
 * their number, its timeout is reset by each octet, and it does not report when one is closed. So
 * this makes the bufferevents that evhttp uses, and keeps a reference to each.
 */
#ifndef DTCP_WEB_GATE_H
#define DTCP_WEB_GATE_H

#include <event2/http.h>

/* Largest number of connections. If there are more, the one idle for longest is closed. */
#define GATE_MAX 64

/*
 * Milliseconds for a request to arrive, since the start of the connection or the previous reply;
 * and for a reply to be read.
 */
#define GATE_REQUEST_MS 20000
#define GATE_REPLY_MS	60000

struct gate;

/* Controls the connections of http, whose listeners must all exist. NULL after logging. */
struct gate *gate_new(struct event_base *base, struct evhttp *http,
		      struct evconnlistener *const *listeners, size_t count);

/* After evhttp_free(). */
void gate_free(struct gate *gate);

/* To be called for each complete request. */
void gate_request(struct gate *gate, struct evhttp_request *request);

#endif
