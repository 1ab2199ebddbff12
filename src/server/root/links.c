/* SPDX-License-Identifier: BSD-2-Clause */
#include "server/root/links.h"

#include "base/clock.h"
#include "base/log.h"
#include "fastpath/root.h"
#include "netconf/tun.h"
#include "proto/message.h"
#include "server/root/interface.h"
#include "server/root/links_parts.h"
#include "server/root/neighbours.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct prefix6_set links_none = {.n = 0};

struct links *links_new(const struct links_owner *owner)
{
	const uint32_t devices = server_options_devices(owner->options);
	struct links *links = calloc(1, sizeof(*links));

	if (!links)
		return NULL;
	links->owner = *owner;
	TAILQ_INIT(&links->touched);
	TAILQ_INIT(&links->routes);
	links->devices = calloc((size_t)devices + 1, sizeof(*links->devices));
	links->pool = device_pool_new(devices);
	if (!links->devices || !links->pool || hash_init(&links->by_index) != 0 ||
	    hash_init(&links->by_prefix) != 0) {
		links_free(links);
		return NULL;
	}
	neighbours_set_all(links->owner.neighbours, links_tell_neighbours, links);
	return links;
}

void links_free(struct links *links)
{
	struct links_route *route;

	if (!links)
		return;
	neighbours_set_all(links->owner.neighbours, NULL, NULL);
	links_remove_all(links);
	while ((route = TAILQ_FIRST(&links->routes))) {
		TAILQ_REMOVE(&links->routes, route, next);
		free(route);
	}
	hash_free(&links->by_index);
	hash_free(&links->by_prefix);
	device_pool_free(links->pool);
	interface_state_free(&links->shared);
	free(links->locals.list);
	free(links->devices);
	free(links);
}

void links_mend_shared(const struct links *links, struct drift_repair *mending)
{
	links_locals_mend(links, mending);
	links_mend_routes(links, mending);
}

void links_mend(struct links *links, uint32_t number, struct drift_repair *mending)
{
	const struct links_device *device = &links->devices[number];
	struct netlink *netlink = links->owner.netlink;
	const unsigned int index = device->kept.index;
	char text[PREFIX6_STRLEN];

	if (number == 0) {
		interface_repair(links->owner.options, netlink, index, &links->shared,
				 links->owner.neighbours, mending);
		return;
	}
	drift_repair_note(mending, netlink_link_local_ensure(netlink, index, &device->link_local),
			  "address", inet_ntop(AF_INET6, &device->link_local, text, sizeof(text)));
	for (uint32_t i = 0; i < device->prefixes.n; i++) {
		const struct prefix6 *prefix = &device->prefixes.list[i];

		drift_repair_note(mending,
				  netlink_route_ensure(netlink, index, prefix, INTERFACE_METRIC),
				  "route", prefix6_format(prefix, text));
	}
}

static void links_attach(struct links *links, uint32_t number, unsigned int index)
{
	struct links_device *device = &links->devices[number];

	device->kept.index = index;
	hash_insert(&links->by_index, &device->by_index, index, device);
	if (number >= links->top)
		links->top = number + 1;
}

void links_detach(struct links *links, struct links_device *device)
{
	if (device->kept.index != 0)
		hash_remove(&links->by_index, &device->by_index);
	device->kept.index = 0;
}

int links_make(struct links *links, uint32_t number)
{
	const struct server_options *options = links->owner.options;
	struct links_device *device = &links->devices[number];
	struct drift_repair made = {.interface = NULL};
	unsigned int index;
	int error;
	int fd;

	links_detach(links, device);
	device->kept = (struct drift_interface){.index = 0};
	/* The configured name, which may have leading zeros. */
	if (number == 0)
		(void)strlcpy(device->kept.name, options->interface, sizeof(device->kept.name));
	else
		server_interface_name(options, number, device->kept.name);
	fd = tun_open(device->kept.name, &index);
	if (fd < 0)
		return fd;
	links_attach(links, number, index);
	if (number == 0)
		memset(links->shared.plans, 0, sizeof(links->shared.plans));
	error = netlink_link_setup(links->owner.netlink, index, INTERFACE_ALIAS, options->mtu);
	if (!error && number == 0)
		fastpath_join_tun(links->owner.fast, links->owner.netlink, index);
	if (!error) {
		links_mend(links, number, &made);
		error = made.error;
	}
	if (error) {
		close(fd); /* and with it the device goes */
		links_detach(links, device);
		return error;
	}
	if (number == 0)
		links_mend_shared(links, &made);
	return fd;
}

int links_make_shared(struct links *links)
{
	int fd = links_make(links, 0);

	if (fd < 0)
		return fd;
	links_locals_first(links);
	return fd;
}

const struct prefix6 *links_reserved(const struct links *links, size_t *n)
{
	*n = links->shared.n_reserved;
	return links->shared.reserved;
}

struct in6_addr links_icmp_source(const struct links *links)
{
	return interface_icmp_source(links->owner.options, &links->shared);
}

/* False if the device is missing or down: its repair will restore the rest. */
static bool links_is_well(const struct links_device *device)
{
	return device->kept.index != 0 && !device->kept.set_down;
}

