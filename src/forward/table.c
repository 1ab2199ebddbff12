/* SPDX-License-Identifier: BSD-2-Clause */
#include "forward/table.h"

#include "proto/message.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* A prefix that is or was a session's. */
struct route {
	struct hash_node node;
	struct prefix6 prefix;
	TAILQ_HEAD(, table_claim) claims; /* newest first; empty: assigned but down */
};

struct table {
	bool server;
	uint32_t sessions_max;
	uint64_t key[2];
	uint64_t settled; /* the last number given to a session */
	struct session **by_id;
	struct hash by_peer;
	struct hash by_name;	    /* UDP: the session number of the probes */
	struct hash by_length[129]; /* routes; no buckets where a length has never been seen */
	uint8_t lengths[128];	    /* those in use, longest first */
	size_t n_lengths;
};

struct table *table_new(bool server, uint32_t sessions_max, const uint64_t key[static 2])
{
	struct table *table = calloc(1, sizeof(*table));

	if (!table)
		return NULL;
	table->server = server;
	table->sessions_max = sessions_max;
	memcpy(table->key, key, sizeof(table->key));
	table->by_id = calloc(sessions_max ? sessions_max : 1, sizeof(struct session *));
	if (!table->by_id || hash_init(&table->by_peer) || hash_init(&table->by_name)) {
		table_free(table);
		return NULL;
	}
	return table;
}

static uint64_t table_hash_address(const struct table *table, const struct in6_addr *address)
{
	uint64_t words[2];

	memcpy(words, address, sizeof(words));
	return hash_words(table->key, words, 2);
}

static uint64_t table_hash_peer(const struct table *table, const struct table_peer *peer)
{
	uint64_t word =
		(uint64_t)peer->address.s_addr << 32 | (uint64_t)peer->transport << 16 | peer->port;

	return hash_words(table->key, &word, 1);
}

/* --- routes ------------------------------------------------------------------------------- */

static struct route *route_find(const struct table *table, const struct in6_addr *address,
				uint8_t len)
{
	struct in6_addr masked = prefix6_mask(address, len);
	const struct hash *hash = &table->by_length[len];

	if (!hash->buckets)
		return NULL;
	for (struct hash_node *node = hash_first(hash, table_hash_address(table, &masked)); node;
	     node = hash_next(node)) {
		struct route *route = node->item;

		if (IN6_ARE_ADDR_EQUAL(&route->prefix.addr, &masked))
			return route;
	}
	return NULL;
}

static void table_use_length(struct table *table, uint8_t len)
{
	size_t i = table->n_lengths++;

	for (; i > 0 && table->lengths[i - 1] < len; i--)
		table->lengths[i] = table->lengths[i - 1];
	table->lengths[i] = len;
}

static void table_drop_length(struct table *table, uint8_t len)
{
	size_t i = 0;

	while (table->lengths[i] != len)
		i++;
	table->n_lengths--;
	memmove(table->lengths + i, table->lengths + i + 1, table->n_lengths - i);
}

/* The route for a prefix, made where there is none; NULL where memory is short. */
static struct route *route_get(struct table *table, const struct prefix6 *prefix)
{
	struct hash *hash = &table->by_length[prefix->len];
	struct route *route = route_find(table, &prefix->addr, prefix->len);

	if (route)
		return route;
	if (!hash->buckets && hash_init(hash))
		return NULL;
	route = calloc(1, sizeof(*route));
	if (!route)
		return NULL;
	route->prefix = *prefix;
	TAILQ_INIT(&route->claims);
	if (hash->count == 0)
		table_use_length(table, prefix->len);
	hash_insert(hash, &route->node, table_hash_address(table, &prefix->addr), route);
	return route;
}

static void route_free(struct table *table, struct route *route)
{
	uint8_t len = route->prefix.len;

	hash_remove(&table->by_length[len], &route->node);
	if (table->by_length[len].count == 0)
		table_drop_length(table, len);
	free(route);
}

/* Link-local addresses are the server's to invent, not assigned to anybody for good. */
static bool route_is_kept(const struct prefix6 *prefix)
{
	return !IN6_IS_ADDR_LINKLOCAL(&prefix->addr);
}

