/* SPDX-License-Identifier: BSD-2-Clause */
#include "monitor/linkwatch.h"

#include "base/log.h"
#include "monitor/netlink_talk.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/rtnetlink.h>
#include <stdbool.h>
#include <stdlib.h>

struct linkwatch {
	struct mnl_socket *socket;
	struct event *readable;
	unsigned int index;
	linkwatch_changed changed;
	linkwatch_touched touched; /* NULL: one interface is watched */
	void *arg;
};

/* A router's table may change all the time: whatever is not about us ends here. */
static bool linkwatch_concerns(const struct linkwatch *watch, const struct nlmsghdr *message)
{
	const void *body = mnl_nlmsg_get_payload(message);
	size_t size = mnl_nlmsg_get_payload_len(message);
	const struct nlattr *out;
	unsigned int index = 0;
	bool route = false;

	switch (message->nlmsg_type) {
	case RTM_NEWLINK:
	case RTM_DELLINK: {
		const struct ifinfomsg *link = body;

		if (size < sizeof(*link))
			return false;
		index = (unsigned int)link->ifi_index;
		break;
	}
	case RTM_DELADDR: {
		const struct ifaddrmsg *address = body;

		if (size < sizeof(*address))
			return false;
		index = address->ifa_index;
		break;
	}
	case RTM_DELROUTE: {
		const struct rtmsg *entry = body;

		if (size < sizeof(*entry) || entry->rtm_protocol != NETLINK_ROUTE_PROTOCOL)
			return false;
		route = true;
		out = netlink_find(message, sizeof(*entry), RTA_OIF);
		if (out && mnl_attr_validate(out, MNL_TYPE_U32) == 0)
			index = mnl_attr_get_u32(out);
		break;
	}
	default:
		return false;
	}
	if (watch->touched)
		watch->touched(index, watch->arg);
	/* A reject route belongs to no interface. */
	return watch->index != 0 && (route || index == watch->index);
}

static void linkwatch_on_readable(evutil_socket_t fd, short what, void *arg)
{
	_Alignas(struct nlmsghdr) char buffer[16384];
	struct linkwatch *watch = arg;
	bool concerned = false;

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
			concerned = watch->index != 0;
			if (watch->touched)
				watch->touched(0, watch->arg);
			continue;
		}
		if (n <= 0)
			break;
		for (; mnl_nlmsg_ok(message, left); message = mnl_nlmsg_next(message, &left))
			concerned |= linkwatch_concerns(watch, message);
	}
	if (concerned)
		watch->changed(watch->arg);
}

static struct linkwatch *linkwatch_open(struct event_base *base, const struct linkwatch *kind)
{
	struct linkwatch *watch = calloc(1, sizeof(*watch));

	if (!watch)
		goto failed;
	*watch = *kind;
	watch->socket = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (!watch->socket || mnl_socket_bind(watch->socket,
					      RTMGRP_LINK | RTMGRP_IPV6_IFADDR | RTMGRP_IPV6_ROUTE |
						      RTMGRP_IPV6_IFINFO,
					      MNL_SOCKET_AUTOPID) == -1)
		goto failed;
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

struct linkwatch *linkwatch_new(struct event_base *base, linkwatch_changed changed, void *arg)
{
	return linkwatch_open(base, &(const struct linkwatch){.changed = changed, .arg = arg});
}

struct linkwatch *linkwatch_new_many(struct event_base *base, linkwatch_touched touched, void *arg)
{
	return linkwatch_open(base, &(const struct linkwatch){.touched = touched, .arg = arg});
}

void linkwatch_set(struct linkwatch *watch, unsigned int index)
{
	if (watch)
		watch->index = index;
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
