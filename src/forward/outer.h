/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A socket to the outside, raw for protocol 41 or UDP: packets in batches, both ways, and reports
 * of the network about sent packets. The kernel makes the outer headers, and fragments if allowed.
 * sender.c is the sending half.
 */
#ifndef DTCP_FORWARD_OUTER_H
#define DTCP_FORWARD_OUTER_H

#include "forward/arrival.h"
#include "forward/errqueue.h"
#include "forward/sender.h"

#include <event2/event.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Messages in one system call. With UDP, each can be a train of many packets that the kernel has
 * merged (UDP_GRO); with protocol 41 likewise, as one large packet.
 */
#define OUTER_BATCH 32
/* Size of a message's buffer: larger than any IPv4 packet. */
#define OUTER_PACKET_SIZE 65536

struct outer;

struct outer_handlers {
	/* The arrival is valid until this returns, its payload until the end of the batch. */
	void (*received)(const struct arrival *arrival, void *arg);
	/* All packets of one system call have been passed on. */
	void (*batch_end)(void *arg);
	void (*report)(enum forward_transport transport, const struct errqueue_report *report,
		       void *arg);
	/* See struct sender_handlers. */
	void (*sent)(const struct outer_packet *packet, void *arg);
	void (*refused)(const struct outer_packet *packet, int error, void *arg);
	bool (*too_big)(struct outer_packet *packet, void *arg);
};

/* Takes over fd; NULL after logging if it cannot be used; fd is then closed. */
struct outer *outer_new(struct event_base *base, enum forward_transport transport, int fd,
			const struct outer_handlers *handlers, void *arg);
void outer_free(struct outer *outer);

/* See sender_push() and sender_flush(). */
void outer_push(struct outer *outer, const struct outer_packet *packet);
void outer_flush(struct outer *outer);

#endif
