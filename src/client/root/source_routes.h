/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Whatever has a source that the server has given us leaves through the tunnel, also beside native
 * IPv6 and beside other tunnels (--table; netconf/rules.h). Root's side.
 */
#ifndef DTCP_CLIENT_ROOT_SOURCE_ROUTES_H
#define DTCP_CLIENT_ROOT_SOURCE_ROUTES_H

#include "client/msg.h"
#include "client/options.h"
#include "netconf/drift.h"
#include "netconf/netlink.h"

#define SOURCE_ROUTES_MAX (DTCP_PREFIXES_MAX + CLIENT_OWN_MAX)

struct source_routes {
	uint32_t table; /* 0: there is none */
	size_t n;
	struct prefix6 from[SOURCE_ROUTES_MAX];
};

/*
 * The sources that belong to a tunnel: its prefixes, and those of its addresses that are in none of
 * them; none where nothing is routed into it, or the main table is to do. Returns how many. Pure.
 */
size_t source_routes_list(const struct client_tunnel *tunnel, const struct client_options *options,
			  struct prefix6 out[static SOURCE_ROUTES_MAX]);

/* Returns 0 or -errno after logging; source_routes_remove() is needed in any case. */
int source_routes_add(struct source_routes *routes, struct netlink *netlink, unsigned int index,
		      const struct client_tunnel *tunnel, const struct client_options *options);

/* Puts back what others have removed. */
void source_routes_restore(const struct source_routes *routes, struct netlink *netlink,
			   unsigned int index, struct drift_repair *repair);

/* The route goes with the interface. */
void source_routes_remove(struct source_routes *routes, struct netlink *netlink);

#endif
