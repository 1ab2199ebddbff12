/* SPDX-License-Identifier: BSD-2-Clause */
#include "client/root/source_routes.h"

#include "base/log.h"
#include "client/tunnel.h"
#include "netconf/rules.h"

#include <errno.h>
#include <string.h>

static bool source_routes_have(const struct prefix6 list[], size_t n, const struct prefix6 *prefix)
{
	for (size_t i = 0; i < n; i++) {
		if (prefix6_contains(&list[i], prefix))
			return true;
	}
	return false;
}

size_t source_routes_list(const struct client_tunnel *tunnel, const struct client_options *options,
			  struct prefix6 out[static SOURCE_ROUTES_MAX])
{
	const struct dtcp_reply *reply = &tunnel->reply;
	struct client_address own[CLIENT_OWN_MAX];
	size_t n_own = tunnel_addresses(tunnel, options, own);
	size_t n = 0;

	if (options->table == RULES_TABLE_MAIN || options->n_routes == 0 || options->no_device)
		return 0;
	for (size_t i = 0; i < reply->n_prefixes; i++) {
		if (!source_routes_have(out, n, &reply->prefixes[i]))
			out[n++] = reply->prefixes[i];
	}
	for (size_t i = 0; i < n_own; i++) {
		const struct prefix6 address = {.addr = own[i].addr, .len = 128};

		if (!source_routes_have(out, n, &address))
			out[n++] = address;
	}
	return n;
}

int source_routes_add(struct source_routes *routes, struct netlink *netlink, unsigned int index,
		      const struct client_tunnel *tunnel, const struct client_options *options)
{
	struct prefix6 from[SOURCE_ROUTES_MAX];
	size_t n = source_routes_list(tunnel, options, from);
	int error;

	*routes = (struct source_routes){.table = 0};
	if (n == 0)
		return 0;
	/* Before the rules: rules with an empty table count as leftovers. */
	error = rules_claim(netlink, index, options->table, &routes->table);
	if (error == -EAFNOSUPPORT && options->table == 0) {
		log_warnx("this kernel cannot route by source: beside native IPv6, what comes from "
			  "the tunnel's addresses may leave elsewhere");
		return 0;
	}
	for (size_t i = 0; i < n && !error; i++) {
		routes->from[routes->n++] = from[i];
		error = rules_ensure(netlink, &from[i], routes->table);
		if (error > 0)
			error = 0;
	}
	return error;
}

void source_routes_restore(const struct source_routes *routes, struct netlink *netlink,
			   unsigned int index, struct drift_repair *repair)
{
	char text[PREFIX6_STRLEN];

	if (routes->n == 0)
		return;
	drift_repair_note(repair, rules_route_ensure(netlink, index, routes->table),
			  "default route", "of its own table");
	for (size_t i = 0; i < routes->n; i++)
		drift_repair_note(repair, rules_ensure(netlink, &routes->from[i], routes->table),
				  "rule from", prefix6_format(&routes->from[i], text));
}

void source_routes_remove(struct source_routes *routes, struct netlink *netlink)
{
	while (routes->n > 0)
		(void)rules_delete(netlink, &routes->from[--routes->n]);
	routes->table = 0;
}
