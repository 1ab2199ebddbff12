/* SPDX-License-Identifier: BSD-2-Clause */
#include "server/root/suggest.h"

#include "ctl/listen.h"
#include "server/root/judge.h"
#include "server/root/neighbours.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Values with other characters need quotation marks. */
#define SUGGEST_PLAIN "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.:/_-"

/* A smaller network is too small to assign prefixes from. */
enum { SUGGEST_NETWORK_LEN_MAX = 112 };

/* Settings that most servers need, or that depend on the machine, come first. */
static const char *const suggest_first[] = {"network.pool", "network.length", "host.prefix",
					    "udp.enable", "address"};
enum { SUGGEST_FIRST = sizeof(suggest_first) / sizeof(suggest_first[0]) };

/* Addresses behind a NAT: RFC 1918, RFC 6598, RFC 3927. */
static bool suggest_is_private(struct in_addr addr)
{
	static const struct {
		uint32_t net;
		uint32_t mask;
	} nets[] = {
		{0x0a000000, 0xff000000}, {0xac100000, 0xfff00000}, {0xc0a80000, 0xffff0000},
		{0x64400000, 0xffc00000}, {0xa9fe0000, 0xffff0000},
	};

	for (size_t i = 0; i < sizeof(nets) / sizeof(nets[0]); i++) {
		if ((ntohl(addr.s_addr) & nets[i].mask) == nets[i].net)
			return true;
	}
	return false;
}

/*
 * A prefix that is certainly this machine's, since a reject route covers its unassigned parts, as
 * on a router that announces it.
 */
static const struct survey_route *suggest_aggregate(const struct survey *survey)
{
	const struct survey_route *found = NULL;

	for (size_t i = 0; i < survey->n_routes; i++) {
		const struct survey_route *route = &survey->routes[i];

		if (route->rejects && route->main && !route->ours && route->prefix.len < 64 &&
		    prefix6_is_unicast(&route->prefix) &&
		    (!found || route->prefix.len < found->prefix.len))
			found = route;
	}
	return found;
}

/*
 * The network of the link to the provider's router, with *own, the machine's address in it. One
 * that a router announces may be shared by all machines on the link: advertised selects these.
 */
static const struct survey_route *suggest_network(const struct survey *survey, bool advertised,
						  const struct survey_address **own)
{
	const struct survey_route *out = judge_way_out(survey);

	for (size_t i = 0; out && i < survey->n_addresses; i++) {
		const struct survey_address *address = &survey->addresses[i];
		const struct prefix6 single = {address->addr, 128};
		const struct survey_link *link = survey_link(survey, address->index);
		const struct survey_route *network = survey_network(survey, &single);

		if (address->index != out->index || !prefix6_is_global(&single) || !network ||
		    network->index != out->index || network->prefix.len > SUGGEST_NETWORK_LEN_MAX ||
		    !link || !link->has_mac ||
		    (address->advertised || network->advertised) != advertised)
			continue;
		*own = address;
		return network;
	}
	return NULL;
}

/*
 * The length of users' prefixes: a /56 each if there is space for many, otherwise a /60 or a /64;
 * of an on-link network, something longer.
 */
static uint32_t suggest_length(const struct prefix6 *pool)
{
	if (pool->len <= 48)
		return 56;
	if (pool->len <= 56)
		return 60;
	if (pool->len < 64)
		return 64;
	return pool->len <= 104 ? pool->len + 16u : 120;
}

/* Suggests the on-link network: addresses of a /64, or prefixes of a shorter one. */
static void suggest_add_network(const struct survey_route *network,
				const struct survey_address *own, struct server_options *options)
{
	const struct prefix6 part = {prefix6_mask(&own->addr, 64), 64};

	if (network->prefix.len <= 64) {
		options->has_host = true;
		options->host_prefix = part;
		return;
	}
	options->has_pool = true;
	options->pool = network->prefix;
	options->network_length = suggest_length(&options->pool);
}

static void suggest_add(const struct facts *facts, struct server_options *options)
{
	const struct survey_route *aggregate = suggest_aggregate(&facts->survey);
	const struct survey_route *network;
	const struct survey_address *own;

	options->udp = true;
	if (options->has_pool)
		return;
	if (aggregate &&
	    !(options->has_host && prefix6_overlaps(&aggregate->prefix, &options->host_prefix))) {
		options->has_pool = true;
		options->pool = aggregate->prefix;
		options->network_length = suggest_length(&options->pool);
		return;
	}
	network = suggest_network(&facts->survey, false, &own);
	if (network && !options->has_host)
		suggest_add_network(network, own, options);
}

