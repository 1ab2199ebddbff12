/* SPDX-License-Identifier: BSD-2-Clause */
/* The packet filter. */
#include "netconf/ruleset.h"
#include "server/root/judge_parts.h"

#include <ctype.h>
#include <stdio.h>

/* The rule in the syntax of nft and of iptables. */
static void judge_packet(const struct judge *judge, const struct ruleset_packet *packet,
			 const char *what, const char *nft, const char *iptables)
{
	struct ruleset_place place;

	if (!judge->facts->ruleset || !ruleset_drops(judge->facts->ruleset, packet, &place))
		return;
	/* A table of iptables, which would not find a rule made with nft. */
	if (isupper((unsigned char)place.chain[0]))
		judge_find(judge, false,
			   "the packet filter drops %s (chain %s); let it in with: %s -I %s %s -j "
			   "ACCEPT",
			   what, place.chain, packet->ipv6 ? "ip6tables" : "iptables", place.chain,
			   iptables);
	else
		judge_find(
			judge, false,
			"the packet filter drops %s (table %s %s, chain %s); let it in with: nft "
			"insert rule %s %s %s %s accept",
			what, place.family, place.table, place.chain, place.family, place.table,
			place.chain, nft);
}

void judge_packet_filter(const struct judge *judge)
{
	const struct server_options *options = judge->options;
	const struct ruleset_packet tcp = {.protocol = IPPROTO_TCP, .port = options->port};
	const struct ruleset_packet udp = {.protocol = IPPROTO_UDP, .port = options->udp_port};
	const struct ruleset_packet proto41 = {.protocol = IPPROTO_IPV6};
	const struct ruleset_packet forwarded = {
		.forwarded = true,
		.ipv6 = true,
		.protocol = -1,
		.interface = options->interface,
	};
	char what[80];
	char nft[80];
	char iptables[80];

	(void)snprintf(what, sizeof(what), "the logins, TCP port %u", options->port);
	(void)snprintf(nft, sizeof(nft), "tcp dport %u", options->port);
	(void)snprintf(iptables, sizeof(iptables), "-p tcp --dport %u", options->port);
	judge_packet(judge, &tcp, what, nft, iptables);
	judge_packet(judge, &proto41, "tunnels of protocol 41", "meta l4proto 41", "-p 41");
	(void)snprintf(what, sizeof(what), "tunnels over UDP, port %u", options->udp_port);
	(void)snprintf(nft, sizeof(nft), "udp dport %u", options->udp_port);
	(void)snprintf(iptables, sizeof(iptables), "-p udp --dport %u", options->udp_port);
	if (options->udp)
		judge_packet(judge, &udp, what, nft, iptables);
	(void)snprintf(what, sizeof(what), "what comes out of %s to other networks",
		       options->interface);
	(void)snprintf(nft, sizeof(nft), "iifname \"%s\"", options->interface);
	(void)snprintf(iptables, sizeof(iptables), "-i %s", options->interface);
	if (options->has_host || options->has_pool)
		judge_packet(judge, &forwarded, what, nft, iptables);
}
