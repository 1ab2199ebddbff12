/* SPDX-License-Identifier: BSD-2-Clause */
#include "client/lan.h"

#include "base/log.h"
#include "client/tunnel.h"

#include <arpa/inet.h>
#include <endian.h>
#include <string.h>

/* --- assignment of networks --------------------------------------------------------------- */

/* The /64 of that number. False if the prefix has none. */
static bool lan_subnet(const struct prefix6 *prefix, size_t number, struct prefix6 *out)
{
	unsigned int bits = 64U - prefix->len;
	uint64_t high;

	if (prefix->len > 64 || (bits < 32 && number >> bits))
		return false;
	*out = (struct prefix6){.len = 64};
	memcpy(&high, &prefix->addr, sizeof(high));
	high |= htobe64(number);
	memcpy(&out->addr, &high, sizeof(high));
	return true;
}

/* A delegated prefix can be inside another one. */
static bool lan_has(const struct lan_plan *plan, const struct prefix6 *subnet)
{
	for (size_t i = 0; i < plan->n; i++) {
		if (prefix6_equal(&plan->nets[i].prefix, subnet))
			return true;
	}
	return false;
}

static bool lan_is_own(const struct client_address own[], size_t n, const struct in6_addr *addr)
{
	for (size_t i = 0; i < n; i++) {
		if (IN6_ARE_ADDR_EQUAL(&own[i].addr, addr))
			return true;
	}
	return false;
}

void lan_plan(const struct client_tunnel *tunnel, const struct client_options *options,
	      struct lan_plan *plan)
{
	const struct client_lan *lan = &options->lan;
	const struct dtcp_reply *reply = &tunnel->reply;
	struct client_address own[CLIENT_OWN_MAX];
	size_t n_own = tunnel_addresses(tunnel, options, own);

	*plan = (struct lan_plan){.n_prefixes = reply->n_prefixes};
	for (size_t i = 0; i < reply->n_prefixes; i++) {
		const struct prefix6 *prefix = &reply->prefixes[i];

		plan->prefixes[i] = *prefix;
		for (size_t j = 0; j < lan->n; j++) {
			struct lan_net *net = &plan->nets[plan->n];

			net->interface = j;
			if (!lan_subnet(prefix, j, &net->prefix))
				break;
			plan->enough[i]++;
			if (lan_has(plan, &net->prefix))
				continue;
			net->router = prefix6_first(&net->prefix);
			/* If the tunnel's own address is ::1 of the last /64. */
			if (lan_is_own(own, n_own, &net->router))
				net->router.s6_addr[15] = 2;
			plan->n++;
		}
	}
}

void lan_plan_log(const struct lan_plan *plan, const struct client_options *options)
{
	const struct client_lan *lan = &options->lan;
	char text[PREFIX6_STRLEN];

	for (size_t i = 0; i < plan->n_prefixes; i++) {
		if (plan->enough[i] < lan->n)
			log_warnx("--lan: %s has no /64 for %s: a shorter prefix is needed, of "
				  "which the operator of the server has to know",
				  prefix6_format(&plan->prefixes[i], text),
				  lan->names[plan->enough[i]]);
	}
}

size_t lan_dns(FILE *file, struct in6_addr out[], size_t max)
{
	const struct prefix6 global = {.addr.s6_addr = {0x20}, .len = 3};
	char line[512];
	size_t n = 0;

	while (n < max && fgets(line, sizeof(line), file)) {
		char word[INET6_ADDRSTRLEN + 1];

		if (sscanf(line, "nameserver %46s", word) == 1 &&
		    inet_pton(AF_INET6, word, &out[n]) == 1 && prefix6_has(&global, &out[n]))
			n++;
	}
	return n;
}

/* --- radvd -------------------------------------------------------------------------------- */