static bool table_routes(const struct table *table, const struct forward_session *config)
{
	return table->server && config->device == 0;
}

/* --- sessions ----------------------------------------------------------------------------- */

static bool sockets_valid(const struct table *table, const struct forward_session *config)
{
	bool udp = config->transport == FORWARD_UDP;

	if (!udp && config->transport != FORWARD_PROTO41)
		return false;
	if (config->mtu < FORWARD_MTU_MIN ||
	    config->mtu > (udp ? FORWARD_UDP_MTU_MAX : FORWARD_MTU_MAX))
		return false;
	if (!dtcp_endpoint_valid(config->peer))
		return false;
	if (udp) {
		/* A client knows where its server is. */
		if (!config->session || config->peer_port > UINT16_MAX ||
		    (!table->server && !config->peer_port))
			return false;
		/* It may be anywhere itself, though, and somewhere else next time. */
		if (!table->server && !config->local.s_addr)
			return true;
	}
	return dtcp_endpoint_valid(config->local);
}

static bool config_valid(const struct table *table, const struct forward_session *config)
{
	if (config->id >= table->sessions_max || config->n_prefixes > FORWARD_PREFIXES_MAX ||
	    !sockets_valid(table, config))
		return false;
	for (uint32_t i = 0; i < config->n_prefixes; i++) {
		if (!prefix6_valid(&config->prefixes[i]))
			return false;
	}
	return true;
}

/* It holds a key. */
static void session_free(struct session *session)
{
	if (session)
		explicit_bzero(session, sizeof(*session));
	free(session);
}

/* Its prefixes lead to a session from now on; there are routes for all of them. */
static void table_route(struct table *table, struct session *session)
{
	for (uint32_t i = 0; i < session->config.n_prefixes; i++) {
		const struct prefix6 *prefix = &session->config.prefixes[i];
		struct route *route = route_find(table, &prefix->addr, prefix->len);

		session->claims[i].session = session;
		TAILQ_INSERT_HEAD(&route->claims, &session->claims[i], next);
	}
}

/* They go back to whoever else has them; those of nobody stay known. */
static void table_unroute(struct table *table, struct session *session)
{
	for (uint32_t i = 0; i < session->config.n_prefixes; i++) {
		const struct prefix6 *prefix = &session->config.prefixes[i];
		struct route *route = route_find(table, &prefix->addr, prefix->len);

		TAILQ_REMOVE(&route->claims, &session->claims[i], next);
		if (TAILQ_EMPTY(&route->claims) && !route_is_kept(prefix))
			route_free(table, route);
	}
}

/* Makes the routes that are missing, still as down. Returns 0, or -ENOMEM with none made. */
static int table_prepare_routes(struct table *table, const struct forward_session *config)
{
	bool made[FORWARD_PREFIXES_MAX] = {false};

	for (uint32_t i = 0; i < config->n_prefixes; i++) {
		const struct prefix6 *prefix = &config->prefixes[i];

		made[i] = !route_find(table, &prefix->addr, prefix->len);
		if (route_get(table, prefix))
			continue;
		/* One that leads nowhere would take packets away from those with shorter ones. */
		while (i-- > 0) {
			prefix = &config->prefixes[i];
			if (made[i])
				route_free(table, route_find(table, &prefix->addr, prefix->len));
		}
		return -ENOMEM;
	}
	return 0;
}

int table_add(struct table *table, const struct forward_session *config, struct session **out)
{
	struct table_peer peer = {.address = config->peer};
	bool udp = config->transport == FORWARD_UDP;

	if (!config_valid(table, config))
		return -EINVAL;
	peer.transport = udp ? FORWARD_UDP : FORWARD_PROTO41;
	peer.port = udp ? (uint16_t)config->peer_port : 0;
	if (table->by_id[config->id] || (udp && table_by_name(table, config->session)))
		return -EEXIST;
	if (table_by_peer(table, &peer) && (!udp || !table->server))
		return -EADDRINUSE;

	struct session *session = calloc(1, sizeof(*session));

	if (!session)
		return -ENOMEM;
	session->config = *config;
	session->peer = peer;
	session->settled = ++table->settled;
	if (table_routes(table, config)) {
		if (table_prepare_routes(table, config)) {
			session_free(session);
			return -ENOMEM;
		}
		table_route(table, session);
	}
	table->by_id[config->id] = session;
	hash_insert(&table->by_peer, &session->by_peer, table_hash_peer(table, &peer), session);
	if (udp)
		hash_insert(&table->by_name, &session->by_name,
			    hash_words(table->key, &config->session, 1), session);
	*out = session;
	return 0;
}

