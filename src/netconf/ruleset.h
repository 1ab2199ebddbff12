/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Determines what the machine's packet filter does with a packet, as far as that is certain, from
 * the text of "nft list ruleset", which includes the rules of iptables-nft. Unknown conditions may
 * match or not, so a packet counts as dropped only if no rule could let it pass.
 */
#ifndef DTCP_NETCONF_RULESET_H
#define DTCP_NETCONF_RULESET_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

/* The first packet of a flow. */
struct ruleset_packet {
	bool forwarded;	       /* otherwise for this machine */
	bool ipv6;	       /* otherwise IPv4 */
	int protocol;	       /* IPPROTO_, -1: any */
	uint16_t port;	       /* destination port of TCP and UDP */
	const char *interface; /* incoming interface; NULL: any but lo */
};

/* Names are truncated. */
struct ruleset_place {
	char family[16]; /* ip, ip6, inet */
	char table[64];
	char chain[64];
};

/*
 * True if the packet is certainly dropped or rejected; *place is then the base chain. text is the
 * whole ruleset.
 */
bool ruleset_drops(const char *text, const struct ruleset_packet *packet,
		   struct ruleset_place *place);

/*
 * The ruleset of this network namespace, to be freed; NULL if there is no nft, or it does not
 * answer within seconds. Logs nothing.
 */
char *ruleset_read(void);

#endif
