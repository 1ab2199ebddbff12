/* SPDX-License-Identifier: BSD-2-Clause */
#include "forward/routes.h"

#include "base/hash.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { ROUTES_LENGTHS = 129 };

struct route {
	struct hash_node node;
	struct prefix6 prefix;
	TAILQ_HEAD(, route_claim) claims; /* newest first; empty: no route */
};

struct routes {
	uint64_t key[2];
	struct hash by_length[ROUTES_LENGTHS]; /* no buckets: length never used */
	uint8_t lengths[ROUTES_LENGTHS - 1];   /* lengths in use, longest first */
	size_t n_lengths;
};

struct routes *routes_new(const uint64_t key[static 2])
{
	struct routes *routes = calloc(1, sizeof(*routes));

	if (routes)
		memcpy(routes->key, key, sizeof(routes->key));
	return routes;
}

static uint64_t routes_hash(const struct routes *routes, const struct in6_addr *address)
{
	uint64_t words[2];

	memcpy(words, address, sizeof(words));
	return hash_words(routes->key, words, 2);
}

static struct route *route_find(const struct routes *routes, const struct in6_addr *address,
				uint8_t len)
{
	struct in6_addr masked = prefix6_mask(address, len);
	const struct hash *hash = &routes->by_length[len];

	if (!hash->buckets)
		return NULL;
	for (struct hash_node *node = hash_first(hash, routes_hash(routes, &masked)); node;
	     node = hash_next(node)) {
		struct route *route = node->item;

		if (IN6_ARE_ADDR_EQUAL(&route->prefix.addr, &masked))
			return route;
	}
	return NULL;
}

static void routes_use_length(struct routes *routes, uint8_t len)
{
	size_t i = routes->n_lengths++;

	for (; i > 0 && routes->lengths[i - 1] < len; i--)
		routes->lengths[i] = routes->lengths[i - 1];
	routes->lengths[i] = len;
}

static void routes_drop_length(struct routes *routes, uint8_t len)
{
	size_t i = 0;

	while (routes->lengths[i] != len)
		i++;
	routes->n_lengths--;
	memmove(routes->lengths + i, routes->lengths + i + 1, routes->n_lengths - i);
}

/* NULL if memory is short. */
static struct route *route_new(struct routes *routes, const struct prefix6 *prefix)
{
	struct hash *hash = &routes->by_length[prefix->len];
	struct route *route;

	if (!hash->buckets && hash_init(hash))
		return NULL;
	route = calloc(1, sizeof(*route));
	if (!route)
		return NULL;
	route->prefix = *prefix;
	TAILQ_INIT(&route->claims);
	if (hash->count == 0)
		routes_use_length(routes, prefix->len);
	hash_insert(hash, &route->node, routes_hash(routes, &prefix->addr), route);
	return route;
}

static void route_free(struct routes *routes, struct route *route)
{
	uint8_t len = route->prefix.len;

	hash_remove(&routes->by_length[len], &route->node);
	if (routes->by_length[len].count == 0)
		routes_drop_length(routes, len);
	free(route);
}

int routes_make(struct routes *routes, const struct prefix6 *prefix, bool *made)
{
	*made = !route_find(routes, &prefix->addr, prefix->len);
	return *made && !route_new(routes, prefix) ? -ENOMEM : 0;
}

void routes_drop(struct routes *routes, const struct prefix6 *prefix)
{
	route_free(routes, route_find(routes, &prefix->addr, prefix->len));
}

void routes_claim(struct routes *routes, const struct prefix6 *prefix, struct route_claim *claim)
{
	struct route *route = route_find(routes, &prefix->addr, prefix->len);

	TAILQ_INSERT_HEAD(&route->claims, claim, next);
}

bool routes_unclaim(struct routes *routes, const struct prefix6 *prefix, struct route_claim *claim)
{
	struct route *route = route_find(routes, &prefix->addr, prefix->len);

	TAILQ_REMOVE(&route->claims, claim, next);
	return !TAILQ_EMPTY(&route->claims);
}

static struct session *route_session(const struct route *route)
{
	const struct route_claim *newest = TAILQ_FIRST(&route->claims);

	return newest ? newest->session : NULL;
}

bool routes_exact(const struct routes *routes, const struct prefix6 *prefix, struct session **out)
{
	const struct route *route = route_find(routes, &prefix->addr, prefix->len);

	if (!route)
		return false;
	*out = route_session(route);
	return true;
}

bool routes_longest(const struct routes *routes, const struct in6_addr *address,
		    struct session **out)
{
	for (size_t i = 0; i < routes->n_lengths; i++) {
		const struct route *route = route_find(routes, address, routes->lengths[i]);

		if (!route)
			continue;
		*out = route_session(route);
		return true;
	}
	return false;
}

void routes_each(const struct routes *routes, void (*each)(const struct prefix6 *prefix, void *arg),
		 void *arg)
{
	for (size_t i = 0; i < routes->n_lengths; i++) {
		const struct hash *hash = &routes->by_length[routes->lengths[i]];

		for (size_t bucket = 0; bucket <= hash->mask; bucket++) {
			for (const struct hash_node *node = hash->buckets[bucket]; node;
			     node = node->next)
				each(&((const struct route *)node->item)->prefix, arg);
		}
	}
}

static void routes_free_length(struct hash *hash)
{
	for (size_t i = 0; hash->buckets && i <= hash->mask; i++) {
		struct hash_node *node = hash->buckets[i];

		while (node) {
			struct hash_node *next = node->next;

			free(node->item);
			node = next;
		}
	}
	hash_free(hash);
}

void routes_free(struct routes *routes)
{
	if (!routes)
		return;
	for (size_t len = 0; len < ROUTES_LENGTHS; len++)
		routes_free_length(&routes->by_length[len]);
	free(routes);
}
