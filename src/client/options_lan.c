/* SPDX-License-Identifier: BSD-2-Clause */
/* The options of --lan. */
#include "client/options_parts.h"

#include "base/options.h"
#include "netconf/tun.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

/* The longest list in a value. */
enum { LIST_SIZE = 1024 };

/* Calls take() for each word of a list with commas, until it returns false. */
static bool each_word(struct client_lan *lan, const char *where, const char *text,
		      bool (*take)(struct client_lan *lan, const char *word))
{
	char copy[LIST_SIZE];
	char *rest = copy;
	char *word;

	if (strlcpy(copy, text, sizeof(copy)) >= sizeof(copy))
		return options_bad("%s: the list is too long", where);
	while ((word = strsep(&rest, ","))) {
		if (!take(lan, word))
			return false;
	}
	return true;
}

static bool take_interface(struct client_lan *lan, const char *word)
{
	if (!tun_name_valid(word))
		return options_bad("--lan %s: not a name for an interface: " TUN_NAME_RULE, word);
	for (size_t i = 0; i < lan->n; i++) {
		if (strcmp(lan->names[i], word) == 0)
			return options_bad("--lan: \"%s\" is named twice", word);
	}
	if (lan->n == CLIENT_LANS_MAX)
		return options_bad("--lan: at most %d interfaces", CLIENT_LANS_MAX);
	(void)strlcpy(lan->names[lan->n++], word, IFNAMSIZ);
	return true;
}

bool options_lan(struct client_lan *lan, const char *text)
{
	return each_word(lan, "--lan", text, take_interface);
}

static bool take_dns(struct client_lan *lan, const char *word)
{
	struct in6_addr addr;

	if (inet_pton(AF_INET6, word, &addr) != 1 ||
	    !prefix6_is_unicast(&(const struct prefix6){.addr = addr, .len = 128}))
		return options_bad("--lan-dns: \"%s\": a global IPv6 address, \"auto\" or \"none\" "
				   "is needed",
				   word);
	if (lan->n_dns == CLIENT_LAN_DNS_MAX)
		return options_bad("--lan-dns: at most %d addresses", CLIENT_LAN_DNS_MAX);
	lan->dns[lan->n_dns++] = addr;
	return true;
}

bool options_lan_dns(struct client_lan *lan, const char *text)
{
	lan->n_dns = 0;
	lan->dns_auto = strcmp(text, "auto") == 0;
	return lan->dns_auto || strcmp(text, "none") == 0 ||
	       each_word(lan, "--lan-dns", text, take_dns);
}

bool options_lan_firewall(struct client_lan *lan, const char *text)
{
	lan->no_firewall = strcmp(text, "off") == 0;
	return lan->no_firewall || strcmp(text, "on") == 0 ||
	       options_bad("--lan-firewall %s: on and off are possible", text);
}

static bool is_port(const char *text, uint16_t *port)
{
	const char *error = NULL;

	*port = (uint16_t)strtonum(text, 1, UINT16_MAX, &error);
	return !error;
}

static bool take_port(struct client_lan *lan, const char *word)
{
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
		return options_bad("--lan-open: \"%s\": a port such as tcp/443, or several such as "
				   "udp/5000-5010, are needed",
				   word);
	if (lan->n_open == CLIENT_LAN_OPEN_MAX)
		return options_bad("--lan-open: at most %d", CLIENT_LAN_OPEN_MAX);
	lan->open[lan->n_open++] = port;
	return true;
}

bool options_lan_open(struct client_lan *lan, const char *text)
{
	return each_word(lan, "--lan-open", text, take_port);
}

bool options_lan_check(const struct client_options *options)
{
	const struct client_lan *lan = &options->lan;

	if (lan->n == 0) {
		if (lan->n_open > 0 || lan->no_firewall || lan->n_dns > 0 || !lan->dns_auto)
			return options_bad("--lan-dns, --lan-firewall and --lan-open: only with "
					   "--lan, which names the interfaces");
		return true;
	}
	if (options->type != TUNNEL_NETWORK)
		return options_bad("--lan: only with -t network; with %s there is no prefix to "
				   "share",
				   tunnel_type_name(options->type));
	if (options->no_device)
		return options_bad("--lan: not with --tunnel none, with which the script does all");
	if (lan->no_firewall && lan->n_open > 0)
		return options_bad("--lan-open: not with --lan-firewall off, with which everything "
				   "is open");
	for (size_t i = 0; i < lan->n; i++) {
		if (strcmp(lan->names[i], options->interface) == 0 ||
		    strcmp(lan->names[i], "lo") == 0)
			return options_bad("--lan %s: the interface of a network at home is needed",
					   lan->names[i]);
	}
	return true;
}