/* Sets a device's prefixes, and tells neighbours which are new and which are gone. */
static void links_have(const struct links *links, struct links_device *device,
		       const struct prefix6_set *prefixes)
{
	const struct prefix6_set old = device->prefixes;

	for (uint32_t i = 0; i < old.n; i++) {
		if (!prefix6_set_has(prefixes, &old.list[i]))
			neighbours_remove(links->owner.neighbours, &old.list[i]);
	}
	for (uint32_t i = 0; i < prefixes->n; i++) {
		if (!prefix6_set_has(&old, &prefixes->list[i]))
			neighbours_add(links->owner.neighbours, &prefixes->list[i]);
	}
	device->prefixes = *prefixes;
}

/* Routes other prefixes to an existing device, perhaps none. Returns 0 or -errno. */
static int links_lead(const struct links *links, struct links_device *device,
		      const struct prefix6_set *prefixes)
{
	const struct prefix6_set old = device->prefixes;
	struct netlink *netlink = links->owner.netlink;
	unsigned int index = device->kept.index;
	struct prefix6_set stays = {.n = 0};
	uint32_t made = 0;
	int result = 0;

	links_have(links, device, prefixes);
	if (!links_is_well(device))
		return 0;
	for (uint32_t i = 0; i < old.n; i++) {
		if (!prefix6_set_has(prefixes, &old.list[i]))
			(void)netlink_route_delete(netlink, index, &old.list[i]);
	}
	while (made < prefixes->n && result >= 0) {
		result = netlink_route_ensure(netlink, index, &prefixes->list[made],
					      INTERFACE_METRIC);
		made += result >= 0;
	}
	if (result >= 0)
		return 0;
	/* Rolls back: only routes that existed before stay. */
	for (uint32_t i = 0; i < prefixes->n; i++) {
		if (prefix6_set_has(&old, &prefixes->list[i]))
			stays.list[stays.n++] = prefixes->list[i];
		else if (i < made)
			(void)netlink_route_delete(netlink, index, &prefixes->list[i]);
	}
	links_have(links, device, &stays);
	return result;
}

/* Sets up an existing device for the next client of its user. */
static int links_reuse(const struct links *links, struct links_device *device,
		       enum device_pool_state before, const struct in6_addr *link_local,
		       const struct prefix6_set *prefixes)
{
	struct netlink *netlink = links->owner.netlink;
	const struct in6_addr old = device->link_local;

	device->link_local = *link_local;
	if (links_is_well(device))
		(void)netlink_link_local_ensure(netlink, device->kept.index, link_local);
	/* Kept if an older session's client may still use the old address. */
	if (links_is_well(device) && before == DEVICE_POOL_IDLE &&
	    !IN6_ARE_ADDR_EQUAL(&old, link_local))
		(void)netlink_link_local_delete(netlink, device->kept.index, &old);
	return links_lead(links, device, prefixes);
}

/* Whether a kept device has been removed without a notification yet. */
static bool links_is_lost(const struct links_device *device)
{
	char name[IFNAMSIZ];
	bool up;

	return tun_look(device->kept.index, name, &up) == -ENODEV;
}

int links_open(struct links *links, int64_t user, struct in_addr her,
	       const struct prefix6_set *prefixes, uint32_t *number)
{
	const struct in6_addr link_local = dtcp_link_local(her);
	enum device_pool_state before;
	struct links_device *device;
	int error;
	int fd;

	*number = device_pool_take(links->pool, user, &before);
	if (*number == 0) {
		log_warnx("no number is left for an interface; too many are being removed");
		return -EBUSY;
	}
	device = &links->devices[*number];
	if (before == DEVICE_POOL_USED || (before == DEVICE_POOL_IDLE && !links_is_lost(device))) {
		error = links_reuse(links, device, before, &link_local, prefixes);
		if (error)
			links_close(links, *number);
		return error;
	}
	device->link_local = link_local;
	links_have(links, device, prefixes);
	fd = links_make(links, *number);
	if (fd < 0 && before == DEVICE_POOL_FREE) {
		links_have(links, device, &links_none);
		device_pool_drop(links->pool, *number);
	} else if (fd < 0) {
		links_gone(links, *number);
	}
	if (fd < 0)
		return fd;
	links->owner.device(*number, device->kept.index, fd, links->owner.arg);
	return 0;
}

void links_close(struct links *links, uint32_t number)
{
	struct links_device *device = &links->devices[number];

	if (!device_pool_give(links->pool, number, clock_ms()))
		return;
	(void)links_lead(links, device, &links_none);
	/* A device that could not be made again is not kept. */
	if (device->kept.index == 0)
		links_gone(links, number);
}

void links_gone(struct links *links, uint32_t number)
{
	struct links_device *device = &links->devices[number];

	links_detach(links, device);
	if (device->touched)
		TAILQ_REMOVE(&links->touched, device, on_touched);
	links_have(links, device, &links_none);
	*device = (struct links_device){.touched = false};
	device_pool_drop(links->pool, number);
	links->owner.no_device(number, links->owner.arg);
}
