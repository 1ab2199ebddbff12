/* SPDX-License-Identifier: BSD-2-Clause */
#include "client/root/interface.h"

#include "base/log.h"
#include "client/tunnel.h"
#include "fastpath/root.h"
#include "netconf/rules.h"
#include "netconf/tun.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

static void interface_accept_ra(const struct client_options *options)
{
	int error = tun_accept_ra(options->interface, options->accept_ra);

	/* If they are not wanted, forward drops them in any case. */
	if (error && options->accept_ra)
		log_warnx("interface %s: the kernel cannot be told to accept router "
			  "advertisements: %s",
			  options->interface, strerror(-error));
}

/* Adds the missing addresses and routes of the tunnel and the options. */
static void interface_ensure(struct interface *interface, const struct client_tunnel *tunnel,
			     struct drift_repair *repair)
{
	const struct client_options *options = interface->options;
	const struct dtcp_reply *reply = &tunnel->reply;
	const unsigned int index = interface->known.index;
	struct client_address own[CLIENT_OWN_MAX];
	size_t n_own = tunnel_addresses(tunnel, options, own);
	char text[PREFIX6_STRLEN];

	drift_repair_note(
		repair,
		netlink_link_local_ensure(interface->netlink, index, &interface->link_local),
		"address", inet_ntop(AF_INET6, &interface->link_local, text, sizeof(text)));
	for (size_t i = 0; i < n_own; i++)
		drift_repair_note(repair,
				  netlink_address_ensure(interface->netlink, index, &own[i].addr,
							 own[i].len,
							 reply->has_her6 ? &reply->her6 : NULL),
				  "address", inet_ntop(AF_INET6, &own[i].addr, text, sizeof(text)));
	for (size_t i = 0; i < interface->n_rejects; i++)
		drift_repair_note(repair,
				  netlink_reject_ensure(interface->netlink, &interface->rejects[i]),
				  "reject route", prefix6_format(&interface->rejects[i], text));
	for (size_t i = 0; i < tunnel_routes(tunnel, options); i++) {
		const struct prefix6 *route = &options->routes[i];
		bool all = route->len == 0;

		drift_repair_note(
			repair,
			netlink_route_ensure(interface->netlink, index, route, options->metric),
			all ? "default" : "route", all ? "route" : prefix6_format(route, text));
	}
}

static int interface_configure(struct interface *interface, const struct client_tunnel *tunnel)
{
	const struct dtcp_reply *reply = &tunnel->reply;
	struct drift_repair made = {.interface = NULL};
	int error;

	/* The tunnel needs IPv6, even if this machine has it off on its other interfaces. */
	error = tun_ipv6_on(interface->options->interface);
	if (error)
		log_warnx("interface %s: IPv6 cannot be turned on: %s",
			  interface->options->interface, strerror(-error));
	/* Before it has an address: with the first one the kernel solicits routers. */
	interface_accept_ra(interface->options);
	error = netlink_link_setup(interface->netlink, interface->known.index, NETLINK_CLIENT_ALIAS,
				   interface->options->mtu);
	if (!error)
		fastpath_join_tun(interface->fast, interface->netlink, interface->known.index);
	/* The reject route comes first: packets to unused parts must not go back out. */
	for (size_t i = 0; i < reply->n_prefixes && !error; i++) {
		/* Stored before, since a reported failure may be wrong. */
		interface->rejects[interface->n_rejects++] = reply->prefixes[i];
		error = netlink_reject_add(interface->netlink, &reply->prefixes[i]);
	}
	interface->link_local = tunnel_link_local(tunnel, interface->user);
	if (!error)
		interface_ensure(interface, tunnel, &made);
	if (!error)
		error = made.error;
	return error ? error
		     : source_routes_add(&interface->sources, interface->netlink,
					 interface->known.index, tunnel, interface->options);
}

/* The tunnel may be used as soon as it is reported up. */
static void interface_await(const struct interface *interface, const struct client_tunnel *tunnel)
{
	struct client_address own[CLIENT_OWN_MAX];
	size_t n_own = tunnel_addresses(tunnel, interface->options, own);

	for (size_t i = 0; i < n_own; i++)
		(void)netlink_address_await(interface->netlink, &own[i].addr);
}

/* -ENODEV if the interface was removed while it was being made. */
static int interface_make(struct interface *interface, const struct client_tunnel *tunnel)
{
	int fd = tun_open(interface->options->interface, &interface->known.index);
	char name[IFNAMSIZ];
	int error;
	bool up;

	if (fd < 0)
		return fd;
	interface->known.set_down = false;
	error = interface_configure(interface, tunnel);
	if (error) {
		if (tun_look(interface->known.index, name, &up) == -ENODEV) {
			log_warnx("interface %s was removed by somebody while it was made",
				  interface->options->interface);
			error = -ENODEV;
		}
		close(fd);
		interface_down(interface);
		return error;
	}
	interface_await(interface, tunnel);
	return fd;
}

/* How often the interface is made for one tunnel if it is removed each time. */
enum { INTERFACE_ATTEMPTS = 3 };

int interface_up(struct interface *interface, const struct client_tunnel *tunnel)
{
	const struct client_options *options = interface->options;
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
	fd = interface_make(interface, tunnel);
	for (int i = 1; i < INTERFACE_ATTEMPTS && fd == -ENODEV; i++)
		fd = interface_make(interface, tunnel);
	return fd;
}

int interface_update(struct interface *interface, const struct client_tunnel *tunnel)
{
	const struct in6_addr old = interface->link_local;
	int error;

	interface->link_local = tunnel_link_local(tunnel, interface->user);
	if (IN6_ARE_ADDR_EQUAL(&old, &interface->link_local))
		return 0;
	/* The rest is restored when it is set up again. */
	if (interface->known.set_down)
		return 0;
	error = netlink_link_local_add(interface->netlink, interface->known.index,
				       &interface->link_local);
	if (!error)
		error = netlink_link_local_delete(interface->netlink, interface->known.index, &old);
	return error;
}

int interface_restore(struct interface *interface, const struct client_tunnel *tunnel)
{
	struct drift_repair repair = drift_repair_begin(&interface->known);

	interface_ensure(interface, tunnel, &repair);
	source_routes_restore(&interface->sources, interface->netlink, interface->known.index,
			      &repair);
	return drift_repair_end(&interface->known, &repair);
}

void interface_down(struct interface *interface)
{
	source_routes_remove(&interface->sources, interface->netlink);
	while (interface->n_rejects > 0)
		(void)netlink_reject_delete(interface->netlink,
					    &interface->rejects[--interface->n_rejects]);
	/* It forwards IPv4, so it must not be without fast_guard. */
	if (interface->known.index)
		(void)netlink_link_delete(interface->netlink, interface->known.index);
	fastpath_join_tun(interface->fast, interface->netlink, 0);
	interface->known.index = 0;
}

static void interface_on_live(unsigned int index, const char *name, void *arg)
{
	(void)index;
	(void)arg;
	log_debug("another instance has %s", name);
}

void interface_sweep(struct netlink *netlink)
{
	int rules = rules_sweep(netlink);

	if (rules > 0)
		log_info("removed the rules for %d prefix%s left behind by an earlier run", rules,
			 rules == 1 ? "" : "es");
	if (netlink_links_by_alias(netlink, NETLINK_CLIENT_ALIAS, interface_on_live, NULL) != 0)
		return;

	int removed = netlink_reject_sweep(netlink, NULL);

	if (removed > 0)
		log_info("removed %d reject route%s left behind by an earlier run", removed,
			 removed == 1 ? "" : "s");
}
