/* SPDX-License-Identifier: BSD-2-Clause */
#include "server/root/judge.h"

#include "server/root/interface.h"
#include "server/root/judge_parts.h"
#include "server/root/neighbours.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void judge_find(const struct judge *judge, bool fatal, const char *format, ...)
{
	char line[768];
	va_list args;

	va_start(args, format);
	(void)vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	judge->say(fatal, line, judge->arg);
}

static const char *judge_name(const struct judge *judge, unsigned int index)
{
	const struct survey_link *link = survey_link(judge->survey, index);

	return link ? link->name : "lo";
}

/* --- the kernel and the default route ----------------------------------------------------- */

const struct survey_route *judge_way_out(const struct survey *survey)
{
	const struct survey_route *best = NULL;

	for (size_t i = 0; i < survey->n_routes; i++) {
		const struct survey_route *route = &survey->routes[i];

		if (survey_is_default(route) && (!best || route->metric < best->metric))
			best = route;
	}
	return best;
}

static void judge_forwarding(const struct judge *judge)
{
	const struct survey_route *route = judge_way_out(judge->survey);
	const struct survey_link *link = route ? survey_link(judge->survey, route->index) : NULL;
	char first[80] = "";

	if (judge->facts->forwarding != 0)
		return;
	/* Otherwise that command would cut this machine off. */
	if (route && route->advertised && link && link->accept_ra == 1)
		(void)snprintf(first, sizeof(first), "net.ipv6.conf.%s.accept_ra=2 ", link->name);
	judge_find(judge, false,
		   "IPv6 forwarding is off: clients reach this machine and nothing behind it; turn "
		   "it on with: sysctl -w %snet.ipv6.conf.all.forwarding=1",
		   first);
}

/* An interface with an address from a router whose advertisements are now ignored. */
static const struct survey_link *judge_deaf(const struct judge *judge)
{
	for (size_t i = 0; i < judge->survey->n_addresses; i++) {
		const struct survey_address *address = &judge->survey->addresses[i];
		const struct survey_link *link = survey_link(judge->survey, address->index);

		if (address->advertised && link && link->accept_ra == 1 && link->forwarding == 1)
			return link;
	}
	return NULL;
}

static void judge_default_route(const struct judge *judge)
{
	const struct server_options *options = judge->options;
	const struct survey_route *route = judge_way_out(judge->survey);
	const struct survey_link *link = route ? survey_link(judge->survey, route->index) : NULL;
	bool needed = (options->has_host && prefix6_is_global(&options->host_prefix)) ||
		      (options->has_pool && prefix6_is_global(&options->pool));

	if (route && route->advertised && link && link->accept_ra == 1 && link->forwarding == 1)
		judge_find(
			judge, false,
			"the IPv6 default route comes from router advertisements on %s, which "
			"are not listened to while IPv6 forwarding is on, so it will vanish; keep "
			"it with: sysctl -w net.ipv6.conf.%s.accept_ra=2",
			link->name, link->name);
	/* A router with a full routing table needs no default route. */
	if (route || !needed || judge->survey->leads_out)
		return;
	link = judge_deaf(judge);
	if (link)
		judge_find(judge, false,
			   "there is no IPv6 default route, and router advertisements on %s are "
			   "not listened to while IPv6 forwarding is on; listen with: sysctl -w "
			   "net.ipv6.conf.%s.accept_ra=2",
			   link->name, link->name);
	else
		judge_find(
			judge, false,
			"there is no IPv6 default route, so clients reach no other network; add "
			"the provider's router, as with: ip -6 route add default via fe80::1 dev "
			"IF");
}

static void judge_kernel(const struct judge *judge)
{
	/* Interfaces of tunnelonly sessions are made later. */
	const bool needed = judge->options->has_host || judge->options->has_pool;

	if (judge->facts->no_ipv6)
		judge_find(judge, needed,
			   "this kernel runs without IPv6; take ipv6.disable=1 from its command "
			   "line");
	else if (judge->facts->no_ipv6_new)
		judge_find(judge, needed && !judge->facts->running,
			   "new interfaces get no IPv6, and so the tunnel's does not; allow it "
			   "with: sysctl -w net.ipv6.conf.default.disable_ipv6=0");
}

/* --- prefixes ----------------------------------------------------------------------------- */

/* Whether it is an interface of the server running with this database. */
static bool judge_is_own(const struct judge *judge, const struct survey_route *route)
{
	const char *name = judge_name(judge, route->index);
	size_t stem = strlen(judge->options->interface);

	while (stem > 0 && isdigit((unsigned char)judge->options->interface[stem - 1]))
		stem--;
	return judge->facts->running && route->ours &&
	       strncmp(name, judge->options->interface, stem) == 0 &&
	       name[stem + strspn(name + stem, "0123456789")] == '\0';
}

/* A foreign route, in the table of our routes or the one before it. */
static bool judge_is_foreign(const struct judge *judge, const struct survey_route *route)
{
	/* Leftovers of an earlier run are removed at the start. */
	return (route->main || route->here) && !judge_is_own(judge, route) &&
	       !(route->ours && route->rejects);
}

