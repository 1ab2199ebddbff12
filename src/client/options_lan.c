/* SPDX-License-Identifier: BSD-2-Clause */
/* The options of --lan. */
#include "client/options_parts.h"

#include "base/options.h"
#include "netconf/tun.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

static bool take_interface(struct client_options *options, const char *where, const char *word)
{
	struct client_lan *lan = &options->lan;

	if (!tun_name_valid(word))
		return options_bad("%s %s: not a name for an interface: " TUN_NAME_RULE, where,
				   word);
	for (size_t i = 0; i < lan->n; i++) {
		if (strcmp(lan->names[i], word) == 0)
			return options_bad("%s: \"%s\" is named twice", where, word);
	}
	if (lan->n == CLIENT_LANS_MAX)
		return options_bad("%s: at most %d interfaces", where, CLIENT_LANS_MAX);
	(void)strlcpy(lan->names[lan->n++], word, IFNAMSIZ);
	return true;
}

bool options_lan(void *options, const char *where, const char *text)
{
	return options_each_word(options, where, text, take_interface);
}

static bool take_dns(struct client_options *options, const char *where, const char *word)
{
	struct client_lan *lan = &options->lan;
	struct in6_addr addr;

	if (inet_pton(AF_INET6, word, &addr) != 1 ||
	    !prefix6_is_unicast(&(const struct prefix6){.addr = addr, .len = 128}))
		return options_bad("%s: \"%s\": a global IPv6 address, \"auto\" or \"none\" "
				   "is needed",
				   where, word);
	if (lan->n_dns == CLIENT_LAN_DNS_MAX)
		return options_bad("%s: at most %d addresses", where, CLIENT_LAN_DNS_MAX);
	lan->dns[lan->n_dns++] = addr;
	return true;
}

bool options_lan_dns(void *options, const char *where, const char *text)
{
	struct client_lan *lan = &((struct client_options *)options)->lan;

	lan->n_dns = 0;
	lan->dns_auto = strcmp(text, "auto") == 0;
	return lan->dns_auto || strcmp(text, "none") == 0 ||
	       options_each_word(options, where, text, take_dns);
}

static bool is_port(const char *text, uint16_t *port)
{
	const char *error = NULL;

	*port = (uint16_t)strtonum(text, 1, UINT16_MAX, &error);
	return !error;
}

static bool take_port(struct client_options *options, const char *where, const char *word)
{
	struct client_lan *lan = &options->lan;
	struct client_lan_port port = {.protocol = IPPROTO_TCP};
	char first[8] = "";
	const char *last;
	size_t len;
	bool good;

	port.protocol = strncmp(word, "udp/", 4) == 0 ? IPPROTO_UDP : IPPROTO_TCP;
	good = port.protocol == IPPROTO_UDP || strncmp(word, "tcp/", 4) == 0;
	len = good ? strcspn(word + 4, "-") : 0;
	if (len < sizeof(first))
		(void)strlcpy(first, word + (good ? 4 : 0), len + 1);
	last = good && word[4 + len] == '-' ? word + 4 + len + 1 : first;
	if (!good || !is_port(first, &port.first) || !is_port(last, &port.last) ||
	    port.last < port.first)
		return options_bad("%s: \"%s\": a port such as tcp/443, or several such as "
				   "udp/5000-5010, are needed",
				   where, word);
	if (lan->n_open == CLIENT_LAN_OPEN_MAX)
		return options_bad("%s: at most %d", where, CLIENT_LAN_OPEN_MAX);
	lan->open[lan->n_open++] = port;
	return true;
}

bool options_lan_open(void *options, const char *where, const char *text)
{
	return options_each_word(options, where, text, take_port);
}

/* The first setting that makes sense only with --lan; NULL if there is none. */
static const char *lan_detail(const struct client_lan *lan)
{
	if (lan->n_open > 0)
		return "lan-open";
	if (lan->no_firewall)
		return "lan-firewall";
	return lan->n_dns > 0 || !lan->dns_auto ? "lan-dns" : NULL;
}

bool options_lan_check(const struct client_options *options)
{
	const struct client_lan *lan = &options->lan;
	const char *detail = lan_detail(lan);

	if (lan->n == 0)
		return !detail || settings_bad(&client_settings, options, detail,
					       ": only with --lan, which names the interfaces");
	if (options->type != TUNNEL_NETWORK)
		return settings_bad(&client_settings, options, "lan",
				    ": only with -t network; with %s there is no prefix to share",
				    tunnel_type_name(options->type));
	if (options->no_device)
		return settings_bad(&client_settings, options, "lan",
				    ": not with --tunnel none, with which the script does all");
	if (lan->no_firewall && lan->n_open > 0)
		return settings_bad(&client_settings, options, "lan-open",
				    ": not with --lan-firewall off, with which everything is open");
	for (size_t i = 0; i < lan->n; i++) {
		if (strcmp(lan->names[i], options->interface) == 0 ||
		    strcmp(lan->names[i], "lo") == 0)
			return settings_bad(&client_settings, options, "lan",
					    " %s: the interface of a network at home is needed",
					    lan->names[i]);
	}
	return true;
}
