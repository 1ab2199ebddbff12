/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the machine's packet filter does with a packet, as far as that is certain. It reads the text
 * of "nft list ruleset", which has the rules of iptables-nft, too. What it does not understand may
 * match or not, so that a packet is never said to be dropped if there is any rule by which it could
 * pass.
 */
#ifndef DTCP_NETCONF_RULESET_H
#define DTCP_NETCONF_RULESET_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

/* The first packet of a flow. */
struct ruleset_packet {
	bool forwarded;	       /* else it is for this machine */
	bool ipv6;	       /* else IPv4 */
	int protocol;	       /* IPPROTO_, -1: any */
	uint16_t port;	       /* the destination's, of TCP and UDP */
	const char *interface; /* that it comes in by; NULL: any but lo */
};

/* Names are cut short. */
struct ruleset_place {
	char family[16]; /* ip, ip6, inet */
	char table[64];
	char chain[64];
};

/*
 * True if the packet is certainly dropped or rejected, and then in which base chain. text is the
 * whole ruleset.
 */
bool ruleset_drops(const char *text, const struct ruleset_packet *packet,
		   struct ruleset_place *place);

/*
 * The ruleset of this network namespace, to be freed; NULL if there is no nft, or it does not
 * answer within seconds. Nothing is logged.
 */
char *ruleset_read(void);

#endif
