/* SPDX-License-Identifier: BSD-2-Clause */
/* From outside to TUN: finds the session of a packet and applies the rules, for both transports. No
 * I/O. */
#ifndef DTCP_FORWARD_DECAP_H
#define DTCP_FORWARD_DECAP_H

#include "forward/arrival.h"
#include "forward/inner.h"
#include "forward/table.h"

#include <linux/virtio_net.h>
#include <stdbool.h>
#include <stdint.h>

struct decap {
	enum drop_reason drop;
	struct session *session; /* NULL if there is none */
	/* With DROP_NONE: */
	bool learned; /* the session is unlearned, and this peer becomes its peer */
	bool ask;     /* passes only if the route to the source leads to the session's device */
	struct inner inner; /* to be written to the session's device */
	struct virtio_net_hdr vnet;
};

/*
 * Judges a packet that is not a probe. ECN is written into the inner packet. server: filter inner
 * sources as well, and find unlearned sessions; now: milliseconds.
 */
void decap_packet(const struct table *table, bool server, const struct arrival *arrival,
		  uint64_t now, struct decap *out);

#endif
