/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The sending half of a socket to the outside: packets are queued, and sent with as few system
 * calls as the kernel offers. Over UDP, consecutive packets of one size for one peer are a train:
 * one datagram for the kernel (UDP_SEGMENT), which it or the network card cuts.
 *
 * Sending never blocks. A full socket, like any full queue, drops packets: waiting for one
 * session's path would delay all the others.
 */
#ifndef DTCP_FORWARD_SENDER_H
#define DTCP_FORWARD_SENDER_H

#include "forward/msg.h"

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

/* Largest number of queued packets. */
#define SENDER_QUEUE 256

struct sender;

/* One packet to send, in one or two parts, such as headers and payload. */
struct outer_packet {
	struct iovec parts[2]; /* the second may be empty; must stay valid until sent */
	size_t len;	       /* of both */
	struct in_addr source; /* 0: the kernel's choice */
	struct in_addr peer;
	uint16_t port; /* host byte order; 0 with protocol 41 */
	uint8_t tos;
	bool df;
	bool own;	  /* made by forward, not read from TUN */
	uint32_t session; /* id of its session */
	/* Private: */
	bool alone;   /* not in a train, since its train could not be sent */
	bool retried; /* it was sent a second time */
};

struct sender_handlers {
	void (*sent)(const struct outer_packet *packet, void *arg);
	/* Sending failed. */
	void (*refused)(const struct outer_packet *packet, int error, void *arg);
	/* Larger than the path MTU. True: try once more, as changed by the handler; otherwise it is
	 * dropped. */
	bool (*too_big)(struct outer_packet *packet, void *arg);
	/* The socket has reports; refused: a packet that the socket itself found too large, or
	 * NULL. */
	void (*reports)(const struct outer_packet *refused, void *arg);
};

/* For fd, which stays the caller's. NULL if memory is short. */
struct sender *sender_new(enum forward_transport transport, int fd,
			  const struct sender_handlers *handlers, void *arg);
void sender_free(struct sender *sender);

/* Copies the packet, but not the parts' contents. Sends the queue first if it is full. */
void sender_push(struct sender *sender, const struct outer_packet *packet);

/* Sends all that is queued. Handlers may push, but not flush. */
void sender_flush(struct sender *sender);

#endif
