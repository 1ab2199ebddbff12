/* SPDX-License-Identifier: BSD-2-Clause */
#include "server/root/interface.h"

#include "base/clock.h"
#include "base/log.h"
#include "server/exclude.h"
#include "server/root/neighbours.h"

#include <arpa/inet.h>
#include <errno.h>
#include <ifaddrs.h>
#include <stdlib.h>
#include <string.h>

/* At boot, time to wait for the machine's own network: enough for slow DHCP and spanning trees. */
#define INTERFACE_WAIT_MS 60000

/* A global address of this machine; zero if there is none. */
static struct in6_addr interface_any_address(void)
{
	struct in6_addr found = IN6ADDR_ANY_INIT;
	struct ifaddrs *list = NULL;

	if (getifaddrs(&list) == -1)
		return found;
	for (const struct ifaddrs *entry = list; entry; entry = entry->ifa_next) {
		struct sockaddr_in6 addr;

		if (!entry->ifa_addr || entry->ifa_addr->sa_family != AF_INET6)
			continue;
		memcpy(&addr, entry->ifa_addr, sizeof(addr));
		if (prefix6_is_unicast(
			    &(const struct prefix6){.addr = addr.sin6_addr, .len = 128})) {
			found = addr.sin6_addr;
			break;
		}
	}
	freeifaddrs(list);
	return found;
}

bool interface_is_network(const struct survey *survey, const struct survey_route *route,
			  unsigned int index)
{
	return route->index != index && survey_is_network(survey, route);
}

/*
 * At boot, the network may not be up yet. The kernel would accept no default route via a router
 * whose address the machine has taken by then.
 */
static bool interface_is_early(const struct survey *survey, unsigned int index,
			       const struct prefix6 *prefix)
{
	if (!prefix6_is_global(prefix))
		return false;
	for (size_t i = 0; i < survey->n_addresses; i++) {
		const struct survey_address *address = &survey->addresses[i];
		const struct survey_link *link = survey_link(survey, address->index);
		const struct prefix6 single = {.addr = address->addr, .len = 128};

		if (link && link->index != index && link->neighbours && prefix6_is_global(&single))
			return false;
	}
	for (size_t i = 0; i < survey->n_routes; i++) {
		if (survey_is_default(&survey->routes[i]))
			return false;
	}
	return true;
}

struct interface_plan interface_plan(const struct survey *survey, unsigned int index,
				     const struct prefix6 *prefix)
{
	struct interface_plan plan = {.own = true, .metric = INTERFACE_METRIC_BEST};
	const struct in6_addr own = prefix6_first(prefix);

	for (size_t i = 0; i < survey->n_addresses; i++) {
		const struct survey_address *address = &survey->addresses[i];

		plan.own &= address->index == index || !IN6_ARE_ADDR_EQUAL(&address->addr, &own);
	}
	for (size_t i = 0; i < survey->n_routes; i++) {
		const struct survey_route *route = &survey->routes[i];
		bool network = interface_is_network(survey, route, index);

		if (route->has_gateway && IN6_ARE_ADDR_EQUAL(&route->gateway, &own))
			plan.own = false;
		if (network && prefix6_has(&route->prefix, &own))
			plan.own = false;
		if (network && prefix6_equal(&route->prefix, prefix))
			plan.metric = INTERFACE_METRIC;
	}
	plan.waits = plan.own && interface_is_early(survey, index, prefix);
	plan.own &= !plan.waits;
	return plan;
}

/* In the order of the plans. */
static void interface_prefixes(const struct server_options *options,
			       const struct prefix6 *prefixes[static INTERFACE_PREFIXES])
{
	prefixes[0] = options->has_host ? &options->host_prefix : NULL;
	prefixes[1] = options->has_pool ? &options->pool : NULL;
}

/* Whether it is a proper part of a prefix of the settings. */
static bool interface_is_part(const struct server_options *options, const struct prefix6 *part)
{
	const struct prefix6 *prefixes[INTERFACE_PREFIXES];

	interface_prefixes(options, prefixes);
	for (size_t i = 0; i < INTERFACE_PREFIXES; i++) {
		if (prefixes[i] && part->len > prefixes[i]->len &&
		    prefix6_contains(prefixes[i], part))
			return true;
	}
	return false;
}

bool interface_is_ours(const struct survey *survey, unsigned int index)
{
	const struct survey_link *link = survey_link(survey, index);

	return link && strcmp(link->alias, INTERFACE_ALIAS) == 0;
}

/* Many routes can have the same gateway. */
static bool interface_is_listed(const struct prefix6 list[], size_t n, const struct prefix6 *part)
{
	for (size_t i = n; i-- > 0;) {
		if (prefix6_equal(&list[i], part))
			return true;
	}
	return false;
}

