/* SPDX-License-Identifier: BSD-2-Clause */
/* What is known of the IPv4 path MTU to one peer. RFC 1191; RFC 4213, section 3.2.2. */
#ifndef DTCP_FORWARD_PMTU_H
#define DTCP_FORWARD_PMTU_H

#include <stdbool.h>
#include <stdint.h>

/* Octets of an IPv4 packet when nothing is known. */
#define PMTU_UNKNOWN 65535
/* How long a lower value is believed, in milliseconds: RFC 1191, section 6.3. */
#define PMTU_AGE (UINT64_C(10) * 60 * 1000)

/* All zero: nothing is known. */
struct pmtu {
	uint32_t mtu;
	uint64_t until; /* milliseconds, the caller's clock */
};

/*
 * The path takes no more than mtu octets; 0 if the router did not say how many. False if that
 * changes nothing.
 */
bool pmtu_lower(struct pmtu *pmtu, uint32_t mtu, uint64_t now);

/* Octets of the largest IPv4 packet that may pass in one piece. */
uint32_t pmtu_get(const struct pmtu *pmtu, uint64_t now);

#endif
