/* SPDX-License-Identifier: BSD-2-Clause */
/* Checks for obstacles to --lan, before anything is made. */
#include "base/log.h"
#include "client/root/lan.h"
#include "client/root/lan_parts.h"
#include "netconf/ruleset.h"

#include <ctype.h>
#include <stdlib.h>

static bool lan_find(const char *name, const char *instead, char path[static PROGRAM_PATH_SIZE])
{
	if (program_find(name, path))
		return true;
	log_warnx("--lan needs %s, which is not installed; install the package of that name%s",
		  name, instead);
	return false;
}

/* Warns of other programs' rules that drop packets of --lan, which ours cannot override. */
static void lan_check_filter(const char *rules, const char *interface, const char *tunnel)
{
	const struct ruleset_packet packet = {
		.forwarded = true,
		.ipv6 = true,
		.protocol = -1,
		.interface = interface,
	};
	struct ruleset_place place;

	if (!ruleset_drops(rules, &packet, &place))
		return;
	/* Names of iptables' chains, to which rules must be added with iptables, not nft. */
	if (isupper((unsigned char)place.chain[0]))
		log_warnx(
			"--lan: the packet filter drops what comes from %s (chain %s); let it into "
			"the tunnel with: ip6tables -I %s -o %s -j ACCEPT",
			interface, place.chain, place.chain, tunnel);
	else
		log_warnx(
			"--lan: the packet filter drops what comes from %s (table %s %s, chain "
			"%s); let it into the tunnel with: nft insert rule %s %s %s oifname \"%s\" "
			"accept",
			interface, place.family, place.table, place.chain, place.family,
			place.table, place.chain, tunnel);
}

bool lan_check(const struct client_options *options)
{
	char path[PROGRAM_PATH_SIZE];
	char *rules;

	if (options->lan.n == 0)
		return true;
	for (size_t i = 0; i < options->lan.n; i++) {
		if (if_nametoindex(options->lan.names[i]) == 0)
			log_warnx("--lan: there is no interface %s; it gets its part when it comes",
				  options->lan.names[i]);
	}
	if (!lan_find("radvd", "", path) ||
	    (!options->lan.no_firewall &&
	     !lan_find("nft", ", nftables, or use --lan-firewall off", path)))
		return false;
	rules = ruleset_read();
	for (size_t i = 0; rules && i < options->lan.n; i++)
		lan_check_filter(rules, options->lan.names[i], options->interface);
	free(rules);
	return true;
}
