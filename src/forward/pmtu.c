/* SPDX-License-Identifier: BSD-2-Clause */
#include "forward/pmtu.h"

/* Least MTU of IPv4 (RFC 791); also if a report does not contain the MTU. */
#define PMTU_LEAST 68

bool pmtu_lower(struct pmtu *pmtu, uint32_t mtu, uint64_t now)
{
	if (mtu < PMTU_LEAST)
		mtu = PMTU_LEAST;
	/* A larger value is late or forged: only expiry raises the path MTU. */
	if (mtu > pmtu_get(pmtu, now))
		return false;
	pmtu->mtu = mtu;
	pmtu->until = now + PMTU_AGE;
	return true;
}

uint32_t pmtu_get(const struct pmtu *pmtu, uint64_t now)
{
	return now < pmtu->until ? pmtu->mtu : PMTU_UNKNOWN;
}
