/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The raw protocol 41 socket: packets in batches, both ways, and what the network reports about
 * those that were sent. The kernel makes the outer headers, and fragments where it may.
 */
#ifndef DTCP_FORWARD_RAW_H
#define DTCP_FORWARD_RAW_H

#include <event2/event.h>
#include <linux/virtio_net.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Packets in one system call. */
#define RAW_BATCH 32
/* Octets of one packet's buffer: more than any IPv4 packet has. */
#define RAW_PACKET_SIZE 65536

struct raw;

/* One packet to send. */
struct raw_packet {
	uint8_t *data; /* RAW_PACKET_SIZE octets of room */
	size_t len;
	struct in_addr source;
	struct in_addr peer;
	uint8_t tos;
	bool df;
	uint32_t session; /* whose it is */
	bool retried;	  /* private */
};

/* Something about a packet that was sent earlier. */
struct raw_error {
	struct in_addr peer; /* where it was sent */
	bool icmp;	     /* told by the network; else found out here */
	bool too_big;
	uint32_t mtu; /* with too_big: octets that would pass, 0 where unknown */
};

struct raw_handlers {
	/* An IPv4 packet with its header; may be changed in place. */
	void (*received)(uint8_t *packet, size_t n, void *arg);
	void (*sent)(const struct raw_packet *packet, void *arg);
	/* Could not be sent, for good. */
	void (*refused)(const struct raw_packet *packet, int error, void *arg);
	/* Larger than the path takes. True: try once more, as it is now; else it is dropped. */
	bool (*too_big)(struct raw_packet *packet, void *arg);
	void (*error)(const struct raw_error *error, void *arg);
	/* There are slots again after raw_slot() had none. */
	void (*ready)(void *arg);
};

/* Takes over fd; NULL (and a line in the log) where it cannot be used, fd is then closed. */
struct raw *raw_new(struct event_base *base, int fd, const struct raw_handlers *handlers,
		    void *arg);
void raw_free(struct raw *raw);

/* The next packet to fill in, or NULL while the socket takes no more. */
struct raw_packet *raw_slot(struct raw *raw);

/* The packet that raw_slot() gave is complete. */
void raw_push(struct raw *raw);

/* Sends what was pushed. */
void raw_flush(struct raw *raw);

/* Forgets what was pushed and could not be sent yet; each is refused. */
void raw_discard(struct raw *raw);

#endif
