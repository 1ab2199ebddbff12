/* SPDX-License-Identifier: BSD-2-Clause */
#include "forward/pmtu.h"

/* Every IPv4 link takes this much (RFC 791); also stands for "less, but not said how much". */
#define PMTU_LEAST 68

bool pmtu_lower(struct pmtu *pmtu, uint32_t mtu, uint64_t now)
{
	if (mtu < PMTU_LEAST)
		mtu = PMTU_LEAST;
	/* A report of more than is believed now is late or forged: only age makes it rise. */
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
