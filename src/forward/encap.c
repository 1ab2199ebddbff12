/* SPDX-License-Identifier: BSD-2-Clause */
#include "forward/encap.h"

#include "forward/tos.h"

#include <netinet/icmp6.h>

#define IPV4_HEADER 20
#define UDP_HEADER  8

/* RFC 4213, section 3.2: checks the size, and decides whether DF is set. */
void encap_fit(const struct session *session, size_t len, uint64_t now, struct encap *out)
{
	const struct forward_session *config = session_config(session);
	uint32_t overhead =
		config->transport == FORWARD_UDP ? IPV4_HEADER + UDP_HEADER : IPV4_HEADER;
	uint32_t path = pmtu_get(session_pmtu(session), now) - overhead;
	uint32_t limit = config->mtu;
	/* 3.2.1: with the least tunnel MTU, routers may always fragment. */
	bool df = limit > INNER_MTU_MIN;

	if (path <= INNER_MTU_MIN) {
		/* 3.2.2: IPv6 has no MTU below 1280, so routers have to fragment. */
		limit = INNER_MTU_MIN;
		df = false;
	} else if (path < limit) {
		limit = path;
	}
	if (len > limit) {
		out->drop = DROP_TOO_BIG;
		out->error = (struct icmp6_error){.kind = ICMP6_TOO_BIG, .mtu = limit};
		return;
	}
	out->drop = DROP_NONE;
	out->error = (struct icmp6_error){.kind = ICMP6_NONE};
	out->df = df;
}

/* The session for a destination on the shared device; NULL with drop and error set. */
static struct session *encap_route(const struct table *table, struct encap *out)
{
	struct session *session = NULL;

	/* No single recipient, and no error message. */
	if (IN6_IS_ADDR_MULTICAST(&out->inner.dst)) {
		out->drop = DROP_MULTICAST;
		return NULL;
	}
	/*
	 * The kernel takes the sessions for neighbours on one link, and redirects one to another,
	 * but they reach each other only through this host.
	 */
	if (inner_icmp6_type(&out->inner) == ND_REDIRECT) {
		out->drop = DROP_REDIRECT;
		return NULL;
	}
	out->drop = DROP_NO_ROUTE;
	switch (table_by_address(table, &out->inner.dst, &session)) {
	case TABLE_UP:
		break;
	case TABLE_DOWN:
		out->drop = DROP_NO_SESSION;
		out->error.kind = ICMP6_ADDRESS_UNREACHABLE;
		break;
	case TABLE_UNKNOWN:
		out->error.kind = ICMP6_NO_ROUTE;
		break;
	}
	return session;
}

void encap_packet(const struct table *table, struct session *only, bool shared,
		  const struct virtio_net_hdr *header, uint8_t *packet, size_t n, uint64_t now,
		  struct encap *out)
{
	out->session = NULL;
	out->error = (struct icmp6_error){.kind = ICMP6_NONE};
	if (inner_parse(packet, n, &out->inner) != DROP_NONE ||
	    !segments_open(&out->segments, header, &out->inner, packet)) {
		out->drop = DROP_TUN_MALFORMED;
		return;
	}
	if (shared) {
		out->session = encap_route(table, out);
	} else {
		out->session = only;
		out->drop = DROP_NO_SESSION;
	}
	if (!out->session)
		return;
	if (!shared && inner_icmp6_type(&out->inner) == ND_ROUTER_ADVERT &&
	    !session_config(out->session)->adverts) {
		out->drop = DROP_ROUTER;
		return;
	}
	/* The server would silently drop it as spoofed; here the sender gets an error. */
	if (!shared && session_config(out->session)->own_sources &&
	    !IN6_IS_ADDR_LINKLOCAL(&out->inner.src) &&
	    inner_check_ingress(&out->inner, session_config(out->session)) != DROP_NONE) {
		out->drop = DROP_SRC_INGRESS;
		out->error.kind = ICMP6_SOURCE_POLICY;
		return;
	}
	if (!session_is_learned(out->session)) {
		out->drop = DROP_NO_SESSION;
		out->error.kind = ICMP6_ADDRESS_UNREACHABLE;
		return;
	}
	out->tos = tos_encap(tos_class(packet));
	encap_fit(out->session, out->segments.longest, now, out);
}