static void lan_write_stale(FILE *out, const struct lan_announcement *what, size_t interface)
{
	char text[PREFIX6_STRLEN];

	for (size_t i = 0; i < what->n_stale; i++) {
		const struct lan_stale *stale = &what->stale[i];

		if (stale->net.interface != interface || stale->until <= what->now)
			continue;
		/* RFC 9096, section 3.5, L-14: as long as a machine may still use it. */
		(void)fprintf(out,
			      "\tprefix %s {\n"
			      "\t\tAdvPreferredLifetime 0;\n"
			      "\t\tAdvValidLifetime %lld;\n"
			      "\t\tDeprecatePrefix on;\n"
			      "\t};\n",
			      prefix6_format(&stale->net.prefix, text),
			      (long long)(stale->until - what->now + 999) / 1000);
	}
}

static void lan_write_dns(FILE *out, const struct lan_announcement *what)
{
	char text[INET6_ADDRSTRLEN];

	if (what->n_dns == 0)
		return;
	(void)fprintf(out, "\tRDNSS");
	for (size_t i = 0; i < what->n_dns; i++)
		(void)fprintf(out, " %s", inet_ntop(AF_INET6, &what->dns[i], text, sizeof(text)));
	(void)fprintf(out, " {\n\t};\n");
}

static void lan_write_interface(FILE *out, const struct lan_announcement *what, size_t interface)
{
	char text[PREFIX6_STRLEN];
	bool router = false;

	/* An interface that does not exist yet is configured when it appears. */
	(void)fprintf(out,
		      "interface %s {\n"
		      "\tAdvSendAdvert on;\n"
		      "\tIgnoreIfMissing on;\n"
		      "\tMinRtrAdvInterval 30;\n"
		      "\tMaxRtrAdvInterval 100;\n"
		      "\tAdvLinkMTU %u;\n",
		      what->lan->names[interface], what->mtu);
	for (size_t i = 0; i < what->plan->n; i++) {
		const struct lan_net *net = &what->plan->nets[i];

		if (net->interface != interface)
			continue;
		router = true;
		(void)fprintf(out,
			      "\tprefix %s {\n"
			      "\t\tAdvPreferredLifetime %d;\n"
			      "\t\tAdvValidLifetime %d;\n"
			      "\t\tDeprecatePrefix on;\n"
			      "\t};\n",
			      prefix6_format(&net->prefix, text), LAN_PREFERRED, LAN_VALID);
	}
	lan_write_stale(out, what, interface);
	/* A native IPv6 router in the same network is preferred (RFC 4191). */
	if (router)
		(void)fprintf(out, "\tAdvDefaultPreference low;\n");
	else
		(void)fprintf(out, "\tAdvDefaultLifetime 0;\n");
	if (router)
		lan_write_dns(out, what);
	(void)fprintf(out, "};\n");
}

void lan_write_radvd(FILE *out, const struct lan_announcement *what)
{
	(void)fprintf(out, "# written by dtcpclient, gone with it\n");
	for (size_t i = 0; i < what->lan->n; i++)
		lan_write_interface(out, what, i);
}

/* --- nft ---------------------------------------------------------------------------------- */

const char *lan_table(const char *interface, char buf[static LAN_TABLE_SIZE])
{
	(void)snprintf(buf, LAN_TABLE_SIZE, "dtcpclient-%s", interface);
	return buf;
}

void lan_write_no_firewall(FILE *out, const char *name)
{
	/* Adding an existing table is no error, but removing a missing one would be. */
	(void)fprintf(out, "add table ip6 %s\ndelete table ip6 %s\n", name, name);
}

static void lan_write_ports(FILE *out, const struct client_lan *lan)
{
	for (size_t i = 0; i < lan->n_open; i++) {
		const struct client_lan_port *port = &lan->open[i];

		(void)fprintf(out, "\t\t%s dport %u-%u accept\n",
			      port->protocol == IPPROTO_TCP ? "tcp" : "udp", port->first,
			      port->last);
	}
}