/* all: anywhere, and without networks. */
static ssize_t interface_list(const struct survey *survey, unsigned int index,
			      const struct server_options *options, bool all, struct prefix6 **out)
{
	const char *exclude = options->host_exclude ? options->host_exclude : "";
	size_t max = survey->n_addresses + 2 * survey->n_routes + EXCLUDE_MAX;
	struct prefix6 *list = reallocarray(NULL, max, sizeof(*list));
	struct prefix6 part;
	char word[PREFIX6_STRLEN];
	size_t n = 0;

	if (!list)
		return -ENOMEM;
	for (size_t i = 0; i < survey->n_addresses; i++) {
		const struct survey_address *address = &survey->addresses[i];

		part = (struct prefix6){.addr = address->addr, .len = 128};
		if (!interface_is_ours(survey, address->index) &&
		    (all || interface_is_part(options, &part)))
			list[n++] = part;
	}
	for (size_t i = 0; i < survey->n_routes; i++) {
		const struct survey_route *route = &survey->routes[i];

		part = (struct prefix6){.addr = route->gateway, .len = 128};
		if (route->has_gateway && (all || interface_is_part(options, &part)) &&
		    !interface_is_listed(list, n, &part))
			list[n++] = part;
		if (!all && interface_is_network(survey, route, index) &&
		    interface_is_part(options, &route->prefix))
			list[n++] = route->prefix;
	}
	while (exclude_next(&exclude, &part, word) == PREFIX_OK && part.len > 0)
		list[n++] = part;
	*out = list;
	return (ssize_t)n;
}

ssize_t interface_in_use(const struct survey *survey, const struct server_options *options,
			 struct prefix6 **out)
{
	return interface_list(survey, 0, options, true, out);
}

ssize_t interface_reserved(const struct survey *survey, unsigned int index,
			   const struct server_options *options, struct prefix6 **out)
{
	return interface_list(survey, index, options, false, out);
}

/* Removes what the device should not have any more. */
static void interface_give_way(struct netlink *netlink, unsigned int index,
			       const struct prefix6 *prefix, const struct interface_plan *old,
			       const struct interface_plan *plan)
{
	const struct in6_addr own = prefix6_first(prefix);
	char text[INET6_ADDRSTRLEN];

	if (!plan->own && !plan->waits && (old->own || old->waits || old->metric == 0))
		log_info("%s is left to whom it belongs; the server has no address of its own in "
			 "this prefix",
			 inet_ntop(AF_INET6, &own, text, sizeof(text)));
	if (!plan->own && old->own)
		(void)netlink_address_delete(netlink, index, &own, 128);
	if (old->metric != 0 && old->metric != plan->metric)
		(void)netlink_route_delete(netlink, index, prefix);
}

/*
 * Addresses and networks of others are expected back after they go: when an interface is set up
 * again, its router's address must not be taken, nor a route lead elsewhere.
 */
static void interface_expect_back(const struct interface_plan *old, struct interface_plan *plan)
{
	if (old->metric == 0)
		return;
	if (!old->own && !old->waits)
		plan->own = plan->waits = false;
	if (old->metric == INTERFACE_METRIC)
		plan->metric = INTERFACE_METRIC;
}

/* Repairs one prefix. What is made for the first time was not removed by others. */
static void interface_mend_prefix(struct netlink *netlink, unsigned int index,
				  const struct prefix6 *prefix, const struct interface_plan *plan,
				  struct interface_plan *old, struct drift_repair *repair)
{
	const struct in6_addr own = prefix6_first(prefix);
	char text[PREFIX6_STRLEN];
	int result;

	interface_give_way(netlink, index, prefix, old, plan);
	if (plan->own) {
		result = netlink_address_ensure(netlink, index, &own, 128, NULL);
		if (result > 0)
			(void)netlink_address_await(netlink, &own);
		drift_repair_note(repair, result > 0 && !old->own ? 0 : result, "address",
				  inet_ntop(AF_INET6, &own, text, sizeof(text)));
	}
	result = netlink_route_ensure(netlink, index, prefix, plan->metric);
	drift_repair_note(repair, result > 0 && old->metric != plan->metric ? 0 : result, "route",
			  prefix6_format(prefix, text));
	*old = *plan;
}

bool interface_leads(const struct server_options *options, const struct interface_state *state,
		     const struct prefix6 *prefix)
{
	const struct prefix6 *prefixes[INTERFACE_PREFIXES];

	interface_prefixes(options, prefixes);
	for (size_t i = 0; i < INTERFACE_PREFIXES; i++) {
		if (prefixes[i] && prefix6_contains(prefixes[i], prefix))
			return state->plans[i].metric == INTERFACE_METRIC_BEST;
	}
	return false;
}

static int interface_compare(const void *one, const void *other)
{
	const struct prefix6 *a = one;
	const struct prefix6 *b = other;
	int order = memcmp(&a->addr, &b->addr, sizeof(a->addr));

	return order != 0 ? order : a->len - b->len;
}

