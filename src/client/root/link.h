/* SPDX-License-Identifier: BSD-2-Clause */
/* The client's interface with its addresses and routes. Root's side; called by monitor only. */
#ifndef DTCP_CLIENT_ROOT_LINK_H
#define DTCP_CLIENT_ROOT_LINK_H

#include "client/msg.h"
#include "client/options.h"
#include "client/root/source_routes.h"
#include "netconf/kept.h"
#include "netconf/netlink.h"

struct fastpath;

struct link {
	struct netlink *netlink;
	const struct client_options *options;
	const char *user;      /* who logs in */
	struct fastpath *fast; /* NULL: none */
	struct kept kept;
	struct in6_addr link_local;
	size_t n_rejects;
	struct prefix6 rejects[DTCP_PREFIXES_MAX];
	struct source_routes sources;
};

/*
 * Makes the interface, with addresses and routes as the tunnel and the options say. Returns the
 * descriptor of the TUN device, which the caller hands over, or -errno: then all is removed again.
 */
int link_up(struct link *link, const struct client_tunnel *tunnel);

/*
 * Another session has the same addresses and prefixes as the one that the link was made for; only
 * the link-local address can be another, over protocol 41. Returns 0 or -errno.
 */
int link_update(struct link *link, const struct client_tunnel *tunnel);

/*
 * Puts addresses and routes back that others have removed from an interface that is there, and logs
 * it. Returns how many there were, or -errno where not all could be put back.
 */
int link_restore(struct link *link, const struct client_tunnel *tunnel);

/* Removes what link_up() made. */
void link_down(struct link *link);

/*
 * Removes the rules that a killed instance has left behind, and its reject routes unless another
 * instance lives, whose they might be.
 */
void link_sweep(struct netlink *netlink);

#endif
