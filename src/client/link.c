/* SPDX-License-Identifier: BSD-2-Clause */
#include "client/link.h"

#include "base/log.h"
#include "client/tunnel.h"
#include "monitor/tun.h"

#include <string.h>
#include <unistd.h>

static int link_configure(struct link *link, const struct client_tunnel *tunnel)
{
	const struct client_options *options = link->options;
	const struct dtcp_reply *reply = &tunnel->reply;
	struct in6_addr own;
	int error = netlink_link_setup(link->netlink, link->index, LINK_ALIAS, options->mtu);

	link->link_local = tunnel_link_local(tunnel);
	if (!error)
		error = netlink_link_local_add(link->netlink, link->index, &link->link_local);
	if (!error && tunnel_own_address(tunnel, options, &own))
		error = netlink_address_add(link->netlink, link->index, &own,
					    reply->has_her6 ? &reply->her6 : NULL);
	/* The whole prefix is rejected first: what the LANs do not use must not go back out. */
	for (size_t i = 0; i < reply->n_prefixes && !error; i++) {
		error = netlink_reject_add(link->netlink, &reply->prefixes[i]);
		if (!error)
			link->rejects[link->n_rejects++] = reply->prefixes[i];
	}
	for (size_t i = 0; i < options->n_routes && !error; i++)
		error = netlink_route_add(link->netlink, link->index, &options->routes[i],
					  options->metric);
	return error;
}

int link_up(struct link *link, const struct client_tunnel *tunnel)
{
	int fd = tun_open(link->options->interface, &link->index);
	int error;

	if (fd < 0)
		return fd;
	error = link_configure(link, tunnel);
	if (error) {
		close(fd);
		link_down(link);
		return error;
	}
	return fd;
}

int link_update(struct link *link, const struct client_tunnel *tunnel)
{
	const struct in6_addr old = link->link_local;
	int error;

	link->link_local = tunnel_link_local(tunnel);
	if (IN6_ARE_ADDR_EQUAL(&old, &link->link_local))
		return 0;
	error = netlink_link_local_add(link->netlink, link->index, &link->link_local);
	if (!error)
		error = netlink_link_local_delete(link->netlink, link->index, &old);
	return error;
}

void link_down(struct link *link)
{
	while (link->n_rejects > 0)
		(void)netlink_reject_delete(link->netlink, &link->rejects[--link->n_rejects]);
	if (link->index)
		(void)netlink_link_delete(link->netlink, link->index);
	link->index = 0;
}

static void link_on_live(unsigned int index, const char *name, void *arg)
{
	(void)index;
	(void)arg;
	log_debug("another instance has %s", name);
}

void link_sweep(struct netlink *netlink)
{
	if (netlink_links_by_alias(netlink, LINK_ALIAS, link_on_live, NULL) != 0)
		return;

	int removed = netlink_reject_sweep(netlink, NULL);

	if (removed > 0)
		log_info("removed %d reject route%s left behind by an earlier run", removed,
			 removed == 1 ? "" : "s");
}
