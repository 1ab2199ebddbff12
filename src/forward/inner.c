/* SPDX-License-Identifier: BSD-2-Clause */
#include "forward/inner.h"

#include <netinet/icmp6.h>
#include <string.h>

enum drop_reason inner_parse(const uint8_t *packet, size_t n, struct inner *out)
{
	if (n < INNER_HEADER)
		return DROP_OUTER_SHORT;
	if (packet[0] >> 4 != 6)
		return DROP_NOT_IPV6;

	size_t len = INNER_HEADER + (size_t)(packet[4] << 8 | packet[5]);

	if (len > n)
		return DROP_TRUNCATED;
	out->packet = packet;
	out->len = len;
	memcpy(&out->src, packet + 8, sizeof(out->src));
	memcpy(&out->dst, packet + 24, sizeof(out->dst));
	return DROP_NONE;
}

bool inner_find_upper(const struct inner *inner, struct inner_upper *out)
{
	const uint8_t *packet = inner->packet;
	uint8_t next = packet[6];
	size_t offset = INNER_HEADER;

	*out = (struct inner_upper){.begin = true};
	for (;;) {
		size_t size;

		switch (next) {
		case IPPROTO_HOPOPTS:
		case IPPROTO_ROUTING:
		case IPPROTO_DSTOPTS:
		case IPPROTO_AH:
		case IPPROTO_FRAGMENT:
			break;
		default:
			out->protocol = next;
			out->offset = offset;
			return true;
		}
		/* Each of these has at least eight octets. */
		if (inner->len - offset < 8)
			return false;

		const uint8_t *header = packet + offset;

		if (next == IPPROTO_FRAGMENT) {
			size = 8;
			/* An atomic fragment (RFC 6946) is a complete packet. */
			if (header[2] || header[3] & 0xf9)
				out->fragment = true;
			if (header[2] || header[3] & 0xf8)
				out->begin = false;
		} else if (next == IPPROTO_AH) {
			size = ((size_t)header[1] + 2) * 4;
		} else {
			size = ((size_t)header[1] + 1) * 8;
			if (next == IPPROTO_ROUTING && header[3])
				out->more_hops = true;
		}
		if (inner->len - offset < size)
			return false;
		next = header[0];
		offset += size;
		if (!out->begin) {
			/* What follows is not the beginning of the payload. */
			out->protocol = next;
			out->offset = offset;
			return true;
		}
	}
}

/*
 * Duplicate address detection and the first router solicitation have the source ::, and stay on the
 * link: RFC 4861, sections 4.1, 4.3, 6.1.1 and 7.1.1.
 */
static bool inner_is_discovery(const struct inner *inner)
{
	struct inner_upper upper;

	if (!inner_find_upper(inner, &upper) || upper.fragment ||
	    upper.protocol != IPPROTO_ICMPV6 || inner->len - upper.offset < 8)
		return false;

	const uint8_t *icmp6 = inner->packet + upper.offset;

	return inner->packet[7] == 255 && IN6_IS_ADDR_MC_LINKLOCAL(&inner->dst) && icmp6[1] == 0 &&
	       (icmp6[0] == ND_NEIGHBOR_SOLICIT || icmp6[0] == ND_ROUTER_SOLICIT);
}

int inner_icmp6_type(const struct inner *inner)
{
	struct inner_upper upper;

	if (!inner_find_upper(inner, &upper) || upper.protocol != IPPROTO_ICMPV6 || !upper.begin ||
	    upper.offset >= inner->len)
		return -1;
	return inner->packet[upper.offset];
}

enum drop_reason inner_check_router(const struct inner *inner, bool adverts)
{
	int type = inner_icmp6_type(inner);

	if (type == ND_REDIRECT || (type == ND_ROUTER_ADVERT && !adverts))
		return DROP_ROUTER;
	return DROP_NONE;
}

enum drop_reason inner_check_source(const struct inner *inner)
{
	const struct in6_addr *src = &inner->src;

	if (IN6_IS_ADDR_MULTICAST(src))
		return DROP_SRC_MULTICAST;
	if (IN6_IS_ADDR_UNSPECIFIED(src))
		return inner_is_discovery(inner) ? DROP_NONE : DROP_SRC_UNSPECIFIED;
	if (IN6_IS_ADDR_LOOPBACK(src))
		return DROP_SRC_LOOPBACK;
	if (IN6_IS_ADDR_V4MAPPED(src))
		return DROP_SRC_MAPPED;
	/* Not IN6_IS_ADDR_V4COMPAT, which excludes ::0.0.0.0 and ::0.0.0.1. */
	static const uint8_t zeros[12];

	if (memcmp(src->s6_addr, zeros, sizeof(zeros)) == 0)
		return DROP_SRC_COMPATIBLE;
	return DROP_NONE;
}

enum drop_reason inner_check_ingress(const struct inner *inner,
				     const struct forward_session *session)
{
	/* Only neighbour discovery gets here with this source. */
	if (IN6_IS_ADDR_UNSPECIFIED(&inner->src))
		return DROP_NONE;
	/*
	 * A session's own device is a link with arbitrary link-local addresses. On the shared
	 * device only the session's own one is valid, which is among the prefixes.
	 */
	if (session->device > 0 && IN6_IS_ADDR_LINKLOCAL(&inner->src))
		return DROP_NONE;
	for (uint32_t i = 0; i < session->n_prefixes; i++) {
		if (prefix6_has(&session->prefixes[i], &inner->src))
			return DROP_NONE;
	}
	return DROP_SRC_INGRESS;
}

/* True if an automatic tunnel would send packets for addr to the IPv4 address. */
static bool inner_embeds(const struct in6_addr *addr, struct in_addr v4)
{
	static const uint8_t sixtofour[2] = {0x20, 0x02};
	static const uint8_t isatap_private[4] = {0x00, 0x00, 0x5e, 0xfe};
	static const uint8_t isatap_global[4] = {0x02, 0x00, 0x5e, 0xfe};
	static const uint8_t zeros[10];
	static const uint8_t mapped[2] = {0xff, 0xff};
	const uint8_t *a = addr->s6_addr;

	if (memcmp(a, sixtofour, 2) == 0 && memcmp(a + 2, &v4, 4) == 0)
		return true;
	if (memcmp(a + 12, &v4, 4) != 0)
		return false;
	if (memcmp(a + 8, isatap_private, 4) == 0 || memcmp(a + 8, isatap_global, 4) == 0)
		return true;
	return memcmp(a, zeros, 10) == 0 &&
	       (memcmp(a + 10, zeros, 2) == 0 || memcmp(a + 10, mapped, 2) == 0);
}

enum drop_reason inner_check_loop(const struct inner *inner, struct in_addr local,
				  struct in_addr alias)
{
	if (local.s_addr && inner_embeds(&inner->dst, local))
		return DROP_LOOP;
	if (alias.s_addr && inner_embeds(&inner->dst, alias))
		return DROP_LOOP;
	return DROP_NONE;
}
