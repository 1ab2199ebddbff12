/* SPDX-License-Identifier: BSD-2-Clause */
#include "client/link.h"

#include "base/log.h"
#include "client/tunnel.h"
#include "monitor/tun.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

static int link_configure(struct link *link, const struct client_tunnel *tunnel)
{
	const struct client_options *options = link->options;
	const struct dtcp_reply *reply = &tunnel->reply;
	struct in6_addr own;
	int error =
		netlink_link_setup(link->netlink, link->index, NETLINK_CLIENT_ALIAS, options->mtu);

	link->link_local = tunnel_link_local(tunnel, link->user);
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

/* -ENODEV where somebody has removed what was being made. */
static int link_make(struct link *link, const struct client_tunnel *tunnel)
{
	int fd = tun_open(link->options->interface, &link->index);
	char name[IFNAMSIZ];
	int error;
	bool up;

	if (fd < 0)
		return fd;
	link->set_down = false;
	error = link_configure(link, tunnel);
	if (error) {
		if (tun_look(link->index, name, &up) == -ENODEV) {
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
	int fd = link_make(link, tunnel);

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
	if (link->set_down)
		return 0;
	error = netlink_link_local_add(link->netlink, link->index, &link->link_local);
	if (!error)
		error = netlink_link_local_delete(link->netlink, link->index, &old);
	return error;
}

enum link_state link_look(struct link *link, char old_name[static IFNAMSIZ])
{
	char name[IFNAMSIZ];
	bool up;

	old_name[0] = '\0';
	if (tun_look(link->index, name, &up) != 0)
		return LINK_GONE;
	if (strcmp(name, link->name) != 0) {
		(void)strlcpy(old_name, link->name, IFNAMSIZ);
		(void)strlcpy(link->name, name, sizeof(link->name));
	}
	if (up && !tun_ipv6_is_off(name))
		return LINK_THERE;
	/* Whoever does that means it; so it is left to them to set it up again. */
	if (!link->set_down && up)
		log_warnx("interface %s: IPv6 was turned off; nothing passes until it is turned on "
			  "again",
			  name);
	else if (!link->set_down)
		log_warnx("interface %s was set down; nothing passes until it is set up again",
			  name);
	link->set_down = true;
	return LINK_SET_DOWN;
}

/* One thing that was to be put back, and a line about it where it was not there any more. */
static void link_restored(const struct link *link, int *sum, int result, const char *what,
			  const char *text)
{
	if (result < 0)
		*sum = result;
	else if (result > 0 && *sum >= 0)
		(*sum)++;
	if (result > 0 && !link->set_down)
		log_warnx("interface %s: the %s %s was removed by somebody; put back", link->name,
			  what, text);
}

int link_restore(struct link *link, const struct client_tunnel *tunnel)
{
	const struct client_options *options = link->options;
	const struct dtcp_reply *reply = &tunnel->reply;
	char text[PREFIX6_STRLEN];
	struct in6_addr own;
	int sum = 0;
	int result;

	result = netlink_link_local_ensure(link->netlink, link->index, &link->link_local);
	link_restored(link, &sum, result, "address",
		      inet_ntop(AF_INET6, &link->link_local, text, sizeof(text)));
	if (tunnel_own_address(tunnel, options, &own)) {
		result = netlink_address_ensure(link->netlink, link->index, &own,
						reply->has_her6 ? &reply->her6 : NULL);
		link_restored(link, &sum, result, "address",
			      inet_ntop(AF_INET6, &own, text, sizeof(text)));
	}
	for (size_t i = 0; i < link->n_rejects; i++) {
		result = netlink_reject_ensure(link->netlink, &link->rejects[i]);
		link_restored(link, &sum, result, "reject route",
			      prefix6_format(&link->rejects[i], text));
	}
	for (size_t i = 0; i < options->n_routes; i++) {
		const struct prefix6 *route = &options->routes[i];

		result = netlink_route_ensure(link->netlink, link->index, route, options->metric);
		if (route->len > 0)
			link_restored(link, &sum, result, "route", prefix6_format(route, text));
		else
			link_restored(link, &sum, result, "default", "route");
	}
	if (sum >= 0 && link->set_down) {
		log_info("interface %s is up again, with its addresses and routes", link->name);
		link->set_down = false;
	}
	return sum;
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
	if (netlink_links_by_alias(netlink, NETLINK_CLIENT_ALIAS, link_on_live, NULL) != 0)
		return;

	int removed = netlink_reject_sweep(netlink, NULL);

	if (removed > 0)
		log_info("removed %d reject route%s left behind by an earlier run", removed,
			 removed == 1 ? "" : "s");
}