/*
 * Whether there are certainly others on that link: a router with an address in the network, or one
 * that announces it. Otherwise the whole network may be routed to this machine.
 */
static bool judge_is_shared(const struct survey *survey, const struct survey_route *on_link)
{
	for (size_t i = 0; i < survey->n_routes; i++) {
		const struct survey_route *route = &survey->routes[i];

		if (route->has_gateway && prefix6_has(&on_link->prefix, &route->gateway))
			return true;
	}
	return on_link->advertised;
}

/* The route takes precedence over ours, or both are equivalent. */
static bool judge_comes_before(const struct survey_route *route, const struct prefix6 *pool)
{
	return route->here || route->prefix.len > pool->len ||
	       (route->prefix.len == pool->len && route->metric <= INTERFACE_METRIC_BEST);
}

/* A route to an address of this machine or of a router, which is never assigned. */
static bool judge_is_in_use(const struct survey *survey, const struct prefix6 *part)
{
	for (size_t i = 0; part->len == 128 && i < survey->n_addresses; i++) {
		if (IN6_ARE_ADDR_EQUAL(&survey->addresses[i].addr, &part->addr))
			return true;
	}
	for (size_t i = 0; part->len == 128 && i < survey->n_routes; i++) {
		if (survey->routes[i].has_gateway &&
		    IN6_ARE_ADDR_EQUAL(&survey->routes[i].gateway, &part->addr))
			return true;
	}
	return false;
}

/*
 * The server's own part of a prefix is never assigned. In a pool, that is often the link's network,
 * as the first /64 of a routed prefix.
 */
static bool judge_is_harmless(const struct judge *judge, const struct prefix6 *part,
			      const struct prefix6 *pool)
{
	const bool host = pool == &judge->options->host_prefix;
	const uint32_t length = host ? 127 : judge->options->network_length;
	const struct prefix6 first = {.addr = pool->addr, .len = (uint8_t)length};

	return length > pool->len && prefix6_contains(&first, part);
}

/* A route that sends packets for users elsewhere, or rejects them. */
static void judge_in_the_way(const struct judge *judge, const struct survey_route *route,
			     const char *key, const struct prefix6 *pool)
{
	const struct survey_link *link = survey_link(judge->survey, route->index);
	char text[PREFIX6_STRLEN];
	char whole[PREFIX6_STRLEN];

	(void)prefix6_format(&route->prefix, text);
	(void)prefix6_format(pool, whole);
	if (link && route->ours && strcmp(link->alias, INTERFACE_ALIAS) == 0)
		judge_find(
			judge, false,
			"%s %s overlaps %s, which another dtcps has on %s; give each a prefix of "
			"its own",
			key, whole, text, link->name);
	else if (route->here)
		judge_find(judge, false,
			   "users with a part of %s in %s %s cannot be reached, since this machine "
			   "takes all of it for addresses of its own; choose another prefix, or "
			   "remove that with: ip -6 route del local %s dev lo table local",
			   text, key, whole, text);
	else if (route->rejects)
		judge_find(
			judge, false,
			"users with a part of %s in %s %s cannot be reached, since a route "
			"rejects it; choose another prefix, or remove that with: ip -6 route del "
			"unreachable %s",
			text, key, whole, text);
	else
		judge_find(
			judge, false,
			"users with a part of %s in %s %s cannot be reached, since it is routed "
			"to %s; choose a prefix beside it, or remove it with: ip -6 route del %s "
			"dev %s",
			text, key, whole, link ? link->name : "lo", text, link ? link->name : "lo");
}

/*
 * A prefix that is on-link, or part of an on-link network: solicitations for its addresses have to
 * be answered, unless all of it is routed here.
 */
static void judge_neighbours(const struct judge *judge, const struct survey_route *on_link,
			     const char *key, const struct prefix6 *pool)
{
	const char *name = judge_name(judge, on_link->index);
	const char *proxy = judge->options->ndp_proxy;
	const struct survey_link *link = survey_link(judge->survey, on_link->index);
	const struct survey_link *answering;
	const struct survey_route *network;
	char text[PREFIX6_STRLEN];

	answering = neighbours_link(judge->survey, judge->options, &network);
	if (link == answering && link->has_mac)
		return;
	(void)prefix6_format(pool, text);
	if (link == answering)
		judge_find(judge, false,
			   "%s %s is in the network of %s, on which neighbours cannot be told of "
			   "it, since it is no Ethernet; ask the provider for a routed prefix",
			   key, text, name);
	else if (answering)
		judge_find(judge, false,
			   "%s %s is in the network of %s, and neighbours are told of it on one "
			   "interface only, which is %s; choose prefixes of one network, or say "
			   "with ndp.proxy which interface it is",
			   key, text, name, answering->name);
	else if (judge_is_shared(judge->survey, on_link))
		judge_find(judge, false,
			   "%s %s is in the network of %s, where routers look for each address as "
			   "a neighbour, and ndp.proxy = %s leaves them without an answer; set "
			   "ndp.proxy = auto, or ask the provider for a routed prefix",
			   key, text, name, proxy);
}

