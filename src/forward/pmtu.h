/* SPDX-License-Identifier: BSD-2-Clause */
/* The IPv4 path MTU to one peer. RFC 1191; RFC 4213, section 3.2.2. */
#ifndef DTCP_FORWARD_PMTU_H
#define DTCP_FORWARD_PMTU_H

#include <stdbool.h>
#include <stdint.h>

/* Octets of an IPv4 packet if the path MTU is unknown. */
#define PMTU_UNKNOWN 65535
/* Time after which a lower value expires, milliseconds: RFC 1191, section 6.3. */
#define PMTU_AGE (UINT64_C(10) * 60 * 1000)

/* All zero: unknown. */
struct pmtu {
	uint32_t mtu;
	uint64_t until; /* milliseconds, the caller's clock */
};

/*
 * The path MTU is at most mtu octets; 0 if the router did not report a value. False if that changes
 * nothing.
 */
bool pmtu_lower(struct pmtu *pmtu, uint32_t mtu, uint64_t now);

/* Octets of the largest IPv4 packet that may pass unfragmented. */
uint32_t pmtu_get(const struct pmtu *pmtu, uint64_t now);

#endif
