/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Joins inner packets that arrived together into large packets, like the kernel's GRO, so that one
 * write to TUN carries many. The kernel cuts them again, if needed, into the same packets.
 *
 * Payload is not copied: packets must stay valid until coalesce_flush(). Packets of one flow keep
 * their order. The cost of a packet does not depend on the number of flows.
 */
#ifndef DTCP_FORWARD_COALESCE_H
#define DTCP_FORWARD_COALESCE_H

#include "forward/inner.h"
#include "forward/vnet.h"

#include <linux/virtio_net.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

/* Limits: flows that are open at a time, and packets in a large one (UDP_MAX_SEGMENTS of Linux). */
#define COALESCE_FLOWS	 64
#define COALESCE_PACKETS 64

struct coalesce;
struct device;
struct session;

/* A packet to be written to TUN: parts[0] is the offload header. */
struct coalesced {
	struct session *session;
	struct iovec *parts;
	int n_parts;
	size_t packets; /* inner packets in it; if more than one, parts[2] on are their payloads */
	size_t headers; /* octets of headers, which come before each payload */
	size_t octets;	/* of all packets, headers included */
};

/* Sets an iovec that is only read from: iovecs are for both directions, so they are not const. */
void iovec_set(struct iovec *iov, const uint8_t *data, size_t len);

/* The callback must not add or flush. */
typedef void (*coalesce_write)(const struct coalesced *coalesced, void *arg);

/* udp: TUN accepts VIRTIO_NET_HDR_GSO_UDP_L4. NULL if memory is short. */
struct coalesce *coalesce_new(bool udp, coalesce_write write, void *arg);
void coalesce_free(struct coalesce *coalesce);

/* Stops joining UDP packets from now on. */
void coalesce_without_udp(struct coalesce *coalesce);

/*
 * Adds a packet that has passed all rules and goes to the session's device with this offload
 * header; the packet's octets, but not the two structs, must stay valid. It or an earlier one may
 * be written at once.
 */
void coalesce_add(struct coalesce *coalesce, struct session *session, const struct inner *inner,
		  const struct virtio_net_hdr *header);

/* Writes what is left. To be called at the end of each batch: nothing waits for more packets. */
void coalesce_flush(struct coalesce *coalesce);

#endif