/* The interface named in ndp.proxy. */
static void judge_proxy(const struct judge *judge)
{
	const char *proxy = judge->options->ndp_proxy;
	const struct survey_route *network;
	const struct survey_link *link;

	if (strcmp(proxy, SERVER_NDP_AUTO) == 0 || strcmp(proxy, SERVER_NDP_OFF) == 0)
		return;
	link = neighbours_link(judge->survey, judge->options, &network);
	if (!link)
		judge_find(judge, false,
			   "ndp.proxy = %s: there is no such interface; name the one to the "
			   "provider's router, or leave it out",
			   proxy);
	else if (!link->neighbours || !link->has_mac)
		judge_find(judge, false,
			   "ndp.proxy = %s: nobody looks for neighbours there, since it is no "
			   "Ethernet; name the interface to the provider's router, or leave it out",
			   proxy);
}

static void judge_prefix(const struct judge *judge, const char *key, const struct prefix6 *pool)
{
	const struct survey_route *on_link = survey_network(judge->survey, pool);

	if (on_link)
		judge_neighbours(judge, on_link, key, pool);
	for (size_t i = 0; i < judge->survey->n_routes; i++) {
		const struct survey_route *route = &judge->survey->routes[i];
		bool inside = prefix6_contains(pool, &route->prefix);
		bool overlaps = prefix6_overlaps(pool, &route->prefix) && route->prefix.len > 3;
		/* No user gets what is the network of an interface. */
		bool left_out =
			route->prefix.len > pool->len && survey_is_network(judge->survey, route);
		const struct survey_link *link = survey_link(judge->survey, route->index);
		bool other = link && route->ours && overlaps &&
			     strcmp(link->alias, INTERFACE_ALIAS) == 0;

		if (!judge_is_foreign(judge, route) ||
		    !(inside || other || (route->here && overlaps)))
			continue;
		if (!other && (left_out || !judge_comes_before(route, pool) ||
			       judge_is_harmless(judge, &route->prefix, pool) ||
			       judge_is_in_use(judge->survey, &route->prefix) ||
			       (on_link && prefix6_equal(&route->prefix, pool))))
			continue;
		judge_in_the_way(judge, route, key, pool);
	}
}

/* --- requirements of a start -------------------------------------------------------------- */

static void judge_port(const struct judge *judge, const char *kind, uint16_t port, int error,
		       const char *key)
{
	char addr[INET_ADDRSTRLEN];

	(void)inet_ntop(AF_INET, &judge->options->listen, addr, sizeof(addr));
	/* The running server has them. */
	if (error == 0 || (error == EADDRINUSE && judge->facts->running))
		return;
	if (error == EADDRINUSE)
		judge_find(judge, true,
			   "%s port %u is taken by another program, which ss -lnp shows; stop it, "
			   "or choose another one with %s",
			   kind, port, key);
	else if (error == EADDRNOTAVAIL)
		judge_find(judge, true,
			   "listen = %s: this machine has no such address; name one of its own, or "
			   "leave it out",
			   addr);
	else
		judge_find(judge, true, "%s port %u cannot be had: %s", kind, port,
			   strerror(error));
}

static void judge_start(const struct judge *judge)
{
	const struct facts *facts = judge->facts;

	if (facts->owner)
		judge_find(judge, true, "%s", facts->owner);
	judge_port(judge, "TCP", judge->options->port, facts->tcp_error, "port");
	if (facts->tcp_error != EADDRNOTAVAIL)
		judge_port(judge, "UDP", judge->options->udp_port, facts->udp_error, "udp.port");
	if (facts->interface_taken && !facts->running)
		judge_find(judge, true,
			   "there is an interface %s already; choose another name with interface",
			   judge->options->interface);
}

static void judge_settings(const struct judge *judge)
{
	const struct server_options *options = judge->options;

	if (!judge->facts->file && !options->has_host && !options->has_pool)
		judge_find(
			judge, false,
			"there is no %s, and no prefix is set, so only tunnelonly and users with a "
			"prefix of their own are served; dtcps --suggest writes such a file",
			options->source.file);
}

void judge(const struct facts *facts, const struct server_options *options, judge_say say,
	   void *arg)
{
	const struct judge all = {
		.facts = facts,
		.survey = &facts->survey,
		.options = options,
		.say = say,
		.arg = arg,
	};

	judge_start(&all);
	judge_settings(&all);
	judge_kernel(&all);
	judge_forwarding(&all);
	judge_default_route(&all);
	if (options->has_host)
		judge_prefix(&all, "host.prefix", &options->host_prefix);
	if (options->has_pool)
		judge_prefix(&all, "network.pool", &options->pool);
	judge_proxy(&all);
	judge_packet_filter(&all);
}
