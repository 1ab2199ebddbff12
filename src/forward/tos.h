/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DSCP and ECN between the outer IPv4 header and the inner IPv6 header: RFC 6040 in normal mode. On
 * the way out the DSCP is copied; on the way in the inner one stays (RFC 2983).
 */
#ifndef DTCP_FORWARD_TOS_H
#define DTCP_FORWARD_TOS_H

#include <stdbool.h>
#include <stdint.h>

/* The traffic class of an IPv6 packet with a complete header. */
uint8_t tos_class(const uint8_t *packet);

/* The outer TOS octet for an inner traffic class. */
uint8_t tos_encap(uint8_t inner);

/*
 * Writes the outer ECN field into the inner packet as RFC 6040 requires. False if the packet has to
 * be dropped: congestion was marked on a flow without ECN.
 */
bool tos_decap(uint8_t outer, uint8_t *packet);

#endif
