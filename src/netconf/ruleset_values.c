/* SPDX-License-Identifier: BSD-2-Clause */
/* Compares one value of a condition with the packet. */
#include "netconf/ruleset_parts.h"

#include <stdlib.h>
#include <string.h>

bool ruleset_among(const char *word, const char *const list[])
{
	while (*list && strcmp(*list, word) != 0)
		list++;
	return *list;
}

/* Compares with "7" or "7-9"; a name may stand for any number. */
static enum ruleset_match ruleset_number(long number, const char *value)
{
	char *end;
	long first = strtol(value, &end, 10);
	long last = first;

	if (end == value)
		return RULESET_MAYBE;
	if (*end == '-') {
		const char *from = end + 1;

		last = strtol(from, &end, 10);
		if (end == from)
			return RULESET_MAYBE;
	}
	if (*end != '\0')
		return RULESET_MAYBE;
	return number >= first && number <= last ? RULESET_YES : RULESET_NO;
}

static enum ruleset_match ruleset_protocol(const struct ruleset_packet *packet, const char *value)
{
	static const struct {
		const char *name;
		int number;
	} names[] = {
		{"tcp", IPPROTO_TCP},	       {"udp", IPPROTO_UDP},	   {"ipv6", IPPROTO_IPV6},
		{"icmp", IPPROTO_ICMP},	       {"esp", IPPROTO_ESP},	   {"ah", IPPROTO_AH},
		{"ipv6-icmp", IPPROTO_ICMPV6}, {"icmpv6", IPPROTO_ICMPV6}, {"gre", IPPROTO_GRE},
		{"sctp", IPPROTO_SCTP},	       {"igmp", IPPROTO_IGMP},	   {"dccp", IPPROTO_DCCP},
		{"udplite", IPPROTO_UDPLITE}};

	if (packet->protocol == -1)
		return RULESET_MAYBE;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (strcmp(names[i].name, value) == 0)
			return names[i].number == packet->protocol ? RULESET_YES : RULESET_NO;
	}
	return ruleset_number(packet->protocol, value);
}

/* Connection state: the packet is the first one. */
static enum ruleset_match ruleset_state(const char *value)
{
	static const char *const others[] = {"established", "related", "invalid", "untracked",
					     NULL};

	if (strcmp(value, "new") == 0)
		return RULESET_YES;
	return ruleset_among(value, others) ? RULESET_NO : RULESET_MAYBE;
}

/* Compares an interface's name, perhaps quoted or with "*" at the end. */
static enum ruleset_match ruleset_input(const struct ruleset_packet *packet, const char *value)
{
	const char *name = value + (value[0] == '"');
	size_t len = strlen(name);

	if (!packet->interface)
		return strcmp(name, "lo") == 0 ? RULESET_NO : RULESET_MAYBE;
	if (len > 0 && name[len - 1] == '*')
		return strncmp(name, packet->interface, len - 1) == 0 ? RULESET_YES : RULESET_NO;
	return strcmp(name, packet->interface) == 0 ? RULESET_YES : RULESET_NO;
}

/* The output interface is unknown, except whether it is the loopback interface. */
static enum ruleset_match ruleset_output(const struct ruleset_packet *packet, const char *value)
{
	const char *name = value + (value[0] == '"');

	return packet->forwarded && strcmp(name, "lo") == 0 ? RULESET_NO : RULESET_MAYBE;
}

static enum ruleset_match ruleset_family(const struct ruleset_packet *packet, const char *value)
{
	bool four = strcmp(value, "ipv4") == 0 || strcmp(value, "ip") == 0;
	bool six = strcmp(value, "ipv6") == 0 || strcmp(value, "ip6") == 0;

	if (!four && !six)
		return RULESET_MAYBE;
	return six == packet->ipv6 ? RULESET_YES : RULESET_NO;
}

enum ruleset_match ruleset_compare(enum ruleset_field field, const struct ruleset_packet *packet,
				   const char *value)
{
	switch (field) {
	case RULESET_PORT:
		return ruleset_number(packet->port, value);
	case RULESET_PROTOCOL:
		return ruleset_protocol(packet, value);
	case RULESET_STATE:
		return ruleset_state(value);
	case RULESET_INPUT:
		return ruleset_input(packet, value);
	case RULESET_OUTPUT:
		return ruleset_output(packet, value);
	case RULESET_FAMILY:
		return ruleset_family(packet, value);
	case RULESET_UNKNOWN:
		break;
	}
	return RULESET_MAYBE;
}
