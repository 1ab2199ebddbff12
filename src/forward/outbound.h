/* SPDX-License-Identifier: BSD-2-Clause */
/* From the TUN devices to the sockets, and what is sent by ourselves. */
#ifndef DTCP_FORWARD_OUTBOUND_H
#define DTCP_FORWARD_OUTBOUND_H

#include "forward/device.h"
#include "forward/outer.h"
#include "forward/plane.h"

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The device has packets. */
void outbound_read(struct plane *plane, struct device *device);

/* Sends a packet of our own to the session's peer, at once if the socket takes any. */
void outbound_own(struct plane *plane, struct session *session, struct in_addr source,
		  const uint8_t *data, size_t len);

/* The same by this socket, or none, in place of the session's. */
void outbound_own_by(struct plane *plane, struct outer *outer, struct session *session,
		     struct in_addr source, const uint8_t *data, size_t len);

/* The same, and whether it may be fragmented; it is what the path takes that is asked. */
void outbound_own_df(struct plane *plane, struct outer *outer, struct session *session,
		     struct in_addr source, bool df, const uint8_t *data, size_t len);

/* What became of a packet: see struct sender_handlers. */
void outbound_sent(struct plane *plane, const struct outer_packet *packet);
void outbound_refused(struct plane *plane, const struct outer_packet *packet);
bool outbound_too_big(struct plane *plane, struct outer_packet *packet);

#endif
