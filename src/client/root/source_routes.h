/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Routes all packets with a source address that the server has assigned through the tunnel, beside
 * native IPv6 and other tunnels (--table; netconf/rules.h). Root process only.
 */
#ifndef DTCP_CLIENT_ROOT_SOURCE_ROUTES_H
#define DTCP_CLIENT_ROOT_SOURCE_ROUTES_H

#include "client/msg.h"
#include "client/options.h"
#include "netconf/drift.h"
#include "netconf/netlink.h"

#define SOURCE_ROUTES_MAX (DTCP_PREFIXES_MAX + CLIENT_OWN_MAX)

struct source_routes {
	uint32_t table; /* 0: none */
	size_t n;
	struct prefix6 from[SOURCE_ROUTES_MAX];
};

/*
 * The sources that belong to a tunnel: its prefixes, and those of its addresses that are in none of
 * them; none if nothing is routed into it, or the main table is used. Returns their number. Pure.
 */
size_t source_routes_list(const struct client_tunnel *tunnel, const struct client_options *options,
			  struct prefix6 out[static SOURCE_ROUTES_MAX]);

/* Returns 0 or -errno after logging; source_routes_remove() has to be called in any case. */
int source_routes_add(struct source_routes *routes, struct netlink *netlink, unsigned int index,
		      const struct client_tunnel *tunnel, const struct client_options *options);

/* Restores what was removed from outside. */
void source_routes_restore(const struct source_routes *routes, struct netlink *netlink,
			   unsigned int index, struct drift_repair *repair);

/* The route goes with the interface. */
void source_routes_remove(struct source_routes *routes, struct netlink *netlink);

#endif
