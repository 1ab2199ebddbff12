/* SPDX-License-Identifier: BSD-2-Clause */
#include "server/links.h"

#include "base/clock.h"
#include "base/log.h"
#include "monitor/linkwatch.h"
#include "monitor/tun.h"
#include "proto/message.h"
#include "server/interface.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Most addresses of the machine whose link-local forms the shared device gets. */
enum { LINKS_LOCALS = 16 };

/* Milliseconds that the steps of one change take, and between two repairs. */
enum { LINKS_SETTLE_MS = 100, LINKS_MEND_MS = 5000 };

struct links_device {
	uint32_t uses;
	bool touched; /* something has happened to it that we have not looked at */
	struct kept kept;
	int64_t user;		    /* whose it is; 0: the shared one */
	struct in6_addr link_local; /* of a user's own: our end's */
};

struct links_route {
	struct prefix6 prefix;
	uint32_t uses;
};

struct links {
	struct links_owner owner;
	struct links_device *devices; /* by number */
	uint32_t top;		      /* numbers at and above it have never been used */
	struct in_addr locals[LINKS_LOCALS];
	size_t n_locals;
	struct links_route *routes;
	uint32_t n_routes;
	struct linkwatch *watch;
	struct event *look; /* when we next look what others have done */
	int64_t mended;	    /* when that last cost us something; 0: never */
};

/* Addresses that are known at the start; one that the machine gets later comes at a login. */
static void links_first_locals(struct links *links)
{
	const struct server_options *options = links->owner.options;
	struct ifaddrs *list = NULL;

	if (options->address.s_addr || options->listen.s_addr) {
		links_link_local(links,
				 options->address.s_addr ? options->address : options->listen);
		return;
	}
	if (getifaddrs(&list) == -1)
		return;
	for (const struct ifaddrs *entry = list; entry; entry = entry->ifa_next) {
		struct sockaddr_in addr;

		if (!entry->ifa_addr || entry->ifa_addr->sa_family != AF_INET ||
		    (entry->ifa_flags & IFF_LOOPBACK))
			continue;
		memcpy(&addr, entry->ifa_addr, sizeof(addr));
		links_link_local(links, addr.sin_addr);
	}
	freeifaddrs(list);
}

struct links *links_new(const struct links_owner *owner)
{
	const size_t sessions = server_options_ids(owner->options);
	struct links *links = calloc(1, sizeof(*links));

	if (!links)
		return NULL;
	links->owner = *owner;
	links->devices = calloc(sessions + 1, sizeof(*links->devices));
	links->routes = calloc(sessions, sizeof(*links->routes));
	if (!links->devices || !links->routes) {
		links_free(links);
		return NULL;
	}
	return links;
}

void links_free(struct links *links)
{
	if (!links)
		return;
	if (links->devices && links->devices[0].kept.index != 0)
		(void)netlink_link_delete(links->owner.netlink, links->devices[0].kept.index);
	free(links->routes);
	free(links->devices);
	free(links);
}

static unsigned int links_shared(const struct links *links)
{
	return links->devices[0].kept.index;
}

void links_link_local(struct links *links, struct in_addr her)
{
	const struct in6_addr addr = dtcp_link_local(her);

	for (size_t i = 0; i < links->n_locals; i++) {
		if (links->locals[i].s_addr == her.s_addr)
			return;
	}
	if (links->n_locals == LINKS_LOCALS)
		return;
	/* Where the device is just missing, it gets it when it is made again. */
	links->locals[links->n_locals++] = her;
	(void)netlink_link_local_add(links->owner.netlink, links_shared(links), &addr);
}

static struct links_route *links_find_route(struct links *links, const struct prefix6 *prefix)
{
	for (uint32_t i = 0; i < links->n_routes; i++) {
		struct links_route *route = &links->routes[i];

		if (prefix6_equal(&route->prefix, prefix))
			return route;
	}
	return NULL;
}

