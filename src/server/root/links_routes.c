/* SPDX-License-Identifier: BSD-2-Clause */
/* Prefixes and addresses of sessions on the shared device, and their routes. */
#include "base/log.h"
#include "server/root/interface.h"
#include "server/root/links_parts.h"
#include "server/root/neighbours.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static uint64_t links_prefix_hash(const struct prefix6 *prefix)
{
	static const uint64_t key[2];
	uint64_t words[3] = {0, 0, prefix->len};

	memcpy(words, &prefix->addr, sizeof(prefix->addr));
	return hash_words(key, words, 3);
}

static struct links_route *links_find_route(const struct links *links, const struct prefix6 *prefix)
{
	struct hash_node *node = hash_first(&links->by_prefix, links_prefix_hash(prefix));

	while (node && !prefix6_equal(&((struct links_route *)node->item)->prefix, prefix))
		node = hash_next(node);
	return node ? node->item : NULL;
}

/* Whether it needs a route of its own. */
static bool links_route_needed(const struct links *links, const struct prefix6 *prefix)
{
	return !interface_leads(links->owner.options, &links->shared, prefix);
}

int links_route_add(struct links *links, const struct prefix6 *prefix)
{
	struct links_route *route = links_find_route(links, prefix);
	int error = 0;

	if (route) {
		route->uses++;
		return 0;
	}
	route = calloc(1, sizeof(*route));
	if (!route) {
		log_warnx("out of memory");
		return -ENOMEM;
	}
	route->made = links_route_needed(links, prefix);
	/* An administrator may have made the same route. */
	if (route->made)
		error = netlink_route_ensure(links->owner.netlink, links->devices[0].kept.index,
					     prefix, INTERFACE_METRIC);
	if (error < 0) {
		free(route);
		return error;
	}
	route->prefix = *prefix;
	route->uses = 1;
	hash_insert(&links->by_prefix, &route->by_prefix, links_prefix_hash(prefix), route);
	TAILQ_INSERT_TAIL(&links->routes, route, next);
	neighbours_add(links->owner.neighbours, prefix);
	return 0;
}

void links_route_remove(struct links *links, const struct prefix6 *prefix)
{
	struct links_route *route = links_find_route(links, prefix);

	if (!route || --route->uses > 0)
		return;
	hash_remove(&links->by_prefix, &route->by_prefix);
	TAILQ_REMOVE(&links->routes, route, next);
	if (route->made)
		(void)netlink_route_delete(links->owner.netlink, links->devices[0].kept.index,
					   prefix);
	neighbours_remove(links->owner.neighbours, prefix);
	free(route);
}

void links_tell_neighbours(void *arg)
{
	const struct links *links = arg;
	const struct links_route *route;

	TAILQ_FOREACH (route, &links->routes, next)
		neighbours_add(links->owner.neighbours, &route->prefix);
	for (uint32_t number = 1; number < links->top; number++) {
		const struct prefix6_set *prefixes = &links->devices[number].prefixes;

		for (uint32_t i = 0; i < prefixes->n; i++)
			neighbours_add(links->owner.neighbours, &prefixes->list[i]);
	}
}

void links_mend_routes(const struct links *links, struct drift_repair *mending)
{
	const unsigned int index = links->devices[0].kept.index;
	struct links_route *route;
	char text[PREFIX6_STRLEN];

	TAILQ_FOREACH (route, &links->routes, next) {
		bool needed = links_route_needed(links, &route->prefix);
		int result;

		if (!needed && route->made)
			(void)netlink_route_delete(links->owner.netlink, index, &route->prefix);
		if (needed && !interface_is_led(&links->shared, &route->prefix)) {
			result = netlink_route_ensure(links->owner.netlink, index, &route->prefix,
						      INTERFACE_METRIC);
			/* A route that is needed for the first time was not removed by others. */
			drift_repair_note(mending, result > 0 && !route->made ? 0 : result, "route",
					  prefix6_format(&route->prefix, text));
		}
		route->made = needed;
	}
}
