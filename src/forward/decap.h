/* SPDX-License-Identifier: BSD-2-Clause */
/* From outside to TUN: what becomes of a packet of protocol 41. No I/O. */
#ifndef DTCP_FORWARD_DECAP_H
#define DTCP_FORWARD_DECAP_H

#include "forward/inner.h"
#include "forward/table.h"

#include <linux/virtio_net.h>

struct decap {
	enum drop_reason drop;
	struct session *session; /* NULL where it is nobody's */
	/* With DROP_NONE: */
	struct inner inner; /* to be written to the session's device */
	struct virtio_net_hdr vnet;
};

/*
 * Judges the n octets of an IPv4 packet with its header. ECN is written into the inner packet.
 * server: filter inner sources as well.
 */
void decap_packet(const struct table *table, bool server, uint8_t *outer, size_t n,
		  struct decap *out);

#endif
