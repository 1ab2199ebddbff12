/* SPDX-License-Identifier: BSD-2-Clause */
/* Changes of the devices from outside. */
#include "base/clock.h"
#include "base/log.h"
#include "server/root/links_parts.h"
#include "server/root/neighbours.h"

/* Devices checked before other events get a turn. */
enum { LINKS_LOOKS = 64 };

/* Interval for listing routes: a router with a full table changes constantly, and has many. */
enum { LINKS_FOREIGN_MS = 5000 };

static void links_queue(struct links *links, struct links_device *device)
{
	if (!device->touched)
		TAILQ_INSERT_TAIL(&links->touched, device, on_touched);
	device->touched = true;
}

static void links_touch(struct links *links, struct links_device *device)
{
	links_queue(links, device);
	interface_watch_look_soon(links->watch);
}

static enum device_pool_state links_state(const struct links *links, uint32_t number)
{
	return number == 0 ? DEVICE_POOL_USED : device_pool_state(links->pool, number);
}

/* A failure was logged, and is retried as if it had been removed again. */
static void links_make_again(struct links *links, uint32_t number)
{
	struct links_device *device = &links->devices[number];
	int fd;

	if (device->kept.index != 0)
		log_warnx("interface %s was removed by somebody; making it again",
			  device->kept.name);
	fd = links_make(links, number);
	if (fd >= 0)
		links->owner.device(number, device->kept.index, fd, links->owner.arg);
	else
		links_touch(links, device);
}

static void links_look(struct links *links, uint32_t number)
{
	struct links_device *device = &links->devices[number];
	struct drift_interface *kept = &device->kept;
	enum drift state;
	struct drift_repair mending;
	char old_name[IFNAMSIZ];
	int result;

	state = drift_look(kept, old_name);
	if (old_name[0])
		log_info("interface %s is called %s now", old_name, kept->name);
	switch (state) {
	case DRIFT_GONE:
		/* A device without a session is made again at its user's next login. */
		if (links_state(links, number) == DEVICE_POOL_IDLE) {
			links_gone(links, number);
			break;
		}
		interface_watch_repaired(links->watch);
		links_make_again(links, number);
		break;
	case DRIFT_NONE:
		mending = drift_repair_begin(kept);
		links_mend(links, number, &mending);
		if (number == 0)
			links->owner.machine(links->owner.arg);
		if (number == 0)
			links_mend_shared(links, &mending);
		result = drift_repair_end(kept, &mending);
		if (result != 0)
			interface_watch_repaired(links->watch);
		/* Failures were logged, and are tried again. */
		if (result < 0)
			links_touch(links, device);
		break;
	case DRIFT_SET_DOWN:
		break;
	}
}

static void links_on_look(void *arg)
{
	struct links *links = arg;
	/* Later changes are handled at the next call. */
	struct links_device *last = TAILQ_LAST(&links->touched, links_touched);
	struct links_device *device = NULL;

	for (int i = 0; i < LINKS_LOOKS && device != last; i++) {
		device = TAILQ_FIRST(&links->touched);

		uint32_t number = (uint32_t)(device - links->devices);
		enum device_pool_state state = links_state(links, number);

		TAILQ_REMOVE(&links->touched, device, on_touched);
		device->touched = false;
		if (state == DEVICE_POOL_USED || state == DEVICE_POOL_IDLE)
			links_look(links, number);
	}
	if (device != last)
		interface_watch_look_by(links->watch, clock_ms());
	if (interface_waits(&links->shared)) {
		links_queue(links, &links->devices[0]);
		interface_watch_look_by(links->watch, links->shared.patience);
	}
}

/* Removing a device is our own change. */
static void links_touch_number(struct links *links, uint32_t number)
{
	enum device_pool_state state = links_state(links, number);

	if (state == DEVICE_POOL_USED || state == DEVICE_POOL_IDLE)
		links_touch(links, &links->devices[number]);
}

static void links_on_touched(unsigned int index, void *arg)
{
	struct links *links = arg;
	const struct hash_node *node = NULL;

	if (index != 0)
		node = hash_first(&links->by_index, index);
	if (node)
		links_touch_number(links,
				   (uint32_t)((struct links_device *)node->item - links->devices));
	else if (index != 0 && index == neighbours_interface(links->owner.neighbours))
		links_touch_number(links, 0);
	for (uint32_t number = 0; index == 0 && number < links->top; number++)
		links_touch_number(links, number);
}

/* A new address of the machine, or of its router, may be one that the server uses itself. */
static void links_on_neighbours(unsigned int index, void *arg)
{
	struct links *links = arg;

	/* Each tunnelonly session has a device of ours. */
	if (index == 0 || !hash_first(&links->by_index, index))
		links_touch_number(links, 0);
}

void links_look_again(struct links *links)
{
	links_touch_number(links, 0);
}

static void links_on_routes(void *arg)
{
	struct links *links = arg;

	links->foreign_stale = true;
}

const struct foreign *links_foreign(struct links *links)
{
	int64_t now = clock_ms();

	if (links->foreign_stale && now >= links->foreign_next) {
		links->foreign_stale = false;
		links->foreign_next = now + LINKS_FOREIGN_MS;
		interface_look_around(links->owner.options, links->owner.netlink, &links->shared);
	}
	return &links->shared.foreign;
}

void links_watch(struct links *links, struct event_base *base)
{
	const struct interface_watch_owner owner = {.touched = links_on_touched,
						    .neighbours = links_on_neighbours,
						    .routes = links_on_routes,
						    .look = links_on_look,
						    .arg = links,
						    .own = links->owner.netlink};

	/* Without it, removed interfaces are just not repaired. */
	links->watch = interface_watch_new(base, &owner);
	/* Earlier changes were not reported. */
	if (links->watch)
		links_on_touched(0, links);
}

void links_unwatch(struct links *links)
{
	interface_watch_free(links->watch);
	links->watch = NULL;
}