static bool peer_equal(const struct table_peer *a, const struct table_peer *b)
{
	return a->transport == b->transport && a->address.s_addr == b->address.s_addr &&
	       a->port == b->port;
}

bool table_change_peer(struct table *table, struct session *session, const struct table_peer *peer)
{
	session->settled = ++table->settled;
	if (peer_equal(&session->peer, peer))
		return false;
	hash_remove(&table->by_peer, &session->by_peer);
	session->peer = *peer;
	/* Nothing is known of the new path. */
	session->pmtu = (struct pmtu){0};
	hash_insert(&table->by_peer, &session->by_peer, table_hash_peer(table, peer), session);
	return true;
}

void table_remove(struct table *table, struct session *session)
{
	if (table_routes(table, &session->config))
		table_unroute(table, session);
	hash_remove(&table->by_peer, &session->by_peer);
	if (session->config.transport == FORWARD_UDP)
		hash_remove(&table->by_name, &session->by_name);
	table->by_id[session->config.id] = NULL;
	session_free(session);
}

int table_assign(struct table *table, const struct prefix6 *prefix)
{
	if (!prefix6_valid(prefix) || !route_is_kept(prefix))
		return -EINVAL;
	if (!table->server)
		return 0;
	return route_get(table, prefix) ? 0 : -ENOMEM;
}

struct session *table_by_id(const struct table *table, uint32_t id)
{
	return id < table->sessions_max ? table->by_id[id] : NULL;
}

struct session *table_at_peer(const struct table *table, const struct table_peer *peer,
			      const struct session *after)
{
	struct hash_node *node = after ? hash_next(&after->by_peer)
				       : hash_first(&table->by_peer, table_hash_peer(table, peer));

	for (; node; node = hash_next(node)) {
		struct session *session = node->item;

		if (peer_equal(&session->peer, peer))
			return session;
	}
	return NULL;
}

struct session *table_by_peer(const struct table *table, const struct table_peer *peer)
{
	struct session *newest = NULL;

	if (peer->transport == FORWARD_UDP && peer->port == 0)
		return NULL;
	for (struct session *session = table_at_peer(table, peer, NULL); session;
	     session = table_at_peer(table, peer, session)) {
		if (!newest || session->settled > newest->settled)
			newest = session;
	}
	return newest;
}

struct session *table_by_name(const struct table *table, uint64_t name)
{
	for (struct hash_node *node = hash_first(&table->by_name, hash_words(table->key, &name, 1));
	     node; node = hash_next(node)) {
		struct session *session = node->item;

		if (session->config.session == name)
			return session;
	}
	return NULL;
}

enum table_match table_by_address(const struct table *table, const struct in6_addr *address,
				  struct session **out)
{
	for (size_t i = 0; i < table->n_lengths; i++) {
		struct route *route = route_find(table, address, table->lengths[i]);

		if (!route)
			continue;
		if (TAILQ_EMPTY(&route->claims))
			return TABLE_DOWN;
		*out = TAILQ_FIRST(&route->claims)->session;
		return TABLE_UP;
	}
	return TABLE_UNKNOWN;
}

void table_free(struct table *table)
{
	if (!table)
		return;
	for (uint32_t i = 0; table->by_id && i < table->sessions_max; i++)
		session_free(table->by_id[i]);
	free(table->by_id);
	hash_free(&table->by_peer);
	hash_free(&table->by_name);
	for (size_t len = 0; len < sizeof(table->by_length) / sizeof(table->by_length[0]); len++) {
		struct hash *hash = &table->by_length[len];

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
	free(table);
}
