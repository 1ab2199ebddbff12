/* SPDX-License-Identifier: BSD-2-Clause */
#include "netconf/interface_watch.h"

#include "base/clock.h"
#include "base/log.h"
#include "netconf/netlink_talk.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>

/* Milliseconds for the steps of one change, and between two repairs. */
enum { INTERFACE_WATCH_SETTLE_MS = 100, INTERFACE_WATCH_REPAIR_MS = 5000 };

/* Receive buffer for the kernel's messages: enough for some hundred interfaces at once. */
enum { INTERFACE_WATCH_BUFFER = 4 * 1024 * 1024 };

struct interface_watch {
	struct mnl_socket *socket;
	struct event *readable;
	struct interface_watch_owner owner;
	struct event *look;
	int64_t due;	  /* time of the call of look(), if pending */
	int64_t repaired; /* time of the last repair; 0: never */
};

/* A router's table may change constantly: filters out messages about foreign routes. */
static void interface_watch_read_route(const struct interface_watch *watch,
				       const struct nlmsghdr *message, const struct rtmsg *route)
{
	/* For routes, unlike addresses, the kernel reports who has removed them. */
	if (watch->owner.own && message->nlmsg_pid == watch->owner.own->port)
		return;
	/*
	 * A reject route of ours, or a foreign one with the same key: neither belongs to an
	 * interface of ours, though each names one.
	 */
	if (netlink_find_number(message, sizeof(*route), RTA_PRIORITY) == NETLINK_REJECT_METRIC)
		watch->owner.touched(0, watch->owner.arg);
	else if (route->rtm_protocol == NETLINK_ROUTE_PROTOCOL)
		watch->owner.touched(netlink_find_number(message, sizeof(*route), RTA_OIF),
				     watch->owner.arg);
}

/* Whether a route is one that every interface has: link-local, or multicast. */
static bool interface_watch_is_local(const struct nlmsghdr *message)
{
	const struct nlattr *to = netlink_find(message, sizeof(struct rtmsg), RTA_DST);

	return to && mnl_attr_get_payload_len(to) > 0 &&
	       *(const uint8_t *)mnl_attr_get_payload(to) >= 0xfe;
}

/* A default route, or an on-link network. */
static void interface_watch_read_network(const struct interface_watch *watch,
					 const struct nlmsghdr *message, const struct rtmsg *route)
{
	const size_t size = sizeof(*route);

	if (!watch->owner.neighbours)
		return;
	if (route->rtm_dst_len == 0)
		watch->owner.neighbours(0, watch->owner.arg);
	else if (route->rtm_table == RT_TABLE_MAIN && route->rtm_type == RTN_UNICAST &&
		 route->rtm_protocol != NETLINK_ROUTE_PROTOCOL &&
		 !netlink_find(message, size, RTA_GATEWAY) &&
		 !netlink_find(message, size, RTA_MULTIPATH) && !interface_watch_is_local(message))
		watch->owner.neighbours(netlink_find_number(message, size, RTA_OIF),
					watch->owner.arg);
}

/* Changes of other interfaces do not trigger a check by themselves. */
static void interface_watch_read_foreign(const struct interface_watch *watch,
					 const struct nlmsghdr *message, const struct rtmsg *route)
{
	bool own = watch->owner.own && message->nlmsg_pid == watch->owner.own->port;

	if (watch->owner.routes && !own && route->rtm_protocol != NETLINK_ROUTE_PROTOCOL &&
	    route->rtm_protocol != RTPROT_KERNEL)
		watch->owner.routes(watch->owner.arg);
}

static void interface_watch_read(const struct interface_watch *watch,
				 const struct nlmsghdr *message)
{
	const struct interface_watch_owner *owner = &watch->owner;
	const struct ifinfomsg *link = mnl_nlmsg_get_payload(message);
	const struct ifaddrmsg *address = mnl_nlmsg_get_payload(message);
	const struct rtmsg *route = mnl_nlmsg_get_payload(message);
	size_t size = mnl_nlmsg_get_payload_len(message);

	switch (message->nlmsg_type) {
	case RTM_NEWLINK:
	case RTM_DELLINK:
		if (size >= sizeof(*link))
			owner->touched((unsigned int)link->ifi_index, owner->arg);
		break;
	case RTM_DELADDR:
		if (size >= sizeof(*address))
			owner->touched(address->ifa_index, owner->arg);
		break;
	case RTM_DELROUTE:
		if (size < sizeof(*route))
			break;
		interface_watch_read_foreign(watch, message, route);
		interface_watch_read_route(watch, message, route);
		if (route->rtm_dst_len > 0)
			interface_watch_read_network(watch, message, route);
		break;
	case RTM_NEWADDR:
		if (size >= sizeof(*address) && owner->neighbours)
			owner->neighbours(address->ifa_index, owner->arg);
		break;
	case RTM_NEWROUTE:
		if (size < sizeof(*route))
			break;
		interface_watch_read_foreign(watch, message, route);
		interface_watch_read_network(watch, message, route);
		break;
	default:
		break;
	}
}

