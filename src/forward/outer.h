/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A socket to the outside, raw for protocol 41 or UDP: packets in batches, both ways, and what the
 * network reports about those that were sent. The kernel makes the outer headers, and fragments
 * where it may.
 */
#ifndef DTCP_FORWARD_OUTER_H
#define DTCP_FORWARD_OUTER_H

#include "forward/arrival.h"
#include "forward/errqueue.h"

#include <event2/event.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Packets in one system call. */
#define OUTER_BATCH 32
/* Octets of one packet's buffer: more than any IPv4 packet has. */
#define OUTER_PACKET_SIZE 65536

struct outer;

/* One packet to send. */
struct outer_packet {
	uint8_t *data; /* OUTER_PACKET_SIZE octets of room */
	size_t len;
	struct in_addr source; /* 0: the kernel's choice */
	struct in_addr peer;
	uint16_t port; /* host byte order; 0 with protocol 41 */
	uint8_t tos;
	bool df;
	bool own;	  /* made here, and not from TUN */
	uint32_t session; /* whose it is */
	bool retried;	  /* private */
};

struct outer_handlers {
	/* The arrival and its payload are valid until this returns. */
	void (*received)(const struct arrival *arrival, void *arg);
	void (*sent)(const struct outer_packet *packet, void *arg);
	/* Could not be sent, for good. */
	void (*refused)(const struct outer_packet *packet, int error, void *arg);
	/* Larger than the path takes. True: try once more, as it is now; else it is dropped. */
	bool (*too_big)(struct outer_packet *packet, void *arg);
	void (*report)(enum forward_transport transport, const struct errqueue_report *report,
		       void *arg);
	/* There are slots again after outer_slot() had none. */
	void (*ready)(void *arg);
};

/* Takes over fd; NULL (and a line in the log) where it cannot be used, fd is then closed. */
struct outer *outer_new(struct event_base *base, enum forward_transport transport, int fd,
			const struct outer_handlers *handlers, void *arg);
void outer_free(struct outer *outer);

/*
 * The next packet to fill in, or NULL while the socket takes no more. It is the caller's until the
 * next call of outer_push() or outer_flush(), or the end of the event.
 */
struct outer_packet *outer_slot(struct outer *outer);

/* The packet that outer_slot() gave is complete. */
void outer_push(struct outer *outer);

/* Sends what was pushed. */
void outer_flush(struct outer *outer);

/* Forgets what was pushed and could not be sent yet; each is refused. */
void outer_discard(struct outer *outer);

#endif
