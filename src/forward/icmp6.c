/* SPDX-License-Identifier: BSD-2-Clause */
#include "forward/icmp6.h"

#include "forward/checksum.h"

#include <netinet/icmp6.h>
#include <string.h>

#define ICMP6_HEADER 8
#define ICMP6_HOPS   64

/* "Source address failed ingress/egress policy", for which <netinet/icmp6.h> has no name. */
#define ICMP6_SOURCE_POLICY_CODE 5

static bool icmp6_is_error(const struct inner *inner)
{
	struct inner_upper upper;

	/* A truncated header chain may hide an error. */
	if (!inner_find_upper(inner, &upper))
		return true;
	/* Errors fit in the least MTU, so a later fragment is never one. */
	if (upper.protocol != IPPROTO_ICMPV6 || !upper.begin)
		return false;
	if (upper.offset >= inner->len)
		return true;

	uint8_t type = inner->packet[upper.offset];

	return !(type & ICMP6_INFOMSG_MASK) || type == ND_REDIRECT;
}

bool icmp6_allowed(enum icmp6_kind kind, const struct inner *inner)
{
	if (kind == ICMP6_NONE)
		return false;
	/* (e.3): path MTU discovery includes multicast. */
	if (IN6_IS_ADDR_MULTICAST(&inner->dst) && kind != ICMP6_TOO_BIG)
		return false;
	/* (e.6), and addresses that cannot get an answer. */
	if (IN6_IS_ADDR_UNSPECIFIED(&inner->src) || IN6_IS_ADDR_MULTICAST(&inner->src) ||
	    IN6_IS_ADDR_LOOPBACK(&inner->src))
		return false;
	/* (e.1) and (e.2) */
	return !icmp6_is_error(inner);
}

void icmp6_limit_init(struct icmp6_limit *limit, uint32_t per_second, uint64_t now)
{
	for (size_t kind = 0; kind < ICMP6_KINDS; kind++)
		rate_init(&limit->rates[kind], per_second, now);
}

bool icmp6_limit_take(struct icmp6_limit *limit, enum icmp6_kind kind, uint64_t now)
{
	return rate_take(&limit->rates[kind], now);
}

size_t icmp6_build(const struct icmp6_error *error, const struct in6_addr *source,
		   const struct inner *inner, uint8_t out[static ICMP6_ERROR_SIZE])
{
	size_t quoted = ICMP6_ERROR_SIZE - INNER_HEADER - ICMP6_HEADER;
	uint8_t *icmp6 = out + INNER_HEADER;

	if (quoted > inner->len)
		quoted = inner->len;

	size_t payload = ICMP6_HEADER + quoted;

	memset(out, 0, INNER_HEADER + ICMP6_HEADER);
	out[0] = 0x60;
	out[4] = (uint8_t)(payload >> 8);
	out[5] = (uint8_t)payload;
	out[6] = IPPROTO_ICMPV6;
	out[7] = ICMP6_HOPS;
	memcpy(out + 8, source, sizeof(*source));
	memcpy(out + 24, &inner->src, sizeof(inner->src));
	switch (error->kind) {
	case ICMP6_NONE:
	case ICMP6_KINDS:
	case ICMP6_NO_ROUTE:
		icmp6[0] = ICMP6_DST_UNREACH;
		icmp6[1] = ICMP6_DST_UNREACH_NOROUTE;
		break;
	case ICMP6_ADDRESS_UNREACHABLE:
		icmp6[0] = ICMP6_DST_UNREACH;
		icmp6[1] = ICMP6_DST_UNREACH_ADDR;
		break;
	case ICMP6_SOURCE_POLICY:
		icmp6[0] = ICMP6_DST_UNREACH;
		icmp6[1] = ICMP6_SOURCE_POLICY_CODE;
		break;
	case ICMP6_TOO_BIG:
		icmp6[0] = ICMP6_PACKET_TOO_BIG;
		icmp6[4] = (uint8_t)(error->mtu >> 24);
		icmp6[5] = (uint8_t)(error->mtu >> 16);
		icmp6[6] = (uint8_t)(error->mtu >> 8);
		icmp6[7] = (uint8_t)error->mtu;
		break;
	}
	memcpy(icmp6 + ICMP6_HEADER, inner->packet, quoted);

	uint64_t sum = checksum_pseudo(out, IPPROTO_ICMPV6, payload);
	uint16_t check = (uint16_t)~checksum_fold(checksum_add(sum, icmp6, payload));

	icmp6[2] = (uint8_t)(check >> 8);
	icmp6[3] = (uint8_t)check;
	return INNER_HEADER + payload;
}
