/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Accepting connections: only so many at a time, so that a flood of them leaves the others their
 * turn, and with a way out when descriptors run out.
 */
#ifndef DTCP_SERVER_CONTROL_LISTENER_H
#define DTCP_SERVER_CONTROL_LISTENER_H

#include <event2/event.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

struct listener;

struct listener_owner {
	/* Milliseconds in which none is accepted: they wait in the kernel. 0: go on. */
	int64_t (*wait)(void *arg);
	/* Takes over fd, which is non-blocking. */
	void (*accepted)(int fd, struct in_addr peer, void *arg);
	/* Descriptors or memory ran out: closes a connection that matters less. False: none. */
	bool (*exhausted)(void *arg);
	void *arg;
};

/* Takes over fd, which listens and is non-blocking. owner must stay valid. NULL without memory. */
struct listener *listener_new(struct event_base *base, int fd, const struct listener_owner *owner);

/* Takes no more connections. */
void listener_stop(struct listener *listener);

/* NULL is allowed. */
void listener_free(struct listener *listener);

#endif