/* "{ "lan0", "lan1" }"; with the loopback interface if wanted. */
static void lan_write_names(FILE *out, const struct client_lan *lan, bool loopback)
{
	(void)fprintf(out, "{ ");
	for (size_t i = 0; i < lan->n; i++)
		(void)fprintf(out, "%s\"%s\"", i > 0 ? ", " : "", lan->names[i]);
	(void)fprintf(out, "%s }", loopback ? ", \"lo\"" : "");
}

/* Sends packets through the tunnel or to its prefixes, but not from inside, to that chain. */
static void lan_write_outside(FILE *out, const char *chain, const char *interface,
			      const struct lan_plan *plan)
{
	char text[PREFIX6_STRLEN];

	(void)fprintf(out, "\t\tiifname \"%s\" goto %s\n", interface, chain);
	for (size_t i = 0; i < plan->n_prefixes; i++)
		(void)fprintf(out, "\t\tip6 daddr %s goto %s\n",
			      prefix6_format(&plan->prefixes[i], text), chain);
}

/* RFC 7084, section 4.3, L-14: packets from an old prefix are answered with an error. */
static void lan_write_rejects(FILE *out, const struct lan_announcement *what)
{
	char text[PREFIX6_STRLEN];

	for (size_t i = 0; i < what->n_stale; i++)
		(void)fprintf(out, "\t\tip6 saddr %s reject with icmpv6 type policy-fail\n",
			      prefix6_format(&what->stale[i].net.prefix, text));
}

void lan_write_firewall(FILE *out, const char *name, const char *interface,
			const struct lan_announcement *what)
{
	lan_write_no_firewall(out, name);
	(void)fprintf(out,
		      "table ip6 %s {\n"
		      "\tchain allowed {\n"
		      "\t\tct state established,related accept\n"
		      /* RFC 4890, sections 4.3.1 and 4.3.2; 144 to 147 are Mobile IPv6 */
		      "\t\ticmpv6 type { destination-unreachable, packet-too-big, time-exceeded, "
		      "parameter-problem, echo-request, echo-reply, 144-147 } accept\n"
		      "\t\tct state invalid drop\n"
		      "\t}\n"
		      "\tchain to_lan {\n"
		      "\t\tjump allowed\n",
		      name);
	lan_write_ports(out, what->lan);
	/* RFC 6092, REC-48: rejected packets are answered with an error. */
	(void)fprintf(out,
		      "\t\treject with icmpv6 type admin-prohibited\n"
		      "\t}\n"
		      "\tchain to_router {\n"
		      "\t\tjump allowed\n"
		      /* RFC 4890, section 4.4.1: link-local messages */
		      "\t\tip6 hoplimit 255 icmpv6 type { nd-router-solicit, nd-router-advert, "
		      "nd-neighbor-solicit, nd-neighbor-advert } accept\n"
		      "\t\tip6 saddr fe80::/10 icmpv6 type { mld-listener-query, "
		      "mld-listener-report, mld-listener-done, mld2-listener-report } accept\n"
		      "\t\treject with icmpv6 type admin-prohibited\n"
		      "\t}\n"
		      "\tchain forward {\n"
		      "\t\ttype filter hook forward priority 0; policy accept;\n");
	lan_write_rejects(out, what);
	(void)fprintf(out, "\t\tiifname ");
	lan_write_names(out, what->lan, false);
	(void)fprintf(out, " accept\n");
	lan_write_outside(out, "to_lan", interface, what->plan);
	(void)fprintf(out, "\t}\n"
			   "\tchain input {\n"
			   "\t\ttype filter hook input priority 0; policy accept;\n"
			   "\t\tiifname ");
	lan_write_names(out, what->lan, true);
	(void)fprintf(out, " accept\n");
	lan_write_outside(out, "to_router", interface, what->plan);
	(void)fprintf(out, "\t}\n}\n");
}
