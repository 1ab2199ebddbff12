/* SPDX-License-Identifier: BSD-2-Clause */
#include "monitor/linkwatch.h"

#include "base/log.h"
#include "monitor/netlink_talk.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>

/* Of the kernel's messages, while we are busy: those about some hundred interfaces at once. */
enum { LINKWATCH_ROOM = 4 * 1024 * 1024 };

struct linkwatch {
	struct mnl_socket *socket;
	struct event *readable;
	linkwatch_touched touched;
	void *arg;
};

/* Ours, or one that has stood where a reject route of ours belongs. */
static bool linkwatch_is_route(const struct nlmsghdr *message, const struct rtmsg *route)
{
	const struct nlattr *metric = netlink_find(message, sizeof(*route), RTA_PRIORITY);

	return route->rtm_protocol == NETLINK_ROUTE_PROTOCOL ||
	       (metric && mnl_attr_validate(metric, MNL_TYPE_U32) == 0 &&
		mnl_attr_get_u32(metric) == NETLINK_REJECT_METRIC);
}

/* A router's table may change all the time: whatever is about routes that are not ours ends here.
 */
static void linkwatch_read(const struct linkwatch *watch, const struct nlmsghdr *message)
{
	const void *body = mnl_nlmsg_get_payload(message);
	size_t size = mnl_nlmsg_get_payload_len(message);
	const struct nlattr *out;
	unsigned int index = 0;

	switch (message->nlmsg_type) {
	case RTM_NEWLINK:
	case RTM_DELLINK: {
		const struct ifinfomsg *link = body;

		if (size < sizeof(*link))
			return;
		index = (unsigned int)link->ifi_index;
		break;
	}
	case RTM_DELADDR: {
		const struct ifaddrmsg *address = body;

		if (size < sizeof(*address))
			return;
		index = address->ifa_index;
		break;
	}
	case RTM_DELROUTE: {
		const struct rtmsg *entry = body;

		if (size < sizeof(*entry) || !linkwatch_is_route(message, entry))
			return;
		out = netlink_find(message, sizeof(*entry), RTA_OIF);
		/* A reject route belongs to no interface of ours, though the kernel names one. */
		if (entry->rtm_type == RTN_UNICAST && out &&
		    mnl_attr_validate(out, MNL_TYPE_U32) == 0)
			index = mnl_attr_get_u32(out);
		break;
	}
	default:
		return;
	}
	watch->touched(index, watch->arg);
}

static void linkwatch_on_readable(evutil_socket_t fd, short what, void *arg)
{
	_Alignas(struct nlmsghdr) char buffer[16384];
	const struct linkwatch *watch = arg;

	(void)fd;
	(void)what;
	for (;;) {
		ssize_t n = mnl_socket_recvfrom(watch->socket, buffer, sizeof(buffer));
		const struct nlmsghdr *message = (const struct nlmsghdr *)(const void *)buffer;
		int left = (int)n;

		if (n == -1 && errno == EINTR)
			continue;
		/* There was more than the kernel could keep for us: it may have been about us. */
		if (n == -1 && errno == ENOBUFS) {
			watch->touched(0, watch->arg);
			continue;
		}
		if (n <= 0)
			break;
		for (; mnl_nlmsg_ok(message, left); message = mnl_nlmsg_next(message, &left))
			linkwatch_read(watch, message);
	}
}

/* If it stays smaller, what does not fit is made up for by a look at everything. */
static void linkwatch_make_room(const struct linkwatch *watch)
{
	const int room = LINKWATCH_ROOM;

	(void)setsockopt(mnl_socket_get_fd(watch->socket), SOL_SOCKET, SO_RCVBUFFORCE, &room,
			 sizeof(room));
}

struct linkwatch *linkwatch_new(struct event_base *base, linkwatch_touched touched, void *arg)
{
	struct linkwatch *watch = calloc(1, sizeof(*watch));

	if (!watch)
		goto failed;
	watch->touched = touched;
	watch->arg = arg;
	watch->socket = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (!watch->socket || mnl_socket_bind(watch->socket,
					      RTMGRP_LINK | RTMGRP_IPV6_IFADDR | RTMGRP_IPV6_ROUTE |
						      RTMGRP_IPV6_IFINFO,
					      MNL_SOCKET_AUTOPID) == -1)
		goto failed;
	linkwatch_make_room(watch);
	watch->readable = event_new(base, mnl_socket_get_fd(watch->socket), EV_READ | EV_PERSIST,
				    linkwatch_on_readable, watch);
	if (!watch->readable || event_add(watch->readable, NULL) == -1)
		goto failed;
	return watch;
failed:
	log_warn("cannot watch the interfaces");
	linkwatch_free(watch);
	return NULL;
}

void linkwatch_free(struct linkwatch *watch)
{
	if (!watch)
		return;
	if (watch->readable)
		event_free(watch->readable);
	if (watch->socket)
		(void)mnl_socket_close(watch->socket);
	free(watch);
}
