/* SPDX-License-Identifier: BSD-2-Clause */
#include "proto/neighbour.h"

#include <string.h>

/* Octets of the IPv6 header, and of the ICMPv6 message without options. */
enum { HEADER = 40, MESSAGE = 24 };

/* Offsets of the addresses in the packet, and of the target in the message. */
enum { AT_SOURCE = 8, AT_DESTINATION = 24, AT_TARGET = 8 };

enum { ADVERTISEMENT = 136, FLAG_SOLICITED = 0x40 };

/* Options (RFC 4861, section 4.6), whose length is counted in eight octets. */
enum { OPTION_SOURCE = 1, OPTION_TARGET = 2, OPTION_UNIT = 8 };

/*
 * The checksum of the message with its pseudo-header (RFC 8200, section 8.1); 0 over a valid one.
 * len is even.
 */
static uint16_t neighbour_checksum(const uint8_t *packet, size_t len)
{
	uint32_t sum = (uint32_t)len + NEIGHBOUR_PROTOCOL;

	for (size_t i = AT_SOURCE; i < HEADER + len; i += 2)
		sum += (uint32_t)(packet[i] << 8 | packet[i + 1]);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

/* The solicited-node multicast address of the target (RFC 4291, section 2.7.1). */
static bool neighbour_is_solicited_node(const struct in6_addr *addr, const struct in6_addr *target)
{
	struct in6_addr group = {{{0xff, 0x02, [11] = 0x01, [12] = 0xff}}};

	memcpy(&group.s6_addr[13], &target->s6_addr[13], 3);
	return IN6_ARE_ADDR_EQUAL(addr, &group);
}

/* Whether the options fill their len octets, and have a source only if the sender has an address.
 */
static bool neighbour_options_right(const uint8_t *options, size_t len, bool for_all)
{
	while (len > 0) {
		size_t size = (size_t)options[1] * OPTION_UNIT;

		if (size == 0 || size > len || (for_all && options[0] == OPTION_SOURCE))
			return false;
		options += size;
		len -= size;
	}
	return true;
}

bool neighbour_is_for_all(const struct neighbour_solicitation *solicitation)
{
	return IN6_IS_ADDR_UNSPECIFIED(&solicitation->source);
}

bool neighbour_parse(const uint8_t *packet, size_t size, struct neighbour_solicitation *out)
{
	struct neighbour_solicitation found;
	struct in6_addr destination;
	const uint8_t *message;
	bool for_all;
	size_t len;

	if (size < HEADER + MESSAGE)
		return false;
	message = packet + HEADER;
	len = (size_t)(packet[4] << 8 | packet[5]);
	if (packet[0] >> 4 != 6 || packet[NEIGHBOUR_AT_PROTOCOL] != NEIGHBOUR_PROTOCOL ||
	    packet[NEIGHBOUR_AT_HOP_LIMIT] != NEIGHBOUR_HOP_LIMIT || len < MESSAGE ||
	    len > size - HEADER || len % OPTION_UNIT != 0 || message[0] != NEIGHBOUR_SOLICITATION ||
	    message[1] != 0 || neighbour_checksum(packet, len) != 0)
		return false;
	memcpy(&found.source, packet + AT_SOURCE, sizeof(found.source));
	memcpy(&destination, packet + AT_DESTINATION, sizeof(destination));
	memcpy(&found.target, message + AT_TARGET, sizeof(found.target));
	for_all = neighbour_is_for_all(&found);
	if (IN6_IS_ADDR_MULTICAST(&found.source) || IN6_IS_ADDR_MULTICAST(&found.target) ||
	    !neighbour_options_right(message + MESSAGE, len - MESSAGE, for_all))
		return false;
	/* A reachability check is sent to the address itself. */
	found.unicast = IN6_ARE_ADDR_EQUAL(&destination, &found.target);
	if (!neighbour_is_solicited_node(&destination, &found.target) &&
	    (for_all || !found.unicast))
		return false;
	*out = found;
	return true;
}

void neighbour_answer(const struct neighbour_solicitation *solicitation, const struct in6_addr *own,
		      const uint8_t mac[static NEIGHBOUR_MAC_SIZE],
		      uint8_t out[static NEIGHBOUR_ANSWER_SIZE])
{
	static const struct in6_addr all_nodes = {{{0xff, 0x02, [15] = 0x01}}};
	const bool for_all = neighbour_is_for_all(solicitation);
	const size_t len = NEIGHBOUR_ANSWER_SIZE - HEADER;
	uint8_t *message = out + HEADER;
	uint16_t checksum;

	memset(out, 0, NEIGHBOUR_ANSWER_SIZE);
	out[0] = 0x60;
	out[5] = (uint8_t)len;
	out[NEIGHBOUR_AT_PROTOCOL] = NEIGHBOUR_PROTOCOL;
	out[NEIGHBOUR_AT_HOP_LIMIT] = NEIGHBOUR_HOP_LIMIT;
	memcpy(out + AT_SOURCE, own, sizeof(*own));
	memcpy(out + AT_DESTINATION, for_all ? &all_nodes : &solicitation->source,
	       sizeof(all_nodes));
	message[0] = ADVERTISEMENT;
	/* Without the flag "override", as section 7.2.8 demands. */
	message[4] = for_all ? 0 : FLAG_SOLICITED;
	memcpy(message + AT_TARGET, &solicitation->target, sizeof(solicitation->target));
	message[MESSAGE] = OPTION_TARGET;
	message[MESSAGE + 1] = 1;
	memcpy(message + MESSAGE + 2, mac, NEIGHBOUR_MAC_SIZE);
	checksum = neighbour_checksum(out, len);
	message[2] = (uint8_t)(checksum >> 8);
	message[3] = (uint8_t)checksum;
}
