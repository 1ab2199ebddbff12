/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Removes devices that are no longer needed. The kernel takes about 20 ms for one, in which it
 * waits for other processors and nobody else can change an interface, and hardly more for many
 * together. So the devices of a second are removed together, by a process that nobody waits for.
 */
#include "base/clock.h"
#include "base/log.h"
#include "netconf/remover.h"
#include "process/children.h"
#include "server/root/links_parts.h"

#include <stdlib.h>

/* Delay after a failure, which will last longer than a second. */
enum { LINKS_REMOVE_RETRY_MS = 60000 };

void links_tidy(struct links *links)
{
	int64_t keep = (int64_t)links->owner.options->tunnelonly_keep * 1000;
	unsigned int index[LINKS_BATCH];
	int64_t now = clock_ms();
	pid_t pid;

	if (links->remover || now < links->remove_after)
		return;
	/* Devices that could not be removed the last time are tried again. */
	if (links->n_leaving == 0)
		links->n_leaving =
			device_pool_leave(links->pool, keep, now, links->leaving, LINKS_BATCH);
	if (links->n_leaving == 0)
		return;
	for (size_t i = 0; i < links->n_leaving; i++)
		index[i] = links->devices[links->leaving[i]].kept.index;
	pid = remover_start(index, links->n_leaving);
	if (pid > 0)
		links->remover = pid;
	else
		links->remove_after = now + LINKS_REMOVE_RETRY_MS;
}

bool links_reaped(struct links *links, pid_t pid, int status)
{
	if (links->remover == 0 || pid != links->remover)
		return false;
	links->remover = 0;
	if (status != 0) {
		log_warnx("interfaces that are not needed any more could not be removed: %s; "
			  "trying again in a minute",
			  children_status_text(status));
		links->remove_after = clock_ms() + LINKS_REMOVE_RETRY_MS;
		return true;
	}
	for (size_t i = 0; i < links->n_leaving; i++)
		links_gone(links, links->leaving[i]);
	links->n_leaving = 0;
	if (device_pool_is_full(links->pool))
		links_tidy(links);
	return true;
}

void links_remove_all(struct links *links)
{
	unsigned int *index = calloc(links->top, sizeof(*index));
	size_t n = 0;

	/* If memory is short, they go with forward's descriptors. */
	for (uint32_t number = 0; index && number < links->top; number++) {
		struct links_device *device = &links->devices[number];

		if (device->kept.index != 0)
			index[n++] = device->kept.index;
		links_detach(links, device);
	}
	if (n > 0)
		(void)netlink_links_delete(links->owner.netlink, index, n);
	free(index);
}
