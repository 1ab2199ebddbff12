/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The sending half of a socket to the outside: packets are queued, and go out with as few system
 * calls as the kernel offers. Over UDP, consecutive packets of one size for one peer are a train:
 * one datagram for the kernel (UDP_SEGMENT), which it or the network card cuts.
 *
 * Nothing waits here. A socket that takes no more, like any full queue, loses packets: what waited
 * for one session's path would hold up all the others.
 */
#ifndef DTCP_FORWARD_SENDER_H
#define DTCP_FORWARD_SENDER_H

#include "forward/msg.h"

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

/* Packets that are queued at most. */
#define SENDER_QUEUE 256

struct sender;

/* One packet to send, in one or two parts, such as headers and payload. */
struct outer_packet {
	struct iovec parts[2]; /* the second may be empty; they stay until they are sent */
	size_t len;	       /* of both */
	struct in_addr source; /* 0: the kernel's choice */
	struct in_addr peer;
	uint16_t port; /* host byte order; 0 with protocol 41 */
	uint8_t tos;
	bool df;
	bool own;	  /* made here, and not from TUN */
	uint32_t session; /* whose it is */
	/* Private: */
	bool alone;   /* in no train: it was in one that could not be sent */
	bool retried; /* it has had its second try */
};

struct sender_handlers {
	void (*sent)(const struct outer_packet *packet, void *arg);
	/* Could not be sent, for good. */
	void (*refused)(const struct outer_packet *packet, int error, void *arg);
	/* Larger than the path takes. True: try once more, as it is now; else it is dropped. */
	bool (*too_big)(struct outer_packet *packet, void *arg);
	/* The socket has reports of the network; refused: what it found too big itself, or NULL. */
	void (*reports)(const struct outer_packet *refused, void *arg);
};

/* For fd, which stays the caller's. NULL if memory is short. */
struct sender *sender_new(enum forward_transport transport, int fd,
			  const struct sender_handlers *handlers, void *arg);
void sender_free(struct sender *sender);

/* Copies the packet but not what its parts point to. Sends what is queued if there is no room. */
void sender_push(struct sender *sender, const struct outer_packet *packet);

/* Sends all that is queued. Handlers may push, but not flush. */
void sender_flush(struct sender *sender);

#endif
