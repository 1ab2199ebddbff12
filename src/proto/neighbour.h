/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Neighbour solicitations, and the advertisements with which a proxy answers them (RFC 4861,
 * sections 4.3, 4.4 and 7.2.8). A packet begins with its IPv6 header. Pure.
 */
#ifndef DTCP_PROTO_NEIGHBOUR_H
#define DTCP_PROTO_NEIGHBOUR_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Octets that identify a solicitation: offsets and values. */
enum {
	NEIGHBOUR_AT_PROTOCOL = 6,
	NEIGHBOUR_AT_HOP_LIMIT = 7,
	NEIGHBOUR_AT_TYPE = 40,
	NEIGHBOUR_PROTOCOL = 58, /* ICMPv6 */
	NEIGHBOUR_HOP_LIMIT = 255,
	NEIGHBOUR_SOLICITATION = 135,
};

/* Size of an Ethernet address, and of an advertisement. */
#define NEIGHBOUR_MAC_SIZE    6
#define NEIGHBOUR_ANSWER_SIZE 72

struct neighbour_solicitation {
	struct in6_addr source; /* all zero: duplicate address detection (RFC 4862) */
	struct in6_addr target;
	bool unicast; /* sent to the target itself, to check reachability (section 7.3.3) */
};

/*
 * Parses a packet of size octets, which may be followed by padding. False if it is not a
 * solicitation, or has to be discarded (RFC 4861, section 7.1.1); *out is set for true only.
 */
bool neighbour_parse(const uint8_t *packet, size_t size, struct neighbour_solicitation *out);

/* True if its sender has no address yet, so that the answer goes to all nodes of the link. */
bool neighbour_is_for_all(const struct neighbour_solicitation *solicitation);

/*
 * Writes a proxy's answer, which a node that really has the target overrides. own is an address of
 * the outgoing interface, mac its Ethernet address.
 */
void neighbour_answer(const struct neighbour_solicitation *solicitation, const struct in6_addr *own,
		      const uint8_t mac[static NEIGHBOUR_MAC_SIZE],
		      uint8_t out[static NEIGHBOUR_ANSWER_SIZE]);

#endif
