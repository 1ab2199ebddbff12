/* SPDX-License-Identifier: BSD-2-Clause */
/* What others do to the devices. */
#include "base/clock.h"
#include "base/log.h"
#include "server/root/links_parts.h"

/* Devices that are looked at before others have their turn. */
enum { LINKS_LOOKS = 64 };

/* Milliseconds that the steps of one change take, and between two repairs. */
enum { LINKS_SETTLE_MS = 100, LINKS_MEND_MS = 5000 };

static void links_look_soon(struct links *links)
{
	int64_t when = clock_ms() + LINKS_SETTLE_MS;

	/* Somebody may do it each time: that is answered with patience. */
	if (links->mended && links->mended + LINKS_MEND_MS > when)
		when = links->mended + LINKS_MEND_MS;
	if (!evtimer_pending(links->look, NULL))
		clock_arm(links->look, when);
}

static void links_touch(struct links *links, struct links_device *device)
{
	if (!device->touched)
		TAILQ_INSERT_TAIL(&links->touched, device, on_touched);
	device->touched = true;
	links_look_soon(links);
}

static enum device_pool_state links_state(const struct links *links, uint32_t number)
{
	return number == 0 ? DEVICE_POOL_USED : device_pool_state(links->pool, number);
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
	if (fd >= 0)
		links->owner.device(number, device->kept.index, fd, links->owner.arg);
	else
		links_touch(links, device);
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
		/* One that nobody needs just now is made when its user comes again. */
		if (links_state(links, number) == DEVICE_POOL_IDLE) {
			links_gone(links, number);
			break;
		}
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
		if (result < 0)
			links_touch(links, device);
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
	/* What is touched meanwhile is for the next time. */
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
		clock_arm(links->look, clock_ms());
}

/* Removing a device is our own doing. */
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
	for (uint32_t number = 0; index == 0 && number < links->top; number++)
		links_touch_number(links, number);
}

void links_watch(struct links *links, struct event_base *base)
{
	links->look = evtimer_new(base, links_on_look, links);
	/* Without it packets just do not pass when somebody has removed an interface. */
	if (links->look)
		links->watch = linkwatch_new(base, links->owner.netlink, links_on_touched, links);
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
