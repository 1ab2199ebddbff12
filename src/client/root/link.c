/* SPDX-License-Identifier: BSD-2-Clause */
#include "client/root/link.h"

#include "base/log.h"
#include "client/tunnel.h"
#include "fastpath/root.h"
#include "netconf/rules.h"
#include "netconf/tun.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

static void link_accept_ra(const struct client_options *options)
{
	int error = tun_accept_ra(options->interface, options->accept_ra);

	/* If they are not wanted, forward lets none through in any case. */
	if (error && options->accept_ra)
		log_warnx("interface %s: the kernel cannot be told to accept router "
			  "advertisements: %s",
			  options->interface, strerror(-error));
}

/* Addresses and routes, as the tunnel and the options say, are put where they are not there. */
static void link_ensure(struct link *link, const struct client_tunnel *tunnel,
			struct kept_mending *mending)
{
	const struct client_options *options = link->options;
	const struct dtcp_reply *reply = &tunnel->reply;
	const unsigned int index = link->kept.index;
	struct client_address own[CLIENT_OWN_MAX];
	size_t n_own = tunnel_addresses(tunnel, options, own);
	char text[PREFIX6_STRLEN];

	kept_mend(mending, netlink_link_local_ensure(link->netlink, index, &link->link_local),
		  "address", inet_ntop(AF_INET6, &link->link_local, text, sizeof(text)));
	for (size_t i = 0; i < n_own; i++)
		kept_mend(mending,
			  netlink_address_ensure(link->netlink, index, &own[i].addr, own[i].len,
						 reply->has_her6 ? &reply->her6 : NULL),
			  "address", inet_ntop(AF_INET6, &own[i].addr, text, sizeof(text)));
	for (size_t i = 0; i < link->n_rejects; i++)
		kept_mend(mending, netlink_reject_ensure(link->netlink, &link->rejects[i]),
			  "reject route", prefix6_format(&link->rejects[i], text));
	for (size_t i = 0; i < options->n_routes; i++) {
		const struct prefix6 *route = &options->routes[i];
		bool all = route->len == 0;

		kept_mend(mending,
			  netlink_route_ensure(link->netlink, index, route, options->metric),
			  all ? "default" : "route", all ? "route" : prefix6_format(route, text));
	}
}

static int link_configure(struct link *link, const struct client_tunnel *tunnel)
{
	const struct dtcp_reply *reply = &tunnel->reply;
	struct kept_mending made = {.kept = NULL};
	int error;

	/* Before it has an address: with the first one the kernel looks for routers. */
	link_accept_ra(link->options);
	error = netlink_link_setup(link->netlink, link->kept.index, NETLINK_CLIENT_ALIAS,
				   link->options->mtu);
	if (!error)
		fastpath_join_tun(link->fast, link->netlink, link->kept.index);
	/* The whole prefix is rejected first: what the LANs do not use must not go back out. */
	for (size_t i = 0; i < reply->n_prefixes && !error; i++) {
		error = netlink_reject_add(link->netlink, &reply->prefixes[i]);
		if (!error)
			link->rejects[link->n_rejects++] = reply->prefixes[i];
	}
	link->link_local = tunnel_link_local(tunnel, link->user);
	if (!error)
		link_ensure(link, tunnel, &made);
	if (!error)
		error = made.error;
	return error ? error
		     : source_routes_add(&link->sources, link->netlink, link->kept.index, tunnel,
					 link->options);
}

/* -ENODEV where somebody has removed what was being made. */
static int link_make(struct link *link, const struct client_tunnel *tunnel)
{
	int fd = tun_open(link->options->interface, &link->kept.index);
	char name[IFNAMSIZ];
	int error;
	bool up;

	if (fd < 0)
		return fd;
	link->kept.set_down = false;
	error = link_configure(link, tunnel);
	if (error) {
		if (tun_look(link->kept.index, name, &up) == -ENODEV) {
			log_warnx("interface %s was removed by somebody while it was made",
				  link->options->interface);
			error = -ENODEV;
		}
		close(fd);
		link_down(link);
		return error;
	}
	return fd;
}

/* How often the interface is made for one tunnel while somebody removes it each time. */
enum { LINK_ATTEMPTS = 3 };

int link_up(struct link *link, const struct client_tunnel *tunnel)
{
	const struct client_options *options = link->options;
	char text[INET6_ADDRSTRLEN];
	int fd;

	if (!tunnel_address_fits(tunnel, options)) {
		log_warnx("--address %s: not inside the prefix that the server gave; what is "
			  "sent from it would be dropped there",
			  inet_ntop(AF_INET6, &options->addresses[0].addr, text, sizeof(text)));
		return -EINVAL;
	}
	if (options->n_addresses > 0 && tunnel->reply.has_me6)
		log_warnx("--address is not used: the server has numbered the tunnel");
	fd = link_make(link, tunnel);
	for (int i = 1; i < LINK_ATTEMPTS && fd == -ENODEV; i++)
		fd = link_make(link, tunnel);
	return fd;
}

int link_update(struct link *link, const struct client_tunnel *tunnel)
{
	const struct in6_addr old = link->link_local;
	int error;

	link->link_local = tunnel_link_local(tunnel, link->user);
	if (IN6_ARE_ADDR_EQUAL(&old, &link->link_local))
		return 0;
	/* It gets all that it should have when it is set up again. */
	if (link->kept.set_down)
		return 0;
	error = netlink_link_local_add(link->netlink, link->kept.index, &link->link_local);
	if (!error)
		error = netlink_link_local_delete(link->netlink, link->kept.index, &old);
	return error;
}

int link_restore(struct link *link, const struct client_tunnel *tunnel)
{
	struct kept_mending mending = kept_mending(&link->kept);

	link_ensure(link, tunnel, &mending);
	source_routes_restore(&link->sources, link->netlink, link->kept.index, &mending);
	return kept_mended(&link->kept, &mending);
}

void link_down(struct link *link)
{
	source_routes_remove(&link->sources, link->netlink);
	while (link->n_rejects > 0)
		(void)netlink_reject_delete(link->netlink, &link->rejects[--link->n_rejects]);
	/* It forwards IPv4, so it is not to be without its guard. */
	if (link->kept.index)
		(void)netlink_link_delete(link->netlink, link->kept.index);
	fastpath_join_tun(link->fast, link->netlink, 0);
	link->kept.index = 0;
}

static void link_on_live(unsigned int index, const char *name, void *arg)
{
	(void)index;
	(void)arg;
	log_debug("another instance has %s", name);
}

void link_sweep(struct netlink *netlink)
{
	int rules = rules_sweep(netlink);

	if (rules > 0)
		log_info("removed the rules for %d prefix%s left behind by an earlier run", rules,
			 rules == 1 ? "" : "es");
	if (netlink_links_by_alias(netlink, NETLINK_CLIENT_ALIAS, link_on_live, NULL) != 0)
		return;

	int removed = netlink_reject_sweep(netlink, NULL);

	if (removed > 0)
		log_info("removed %d reject route%s left behind by an earlier run", removed,
			 removed == 1 ? "" : "s");
}
