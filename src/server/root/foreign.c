/* SPDX-License-Identifier: BSD-2-Clause */
#include "server/root/foreign.h"

#include "server/root/interface.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Orders by address, shorter prefixes first. */
static int foreign_compare(const void *one, const void *other)
{
	const struct foreign_part *a = one;
	const struct foreign_part *b = other;
	int order = memcmp(&a->prefix.addr, &b->prefix.addr, sizeof(a->prefix.addr));

	if (order != 0)
		return order;
	return a->prefix.len < b->prefix.len ? -1 : a->prefix.len > b->prefix.len;
}

static bool foreign_is_network(const struct survey *survey, const struct survey_route *route,
			       const char *answered)
{
	const struct survey_link *link = survey_link(survey, route->index);

	return interface_is_network(survey, route, 0) &&
	       !(link && strcmp(link->name, answered) == 0);
}

int foreign_take(struct foreign *foreign, const struct survey *survey, const char *answered)
{
	size_t max = survey->n_addresses + survey->n_routes;
	struct foreign_part *parts = calloc(max + 1, sizeof(*parts));
	size_t n = 0;

	if (!parts)
		return -ENOMEM;
	for (size_t i = 0; i < survey->n_addresses; i++) {
		const struct survey_address *address = &survey->addresses[i];

		if (!interface_is_ours(survey, address->index))
			parts[n++].prefix = (struct prefix6){.addr = address->addr, .len = 128};
	}
	for (size_t i = 0; i < survey->n_routes; i++) {
		const struct survey_route *route = &survey->routes[i];

		if (route->rejects || survey_is_default(route) ||
		    !prefix6_in_unicast(&route->prefix) || interface_is_ours(survey, route->index))
			continue;
		parts[n].prefix = route->prefix;
		parts[n++].network = foreign_is_network(survey, route, answered);
	}
	qsort(parts, n, sizeof(*parts), foreign_compare);
	free(foreign->parts);
	*foreign = (struct foreign){.parts = parts, .n = n};
	return 0;
}

/* The index of the first entry that is not before the prefix. */
static size_t foreign_from(const struct foreign *foreign, const struct prefix6 *prefix)
{
	const struct foreign_part wanted = {.prefix = *prefix};
	size_t first = 0, behind = foreign->n;

	while (first < behind) {
		size_t middle = first + (behind - first) / 2;

		if (foreign_compare(&foreign->parts[middle], &wanted) < 0)
			first = middle + 1;
		else
			behind = middle;
	}
	return first;
}

bool foreign_touches(const struct foreign *foreign, const struct prefix6 *prefix)
{
	size_t place = foreign_from(foreign, prefix);

	/* Prefixes are nested or disjoint, so the next entry is inside if any is. */
	if (place < foreign->n && prefix6_contains(prefix, &foreign->parts[place].prefix))
		return true;
	for (uint8_t len = 1; len < prefix->len; len++) {
		const struct prefix6 around = {.addr = prefix6_mask(&prefix->addr, len),
					       .len = len};

		/* A network can have several routes. */
		for (place = foreign_from(foreign, &around);
		     place < foreign->n && prefix6_equal(&foreign->parts[place].prefix, &around);
		     place++) {
			if (foreign->parts[place].network)
				return true;
		}
	}
	return false;
}

void foreign_free(struct foreign *foreign)
{
	free(foreign->parts);
	*foreign = (struct foreign){.n = 0};
}