int links_route_add(struct links *links, const struct prefix6 *prefix)
{
	struct links_route *route = links_find_route(links, prefix);
	int error;

	if (route) {
		route->uses++;
		return 0;
	}
	error = netlink_route_add(links->owner.netlink, links_shared(links), prefix,
				  INTERFACE_METRIC);
	if (!error)
		links->routes[links->n_routes++] = (struct links_route){*prefix, 1};
	return error;
}

void links_route_remove(struct links *links, const struct prefix6 *prefix)
{
	struct links_route *route = links_find_route(links, prefix);

	if (!route || --route->uses > 0)
		return;
	*route = links->routes[--links->n_routes];
	(void)netlink_route_delete(links->owner.netlink, links_shared(links), prefix);
}

/* Sees that what a device cannot do without is there. */
static void links_mend(const struct links *links, uint32_t number, struct kept_mending *mending)
{
	const struct links_device *device = &links->devices[number];
	char text[INET6_ADDRSTRLEN];

	if (number == 0)
		interface_mend(links->owner.options, links->owner.netlink, device->kept.index,
			       mending);
	else
		kept_mend(mending,
			  netlink_link_local_ensure(links->owner.netlink, device->kept.index,
						    &device->link_local),
			  "address", inet_ntop(AF_INET6, &device->link_local, text, sizeof(text)));
}

/* The same for what single clients and sessions have added to the shared one. */
static void links_mend_shared(const struct links *links, struct kept_mending *mending)
{
	struct netlink *netlink = links->owner.netlink;
	const unsigned int index = links_shared(links);
	char text[PREFIX6_STRLEN];

	for (size_t i = 0; i < links->n_locals; i++) {
		const struct in6_addr addr = dtcp_link_local(links->locals[i]);

		kept_mend(mending, netlink_link_local_ensure(netlink, index, &addr), "address",
			  inet_ntop(AF_INET6, &addr, text, sizeof(text)));
	}
	for (uint32_t i = 0; i < links->n_routes; i++) {
		const struct prefix6 *prefix = &links->routes[i].prefix;

		kept_mend(mending, netlink_route_ensure(netlink, index, prefix, INTERFACE_METRIC),
			  "route", prefix6_format(prefix, text));
	}
}

/* Returns the descriptor of a device that is to be there, or -errno. */
static int links_make(struct links *links, uint32_t number)
{
	const struct server_options *options = links->owner.options;
	struct kept *kept = &links->devices[number].kept;
	struct kept_mending made = {.name = NULL};
	int error;
	int fd;

	*kept = (struct kept){.index = 0};
	/* As it was written, with whatever zeros. */
	if (number == 0)
		(void)strlcpy(kept->name, options->interface, sizeof(kept->name));
	else
		server_interface_name(options, number, kept->name);
	fd = tun_open(kept->name, &kept->index);
	if (fd < 0)
		return fd;
	error = netlink_link_setup(links->owner.netlink, kept->index, INTERFACE_ALIAS,
				   options->mtu);
	if (!error) {
		links_mend(links, number, &made);
		error = made.error;
	}
	if (error) {
		close(fd); /* and with it the device goes */
		kept->index = 0;
		return error;
	}
	if (number == 0)
		links_mend_shared(links, &made);
	if (number >= links->top)
		links->top = number + 1;
	return fd;
}

int links_make_shared(struct links *links)
{
	int fd = links_make(links, 0);

	if (fd < 0)
		return fd;
	links->devices[0].uses = 1;
	links_first_locals(links);
	return fd;
}

/* The number of the user's device, or the lowest that is free. */
static uint32_t links_find_device(const struct links *links, int64_t user)
{
	uint32_t free = links->top;

	for (uint32_t number = 1; number < links->top; number++) {
		const struct links_device *device = &links->devices[number];

		if (device->uses > 0 && device->user == user)
			return number;
		if (device->uses == 0 && number < free)
			free = number;
	}
	return free;
}

