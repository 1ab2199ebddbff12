/* SPDX-License-Identifier: BSD-2-Clause */
/* From TUN to outside: finds the session of a packet, applies the rules, and decides how to send
 * it. No I/O. */
#ifndef DTCP_FORWARD_ENCAP_H
#define DTCP_FORWARD_ENCAP_H

#include "forward/icmp6.h"
#include "forward/inner.h"
#include "forward/segment.h"
#include "forward/table.h"

#include <linux/virtio_net.h>

struct encap {
	enum drop_reason drop;
	struct session *session; /* NULL if there is none */
	struct inner inner;	 /* valid unless dropped as malformed; may be a large packet */
	/* With DROP_NONE: */
	struct segments segments; /* its segments */
	uint8_t tos;		  /* of the outer headers */
	bool df;		  /* "don't fragment" of the outer headers */
	/* Otherwise the error for the sender, if any and if the packet may be answered: */
	struct icmp6_error error;
};

/*
 * Judges the n octets at packet, which was read with header. only: the session of a device that has
 * one; shared: the device has all sessions, and the destination decides. now is in milliseconds.
 */
void encap_packet(const struct table *table, struct session *only, bool shared,
		  const struct virtio_net_hdr *header, uint8_t *packet, size_t n, uint64_t now,
		  struct encap *out);

/*
 * Whether a packet of len octets fits the path as far as known; also sets drop, df and error. To be
 * called again when more is known. now is in milliseconds.
 */
void encap_fit(const struct session *session, size_t len, uint64_t now, struct encap *out);

#endif