/* --- writing the file --------------------------------------------------------------------- */

static const char *suggest_name(const struct survey *survey, unsigned int index)
{
	const struct survey_link *link = survey_link(survey, index);

	return link ? link->name : "lo";
}

static void suggest_found(const struct facts *facts, FILE *out)
{
	const struct survey *survey = &facts->survey;
	const struct survey_route *route = judge_way_out(survey);
	char text[INET6_ADDRSTRLEN];

	(void)fputs("# What this machine has:\n", out);
	if (facts->outside.s_addr != INADDR_ANY)
		(void)fprintf(out, "#   IPv4 address %s, by which it reaches the Internet\n",
			      inet_ntop(AF_INET, &facts->outside, text, sizeof(text)));
	for (size_t i = 0; i < survey->n_addresses; i++) {
		const struct survey_address *address = &survey->addresses[i];

		(void)fprintf(out, "#   IPv6 address %s/%u on %s\n",
			      inet_ntop(AF_INET6, &address->addr, text, sizeof(text)), address->len,
			      suggest_name(survey, address->index));
	}
	if (!route)
		(void)fputs("#   no IPv6 default route\n", out);
	else if (route->has_gateway)
		(void)fprintf(out, "#   IPv6 default route by %s on %s\n",
			      inet_ntop(AF_INET6, &route->gateway, text, sizeof(text)),
			      suggest_name(survey, route->index));
	else
		(void)fprintf(out, "#   IPv6 default route on %s\n",
			      suggest_name(survey, route->index));
	(void)fputc('\n', out);
}

/* A network that may be shared with others, for the administrator to decide. */
static void suggest_announced(const struct survey *survey, FILE *out)
{
	const struct survey_address *own;
	const struct survey_route *network = suggest_network(survey, true, &own);
	char text[PREFIX6_STRLEN];

	if (network)
		(void)fprintf(out,
			      "# Others may be in %s, which a router announces on %s: use it, or "
			      "a part of\n# it, only if the provider says that all of it is for "
			      "this machine.\n",
			      prefix6_format(&network->prefix, text),
			      suggest_name(survey, network->index));
}

static void suggest_about_host(const struct facts *facts, const struct server_options *options,
			       FILE *out)
{
	char text[PREFIX6_STRLEN];

	(void)fputs("# Each user gets one address of it, which is for a single machine.\n", out);
	if (!options->has_host)
		(void)fputs("# A /64 that is routed to this machine or on-link at it, and no part "
			    "of network.pool.\n",
			    out);
	else if (survey_network(&facts->survey, &options->host_prefix))
		(void)fprintf(out,
			      "# Prefixes longer than /64 can be given away instead, by "
			      "network.pool = %s\n# and network.length = 80.\n",
			      prefix6_format(&options->host_prefix, text));
}

/* Describes where neighbour solicitations are answered, and for what. */
static void suggest_about_proxy(const struct facts *facts, const struct server_options *options,
				FILE *out)
{
	const struct survey_route *network;
	const struct survey_link *link = neighbours_link(&facts->survey, options, &network);
	char text[PREFIX6_STRLEN];

	if (link && network)
		(void)fprintf(out, "# On %s, since its network is %s.\n", link->name,
			      prefix6_format(&network->prefix, text));
}

/* The remark about a setting on this machine. */
static void suggest_about(const struct facts *facts, const struct server_options *options,
			  const char *key, FILE *out)
{
	if (strcmp(key, "address") == 0 && suggest_is_private(facts->outside))
		(void)fputs("# A NAT is before this machine: name the public address that it maps "
			    "here, and have\n# it pass protocol 41 and UDP.\n",
			    out);
	if (strcmp(key, "network.pool") == 0 && !options->has_pool) {
		(void)fputs("# The prefix that the provider routes to this machine; ask for one of "
			    "/56 or shorter.\n",
			    out);
		suggest_announced(&facts->survey, out);
	}
	if (strcmp(key, "network.length") == 0)
		(void)fputs("# A LAN needs a /64 or a shorter one; a longer one is for a single "
			    "machine with many\n# addresses, as for containers or services.\n",
			    out);
	if (strcmp(key, "host.prefix") == 0)
		suggest_about_host(facts, options, out);
	if (strcmp(key, "ndp.proxy") == 0)
		suggest_about_proxy(facts, options, out);
	if (strcmp(key, "udp.enable") == 0)
		(void)fputs("# Without it, clients behind a NAT cannot be served.\n", out);
}