int links_open(struct links *links, int64_t user, struct in_addr her, uint32_t *number)
{
	struct links_device *device;
	int fd;

	*number = links_find_device(links, user);
	device = &links->devices[*number];
	device->link_local = dtcp_link_local(her);
	if (device->uses > 0) {
		/* The older session's client may know us by another address. */
		(void)netlink_link_local_ensure(links->owner.netlink, device->kept.index,
						&device->link_local);
		device->uses++;
		return 0;
	}
	fd = links_make(links, *number);
	if (fd < 0)
		return fd;
	device->uses = 1;
	device->user = user;
	links->owner.device(*number, fd, links->owner.arg);
	return 0;
}

void links_close(struct links *links, uint32_t number)
{
	struct links_device *device = &links->devices[number];

	if (--device->uses > 0)
		return;
	if (device->kept.index != 0)
		(void)netlink_link_delete(links->owner.netlink, device->kept.index);
	*device = (struct links_device){.uses = 0};
	links->owner.no_device(number, links->owner.arg);
}

/* --- what others do to them --------------------------------------------------------------- */

static void links_look_soon(struct links *links)
{
	int64_t when = clock_ms() + LINKS_SETTLE_MS;

	/* Somebody may do it each time: that is answered with patience. */
	if (links->mended && links->mended + LINKS_MEND_MS > when)
		when = links->mended + LINKS_MEND_MS;
	if (!evtimer_pending(links->look, NULL))
		clock_arm(links->look, when);
}

/* Where it fails, that was logged, and is tried again as if it had been removed again. */
static void links_make_again(struct links *links, uint32_t number)
{
	struct links_device *device = &links->devices[number];
	int fd;

	if (device->kept.index != 0)
		log_warnx("interface %s was removed by somebody; making it again",
			  device->kept.name);
	fd = links_make(links, number);
	if (fd >= 0) {
		links->owner.device(number, fd, links->owner.arg);
		return;
	}
	device->touched = true;
	links_look_soon(links);
}

static void links_look(struct links *links, uint32_t number)
{
	struct links_device *device = &links->devices[number];
	struct kept *kept = &device->kept;
	enum kept_state state;
	struct kept_mending mending;
	char old_name[IFNAMSIZ];
	int result;

	state = kept_look(kept, old_name);
	if (old_name[0])
		log_info("interface %s is called %s now", old_name, kept->name);
	switch (state) {
	case KEPT_GONE:
		links->mended = clock_ms();
		links_make_again(links, number);
		break;
	case KEPT_THERE:
		mending = kept_mending(kept);
		links_mend(links, number, &mending);
		if (number == 0)
			links_mend_shared(links, &mending);
		result = kept_mended(kept, &mending);
		if (result != 0)
			links->mended = clock_ms();
		/* What could not be put back was logged, and is tried again. */
		if (result < 0) {
			device->touched = true;
			links_look_soon(links);
		}
		break;
	case KEPT_SET_DOWN:
		break;
	}
}

static void links_on_look(evutil_socket_t fd, short what, void *arg)
{
	struct links *links = arg;

	(void)fd;
	(void)what;
	for (uint32_t number = 0; number < links->top; number++) {
		struct links_device *device = &links->devices[number];

		if (!device->touched)
			continue;
		device->touched = false;
		links_look(links, number);
	}
}

static void links_on_touched(unsigned int index, void *arg)
{
	struct links *links = arg;

	for (uint32_t number = 0; number < links->top; number++) {
		struct links_device *device = &links->devices[number];

		if (device->uses == 0 || (index != 0 && device->kept.index != index))
			continue;
		device->touched = true;
		links_look_soon(links);
	}
}

void links_watch(struct links *links, struct event_base *base)
{
	links->look = evtimer_new(base, links_on_look, links);
	/* Without it packets just do not pass when somebody has removed an interface. */
	if (links->look)
		links->watch = linkwatch_new(base, links_on_touched, links);
	/* What was done before has not been heard of. */
	if (links->watch)
		links_on_touched(0, links);
}

void links_unwatch(struct links *links)
{
	linkwatch_free(links->watch);
	if (links->look)
		event_free(links->look);
	links->watch = NULL;
	links->look = NULL;
}