static void interface_watch_on_readable(evutil_socket_t fd, short what, void *arg)
{
	_Alignas(struct nlmsghdr) char buffer[16384];
	const struct interface_watch *watch = arg;

	(void)fd;
	(void)what;
	for (;;) {
		ssize_t n = mnl_socket_recvfrom(watch->socket, buffer, sizeof(buffer));
		const struct nlmsghdr *message = (const struct nlmsghdr *)(const void *)buffer;
		int left = (int)n;

		if (n == -1 && errno == EINTR)
			continue;
		/*
		 * The kernel's queue has overflowed, or a message was too long: it may have been
		 * about us.
		 */
		if (n == -1 && (errno == ENOBUFS || errno == ENOSPC)) {
			watch->owner.touched(0, watch->owner.arg);
			continue;
		}
		if (n <= 0)
			break;
		for (; mnl_nlmsg_ok(message, left); message = mnl_nlmsg_next(message, &left))
			interface_watch_read(watch, message);
	}
}

/* If it stays smaller, an overflow is handled by checking everything. */
static void interface_watch_enlarge(const struct interface_watch *watch)
{
	const int size = INTERFACE_WATCH_BUFFER;

	(void)setsockopt(mnl_socket_get_fd(watch->socket), SOL_SOCKET, SO_RCVBUFFORCE, &size,
			 sizeof(size));
}

static void interface_watch_on_look(evutil_socket_t fd, short what, void *arg)
{
	const struct interface_watch *watch = arg;

	(void)fd;
	(void)what;
	watch->owner.look(watch->owner.arg);
}

void interface_watch_look_by(struct interface_watch *watch, int64_t when)
{
	if (!watch || (evtimer_pending(watch->look, NULL) && watch->due <= when))
		return;
	watch->due = when;
	clock_arm(watch->look, when);
}

void interface_watch_look_soon(struct interface_watch *watch)
{
	int64_t when = clock_ms() + INTERFACE_WATCH_SETTLE_MS;

	if (watch && watch->repaired && watch->repaired + INTERFACE_WATCH_REPAIR_MS > when)
		when = watch->repaired + INTERFACE_WATCH_REPAIR_MS;
	interface_watch_look_by(watch, when);
}

void interface_watch_repaired(struct interface_watch *watch)
{
	if (watch)
		watch->repaired = clock_ms();
}

struct interface_watch *interface_watch_new(struct event_base *base,
					    const struct interface_watch_owner *owner)
{
	struct interface_watch *watch = calloc(1, sizeof(*watch));

	if (!watch)
		goto failed;
	watch->owner = *owner;
	watch->look = evtimer_new(base, interface_watch_on_look, watch);
	watch->socket = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (!watch->socket || mnl_socket_bind(watch->socket,
					      RTMGRP_LINK | RTMGRP_IPV6_IFADDR | RTMGRP_IPV6_ROUTE |
						      RTMGRP_IPV6_IFINFO,
					      MNL_SOCKET_AUTOPID) == -1)
		goto failed;
	interface_watch_enlarge(watch);
	watch->readable = event_new(base, mnl_socket_get_fd(watch->socket), EV_READ | EV_PERSIST,
				    interface_watch_on_readable, watch);
	if (!watch->look || !watch->readable || event_add(watch->readable, NULL) == -1)
		goto failed;
	return watch;
failed:
	log_warn("cannot watch the interfaces");
	interface_watch_free(watch);
	return NULL;
}

void interface_watch_free(struct interface_watch *watch)
{
	if (!watch)
		return;
	if (watch->look)
		event_free(watch->look);
	if (watch->readable)
		event_free(watch->readable);
	if (watch->socket)
		(void)mnl_socket_close(watch->socket);
	free(watch);
}