static bool suggest_is_first(const char *key)
{
	for (size_t i = 0; i < SUGGEST_FIRST; i++) {
		if (strcmp(key, suggest_first[i]) == 0)
			return true;
	}
	return false;
}

/* An example for a setting without a default. */
static const char *suggest_example(const char *key)
{
	static const struct {
		const char *key;
		const char *value;
	} examples[] = {
		{"address", "192.0.2.1"},
		{"control.socket", CTL_FOLDER "/dtcps.sock"},
		{"host.exclude", "2001:db8:1::/120"},
		{"host.prefix", "2001:db8:1::/64"},
		{"limit.connections", "20480"},
		{"network.fixed", "2001:db8:77::/48"},
		{"network.pool", "2001:db8:100::/40"},
		{"pidfile", "/var/run/dtcps.pid"},
		{"user", "_dtcp"},
	};

	for (size_t i = 0; i < sizeof(examples) / sizeof(examples[0]); i++) {
		if (strcmp(key, examples[i].key) == 0)
			return examples[i].value;
	}
	return "";
}

static void suggest_setting(const struct facts *facts, const struct server_options *options,
			    size_t number, FILE *out)
{
	struct server_options defaults;
	char buf[SETTINGS_TEXT_SIZE];
	char default_buf[SETTINGS_TEXT_SIZE];
	const struct setting *setting = &server_settings.list[number];
	const char *value = settings_value(&server_settings, options, number, buf);
	const char *standard;
	const char *quotes;
	bool is_default;

	server_options_default(&defaults);
	(void)server_settings_finish(&defaults);
	standard = settings_value(&server_settings, &defaults, number, default_buf);
	is_default = strcmp(value, standard) == 0;
	/* 0.0.0.0 is not a useful example. */
	if (standard[0] == '\0' || strcmp(setting->key, "address") == 0)
		standard = suggest_example(setting->key);
	(void)fprintf(out, "# %s\n", setting->help);
	suggest_about(facts, options, setting->key, out);
	if (is_default)
		value = standard;
	quotes = value[strspn(value, SUGGEST_PLAIN)] == '\0' ? "" : "\"";
	(void)fprintf(out, "%s%s = %s%s%s\n\n", is_default ? "# " : "", setting->key, quotes, value,
		      quotes);
}

static void suggest_on_line(bool fatal, const char *line, void *arg)
{
	FILE *out = arg;

	(void)fatal;
	(void)fprintf(out, "# - %s\n", line);
}

static void suggest(const struct facts *facts, const struct server_options *options, FILE *out)
{
	char *todo = NULL;
	size_t size = 0;
	FILE *lines;

	(void)fputs("# Settings of dtcps, the tunnel server, as dtcps --suggest has found them for "
		    "this machine.\n# Every key is here; those behind \"#\" have the value that "
		    "they have without it, or an example.\n# dtcps.conf(5) explains them.\n\n",
		    out);
	suggest_found(facts, out);
	lines = open_memstream(&todo, &size);
	if (lines) {
		judge(facts, options, suggest_on_line, lines);
		(void)fclose(lines);
	}
	if (todo && size > 0)
		(void)fprintf(out, "# What has to be done besides:\n%s\n", todo);
	free(todo);
	for (size_t i = 0; i < SUGGEST_FIRST; i++)
		suggest_setting(facts, options, settings_find(&server_settings, suggest_first[i]),
				out);
	for (size_t i = 0; i < server_settings.count; i++) {
		if (!suggest_is_first(server_settings.list[i].key))
			suggest_setting(facts, options, i, out);
	}
}

int server_suggest(struct server_options *options)
{
	struct facts facts;

	if (!facts_gather(&facts, options))
		return 1;
	suggest_add(&facts, options);
	facts_free(&facts);
	/* And what there is in the prefixes that are suggested. */
	if (!facts_gather(&facts, options))
		return 1;
	facts_gather_start(&facts, options);
	/* The file is about to be written. */
	facts.file = true;
	suggest(&facts, options, stdout);
	facts_free(&facts);
	return fflush(stdout) == 0 ? 0 : 1;
}
