/* SPDX-License-Identifier: BSD-2-Clause */
/* From the TUN devices to the sockets, and packets made by forward itself. */
#ifndef DTCP_FORWARD_OUTBOUND_H
#define DTCP_FORWARD_OUTBOUND_H

#include "forward/device.h"
#include "forward/outer.h"
#include "forward/plane.h"

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Reads packets from the device. */
void outbound_read(struct plane *plane, struct device *device);

/* Sends a packet of our own to the session's peer, at once if the socket is writable. */
void outbound_own(struct plane *plane, struct session *session, struct in_addr source,
		  const uint8_t *data, size_t len);

/* The same over this socket, or none, instead of the session's. */
void outbound_own_by(struct plane *plane, struct outer *outer, struct session *session,
		     struct in_addr source, const uint8_t *data, size_t len);

/* The same, with the choice of DF; for packets that probe the path MTU. */
void outbound_own_df(struct plane *plane, struct outer *outer, struct session *session,
		     struct in_addr source, bool df, const uint8_t *data, size_t len);

/* The result of sending a packet: see struct sender_handlers. */
void outbound_sent(struct plane *plane, const struct outer_packet *packet);
void outbound_refused(struct plane *plane, const struct outer_packet *packet);
bool outbound_too_big(struct plane *plane, struct outer_packet *packet);

#endif
