/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DSCP and ECN between the IPv4 header outside and the IPv6 header inside: RFC 6040 in normal
 * mode. The DSCP is copied on the way out; on the way in the inner one stays (RFC 2983).
 */
#ifndef DTCP_FORWARD_TOS_H
#define DTCP_FORWARD_TOS_H

#include <stdbool.h>
#include <stdint.h>

/* The traffic class of an IPv6 packet, which has its whole header. */
uint8_t tos_class(const uint8_t *packet);

/* The outer TOS octet for an inner traffic class. */
uint8_t tos_encap(uint8_t inner);

/*
 * Writes the outer ECN field into the inner packet where RFC 6040 wants it there. False if the
 * packet is to be dropped: congestion was marked on a flow that would not hear of it.
 */
bool tos_decap(uint8_t outer, uint8_t *packet);

#endif
