/* SPDX-License-Identifier: BSD-2-Clause */
#include "netconf/watch.h"

#include "base/log.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/rtnetlink.h>
#include <linux/xfrm.h>
#include <stdlib.h>

struct watch {
	struct mnl_socket *socket;
	struct event *readable;
	struct event *settled;
	watch_changed changed;
	void *arg;
};

/* Time for the steps of one change. */
static const struct timeval watch_settle = {.tv_usec = 200000};

static void watch_on_readable(evutil_socket_t fd, short what, void *arg)
{
	struct watch *watch = arg;
	char buffer[8192];

	(void)fd;
	(void)what;
	/* The contents do not matter: an overflow (ENOBUFS) is a sign of change as well. */
	while (mnl_socket_recvfrom(watch->socket, buffer, sizeof(buffer)) > 0)
		;
	/* Not deferred by further changes: on some routers, routes change constantly. */
	if (!evtimer_pending(watch->settled, NULL))
		(void)evtimer_add(watch->settled, &watch_settle);
}

static void watch_on_settled(evutil_socket_t fd, short what, void *arg)
{
	struct watch *watch = arg;

	(void)fd;
	(void)what;
	watch->changed(watch->arg);
}

static struct watch *watch_open(struct event_base *base, int bus, unsigned int groups,
				watch_changed changed, void *arg)
{
	struct watch *watch = calloc(1, sizeof(*watch));

	if (!watch)
		goto failed;
	watch->changed = changed;
	watch->arg = arg;
	watch->socket = mnl_socket_open2(bus, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (!watch->socket || mnl_socket_bind(watch->socket, groups, MNL_SOCKET_AUTOPID) == -1)
		goto failed;
	watch->readable = event_new(base, mnl_socket_get_fd(watch->socket), EV_READ | EV_PERSIST,
				    watch_on_readable, watch);
	watch->settled = evtimer_new(base, watch_on_settled, watch);
	if (!watch->readable || !watch->settled || event_add(watch->readable, NULL) == -1)
		goto failed;
	return watch;
failed:
	/* Without IPsec, nothing changes. */
	if (errno != EPROTONOSUPPORT)
		log_warn("cannot watch the network for changes");
	watch_free(watch);
	return NULL;
}

struct watch *watch_new(struct event_base *base, watch_changed changed, void *arg)
{
	return watch_open(base, NETLINK_ROUTE, RTMGRP_IPV4_IFADDR | RTMGRP_IPV4_ROUTE, changed,
			  arg);
}

struct watch *watch_ipsec_new(struct event_base *base, watch_changed changed, void *arg)
{
	/* The second group reports those that expire. */
	return watch_open(base, NETLINK_XFRM, XFRMGRP_POLICY | XFRMGRP_EXPIRE, changed, arg);
}

void watch_free(struct watch *watch)
{
	if (!watch)
		return;
	if (watch->readable)
		event_free(watch->readable);
	if (watch->settled)
		event_free(watch->settled);
	if (watch->socket)
		(void)mnl_socket_close(watch->socket);
	free(watch);
}
