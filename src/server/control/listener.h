/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Accepts connections: a limited number at a time, so that a flood does not starve other events,
 * and with a fallback when descriptors run out.
 */
#ifndef DTCP_SERVER_CONTROL_LISTENER_H
#define DTCP_SERVER_CONTROL_LISTENER_H

#include <event2/event.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

struct listener;

struct listener_owner {
	/* Milliseconds in which to accept none: they wait in the kernel. 0: accept. */
	int64_t (*wait)(void *arg);
	/* Takes over fd, which is non-blocking. */
	void (*accepted)(int fd, struct in_addr peer, void *arg);
	/* Out of descriptors or memory: closes a less important connection. False: none. */
	bool (*exhausted)(void *arg);
	void *arg;
};

/* Takes over fd, a non-blocking listening socket. owner must stay valid. NULL if memory is short.
 */
struct listener *listener_new(struct event_base *base, int fd, const struct listener_owner *owner);

/* Stops accepting connections. */
void listener_stop(struct listener *listener);

/* NULL is allowed. */
void listener_free(struct listener *listener);

#endif
