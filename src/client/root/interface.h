/* SPDX-License-Identifier: BSD-2-Clause */
/* The client's interface with its addresses and routes. Root process only. */
#ifndef DTCP_CLIENT_ROOT_INTERFACE_H
#define DTCP_CLIENT_ROOT_INTERFACE_H

#include "client/msg.h"
#include "client/options.h"
#include "client/root/source_routes.h"
#include "netconf/drift.h"
#include "netconf/netlink.h"

struct fastpath;

struct interface {
	struct netlink *netlink;
	const struct client_options *options;
	const char *user;      /* login name */
	struct fastpath *fast; /* NULL: none */
	struct drift_interface known;
	struct in6_addr link_local;
	size_t n_rejects;
	struct prefix6 rejects[DTCP_PREFIXES_MAX];
	struct source_routes sources;
};

/*
 * Makes the interface, with the addresses and routes of the tunnel and the options. Returns the
 * descriptor of the TUN device, which the caller hands over, or -errno: then everything is removed
 * again.
 */
int interface_up(struct interface *interface, const struct client_tunnel *tunnel);

/*
 * Another session has the same addresses and prefixes as the one for which the interface was made;
 * only the link-local address can differ, over protocol 41. Returns 0 or -errno.
 */
int interface_update(struct interface *interface, const struct client_tunnel *tunnel);

/*
 * Restores addresses and routes that were removed from the interface from outside, and logs this.
 * Returns their number, or -errno if not all could be restored.
 */
int interface_restore(struct interface *interface, const struct client_tunnel *tunnel);

/* Removes what interface_up() made. */
void interface_down(struct interface *interface);

/*
 * Removes the rules that a killed instance has left behind, and its reject routes unless another
 * instance is running, which may own them.
 */
void interface_sweep(struct netlink *netlink);

#endif
