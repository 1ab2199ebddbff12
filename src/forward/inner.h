/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Rules for inner packets: RFC 4213, sections 3.6 and 4.1; RFC 2827; RFC 6324. All rules about
 * inner packets are here, except those about the way to a session: multicast and redirects are
 * dropped in encap.c.
 */
#ifndef DTCP_FORWARD_INNER_H
#define DTCP_FORWARD_INNER_H

#include "forward/counters.h"
#include "forward/msg.h"

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define INNER_HEADER  40
#define INNER_MTU_MIN 1280 /* every IPv6 link takes this much (RFC 8200, section 5) */

/* An inner packet that is as long as its header says. */
struct inner {
	const uint8_t *packet;
	size_t len; /* without trailing octets */
	struct in6_addr src;
	struct in6_addr dst;
};

/* The upper layer behind the extension headers. */
struct inner_upper {
	uint8_t protocol;
	size_t offset;	/* where its header begins; may be the packet's end */
	bool fragment;	/* the packet is a fragment; not the first one if begin is false */
	bool begin;	/* the packet has the beginning of the upper header */
	bool more_hops; /* a routing header has segments left: dst is not the last one */
};

/*
 * Checks the header of the packet in the n octets. Returns DROP_NONE and fills *out, or returns
 * DROP_OUTER_SHORT, DROP_NOT_IPV6 or DROP_TRUNCATED.
 */
enum drop_reason inner_parse(const uint8_t *packet, size_t n, struct inner *out);

/* Finds the upper layer. False if the header chain is truncated. */
bool inner_find_upper(const struct inner *inner, struct inner_upper *out);

/* The type of an ICMPv6 message, or -1 for any other packet. */
int inner_icmp6_type(const struct inner *inner);

/*
 * DROP_ROUTER for redirects, and for router advertisements unless they are wanted: a peer must not
 * change the routes of this kernel, which takes it for a neighbour on the link.
 */
enum drop_reason inner_check_router(const struct inner *inner, bool adverts);

/* Drops packets with a source that is never valid in a tunnel. */
enum drop_reason inner_check_source(const struct inner *inner);

/* The server's ingress filter: DROP_NONE if the source is the session's own. */
enum drop_reason inner_check_ingress(const struct inner *inner,
				     const struct forward_session *session);

/*
 * DROP_LOOP if the destination would lead back to the tunnel's end here, which has the outer
 * address local and possibly an alias; 0: none.
 */
enum drop_reason inner_check_loop(const struct inner *inner, struct in_addr local,
				  struct in_addr alias);

#endif