bool interface_is_led(const struct interface_state *state, const struct prefix6 *prefix)
{
	return state->n_led > 0 &&
	       bsearch(prefix, state->led, state->n_led, sizeof(*prefix), interface_compare);
}

/* Querying the kernel for each of them would take long if there are many. */
static int interface_note_led(struct interface_state *state, const struct survey *survey,
			      unsigned int index)
{
	struct prefix6 *led = calloc(survey->n_routes + 1, sizeof(*led));
	size_t n = 0;

	if (!led)
		return -ENOMEM;
	for (size_t i = 0; i < survey->n_routes; i++) {
		const struct survey_route *route = &survey->routes[i];

		if (route->index == index && route->main && !route->has_gateway &&
		    !route->rejects && route->metric == INTERFACE_METRIC)
			led[n++] = route->prefix;
	}
	qsort(led, n, sizeof(*led), interface_compare);
	free(state->led);
	state->led = led;
	state->n_led = n;
	return 0;
}

void interface_state_free(struct interface_state *state)
{
	foreign_free(&state->foreign);
	free(state->reserved);
	free(state->led);
	*state = (struct interface_state){.patience = 0};
}

bool interface_waits(const struct interface_state *state)
{
	for (size_t i = 0; i < INTERFACE_PREFIXES; i++) {
		if (state->plans[i].waits)
			return true;
	}
	return false;
}

/* Including other routes where prefixes of users can be. */
static int interface_survey(const struct server_options *options, struct netlink *netlink,
			    struct survey *survey)
{
	static const struct prefix6 global = {.addr.s6_addr = {0x20}, .len = 3};
	static const struct prefix6 local = {.addr.s6_addr = {0xfc}, .len = 7};
	const struct prefix6 *prefixes[INTERFACE_PREFIXES + 2] = {NULL};

	interface_prefixes(options, prefixes);
	if (!options->network_fixed) {
		prefixes[INTERFACE_PREFIXES] = &global;
		prefixes[INTERFACE_PREFIXES + 1] = &local;
	}
	return survey_take(survey, netlink, prefixes, INTERFACE_PREFIXES + 2);
}

void interface_look_around(const struct server_options *options, struct netlink *netlink,
			   struct interface_state *state)
{
	struct survey survey;

	if (interface_survey(options, netlink, &survey) != 0)
		return;
	if (foreign_take(&state->foreign, &survey, options->ndp_proxy) != 0)
		log_warnx("out of memory");
	survey_free(&survey);
}

void interface_repair(const struct server_options *options, struct netlink *netlink,
		      unsigned int index, struct interface_state *state,
		      struct neighbours *neighbours, struct drift_repair *repair)
{
	const struct prefix6 *prefixes[INTERFACE_PREFIXES];
	struct prefix6 *reserved;
	struct survey survey;
	ssize_t n;
	int error;

	interface_prefixes(options, prefixes);
	state->n_led = 0;
	error = interface_survey(options, netlink, &survey);
	if (error != 0) {
		drift_repair_note(repair, error, "", "");
		return;
	}
	if (state->patience == 0)
		state->patience = clock_ms() + INTERFACE_WAIT_MS;
	for (size_t i = 0; i < INTERFACE_PREFIXES; i++) {
		struct interface_plan plan;

		if (!prefixes[i])
			continue;
		plan = interface_plan(&survey, index, prefixes[i]);
		interface_expect_back(&state->plans[i], &plan);
		/* The server already had it, and no conflict has come up; no network is needed.
		 */
		if (plan.waits && (state->plans[i].own || clock_ms() >= state->patience))
			plan = (struct interface_plan){.own = true, .metric = plan.metric};
		interface_mend_prefix(netlink, index, prefixes[i], &plan, &state->plans[i], repair);
	}
	drift_repair_note(repair, foreign_take(&state->foreign, &survey, options->ndp_proxy), "",
			  "");
	drift_repair_note(repair, interface_note_led(state, &survey, index), "", "");
	n = interface_reserved(&survey, index, options, &reserved);
	if (n >= 0) {
		free(state->reserved);
		state->reserved = reserved;
		state->n_reserved = (size_t)n;
	} else {
		drift_repair_note(repair, (int)n, "", "");
	}
	neighbours_look(neighbours, &survey);
	survey_free(&survey);
}

struct in6_addr interface_icmp_source(const struct server_options *options,
				      const struct interface_state *state)
{
	const struct prefix6 *prefixes[INTERFACE_PREFIXES];

	interface_prefixes(options, prefixes);
	/* The pool's takes precedence over the host prefix's. */
	for (size_t i = INTERFACE_PREFIXES; i-- > 0;) {
		if (prefixes[i] && state->plans[i].own)
			return prefix6_first(prefixes[i]);
	}
	return interface_any_address();
}
