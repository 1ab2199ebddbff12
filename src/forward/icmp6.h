/* SPDX-License-Identifier: BSD-2-Clause */
/* ICMPv6 errors: which packets may cause one, rate limits, and their format. RFC 4443. */
#ifndef DTCP_FORWARD_ICMP6_H
#define DTCP_FORWARD_ICMP6_H

#include "base/rate.h"
#include "forward/inner.h"

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Octets of the largest error. */
#define ICMP6_ERROR_SIZE 1280

enum icmp6_kind {
	ICMP6_NONE, /* no error */
	ICMP6_NO_ROUTE,
	ICMP6_ADDRESS_UNREACHABLE,
	ICMP6_SOURCE_POLICY, /* RFC 4443, section 3.1, code 5 */
	ICMP6_TOO_BIG,
	ICMP6_KINDS,
};

/*
 * Rate limits (RFC 4443, section 2.4 (f)), for each kind separately: a scan of unused prefixes must
 * not suppress "packet too big", without which connections hang.
 */
struct icmp6_limit {
	struct rate rates[ICMP6_KINDS];
};

struct icmp6_error {
	enum icmp6_kind kind;
	uint32_t mtu; /* with ICMP6_TOO_BIG */
};

/* True if this packet may be answered with such an error (RFC 4443, section 2.4 (e)). */
bool icmp6_allowed(enum icmp6_kind kind, const struct inner *inner);

/* per_second errors of each kind, 0: none. now is in milliseconds, here and below. */
void icmp6_limit_init(struct icmp6_limit *limit, uint32_t per_second, uint64_t now);

/* True if one more may be sent; it is then counted. */
bool icmp6_limit_take(struct icmp6_limit *limit, enum icmp6_kind kind, uint64_t now);

/* Writes the complete IPv6 packet, with as much of the invoking packet as fits. Returns its length.
 */
size_t icmp6_build(const struct icmp6_error *error, const struct in6_addr *source,
		   const struct inner *inner, uint8_t out[static ICMP6_ERROR_SIZE]);

#endif
