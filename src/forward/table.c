/* SPDX-License-Identifier: BSD-2-Clause */
#include "forward/table.h"

#include "base/hash.h"
#include "forward/plane_session.h"
#include "forward/routes.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct session {
	struct forward_session config;
	struct table_peer peer;
	struct pmtu pmtu;
	bool up;
	bool proven;
	uint64_t settled; /* order of arrival at the peer, or of the last valid hello; higher is
			     later */
	struct hash_node by_peer;
	struct hash_node by_name;
	struct plane_session plane;
	struct route_claim claims[]; /* one per prefix */
};

struct table {
	bool server;
	uint32_t sessions_max;
	uint64_t key[2];
	uint64_t settled; /* the last value assigned to a session */
	const struct table_observer *observer;
	void *observer_arg;
	struct session **by_id;
	struct hash by_peer;
	struct hash by_name; /* UDP: by the session number in probes */
	struct routes *routes;
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
	table->routes = routes_new(key);
	if (!table->by_id || !table->routes || hash_init(&table->by_peer) ||
	    hash_init(&table->by_name)) {
		table_free(table);
		return NULL;
	}
	return table;
}

static uint64_t table_hash_peer(const struct table *table, const struct table_peer *peer)
{
	uint64_t word =
		(uint64_t)peer->address.s_addr << 32 | (uint64_t)peer->transport << 16 | peer->port;

	return hash_words(table->key, &word, 1);
}

/* --- a session's facts -------------------------------------------------------------------- */

const struct forward_session *session_config(const struct session *session)
{
	return &session->config;
}

const struct table_peer *session_peer(const struct session *session)
{
	return &session->peer;
}

bool session_is_up(const struct session *session)
{
	return session->up;
}

static bool peer_is_learned(const struct table_peer *peer)
{
	return peer->transport != FORWARD_UDP || peer->port != 0;
}

bool session_is_learned(const struct session *session)
{
	return peer_is_learned(&session->peer);
}

bool session_is_proven(const struct session *session)
{
	return session->proven;
}

const struct pmtu *session_pmtu(const struct session *session)
{
	return &session->pmtu;
}

struct plane_session *session_plane(struct session *session)
{
	return &session->plane;
}

/* --- the observer ------------------------------------------------------------------------- */

static void table_tell_session(const struct table *table, uint32_t id)
{
	if (table->observer)
		table->observer->session(table, id, table->observer_arg);
}

static void table_tell_peer(const struct table *table, const struct table_peer *peer)
{
	if (table->observer && peer_is_learned(peer))
		table->observer->peer(table, peer, table->observer_arg);
}

static void table_tell_prefix(const struct prefix6 *prefix, void *arg)
{
	const struct table *table = arg;

	if (table->observer)
		table->observer->prefix(table, prefix, table->observer_arg);
}

static bool table_routes(const struct table *table, const struct forward_session *config)
{
	return table->server && config->device == 0;
}

static void table_tell_prefixes(struct table *table, const struct forward_session *config)
{
	for (uint32_t i = 0; table_routes(table, config) && i < config->n_prefixes; i++)
		table_tell_prefix(&config->prefixes[i], table);
}

void table_observe(struct table *table, const struct table_observer *observer, void *arg)
{
	table->observer = observer;
	table->observer_arg = arg;
	if (!observer)
		return;
	for (uint32_t id = 0; id < table->sessions_max; id++) {
		if (!table->by_id[id])
			continue;
		table_tell_session(table, id);
		table_tell_peer(table, &table->by_id[id]->peer);
	}
	routes_each(table->routes, table_tell_prefix, table);
}

/* --- adding and removing ------------------------------------------------------------------ */

/* Wipes the key. */
static void session_free(struct session *session)
{
	if (session)
		explicit_bzero(session, sizeof(*session));
	free(session);
}

/* Link-local addresses are made up by the server, not assigned permanently. */
static bool prefix_is_kept(const struct prefix6 *prefix)
{
	return !IN6_IS_ADDR_LINKLOCAL(&prefix->addr);
}

/* Routes a session's prefixes to it; all routes must exist. */
static void table_route(struct table *table, struct session *session)
{
	for (uint32_t i = 0; i < session->config.n_prefixes; i++) {
		session->claims[i].session = session;
		routes_claim(table->routes, &session->config.prefixes[i], &session->claims[i]);
	}
}

/* Routes them back to other sessions that have them; the others stay known as down. */
static void table_unroute(struct table *table, struct session *session)
{
	for (uint32_t i = 0; i < session->config.n_prefixes; i++) {
		const struct prefix6 *prefix = &session->config.prefixes[i];

		if (!routes_unclaim(table->routes, prefix, &session->claims[i]) &&
		    !prefix_is_kept(prefix))
			routes_drop(table->routes, prefix);
	}
}

/* Makes missing routes, as down. Returns 0, or -ENOMEM with none made. */
static int table_prepare_routes(struct table *table, const struct forward_session *config)
{
	bool made[FORWARD_PREFIXES_MAX] = {false};

	for (uint32_t i = 0; i < config->n_prefixes; i++) {
		if (routes_make(table->routes, &config->prefixes[i], &made[i]) == 0)
			continue;
		/* A route without a session would override shorter prefixes. */
		while (i-- > 0) {
			if (made[i])
				routes_drop(table->routes, &config->prefixes[i]);
		}
		return -ENOMEM;
	}
	return 0;
}

int table_add(struct table *table, const struct forward_session *config, struct session **out)
{
	struct table_peer peer = {.address = config->peer};
	bool udp = config->transport == FORWARD_UDP;

	if (config->id >= table->sessions_max || !forward_session_valid(config, table->server))
		return -EINVAL;
	peer.transport = udp ? FORWARD_UDP : FORWARD_PROTO41;
	peer.port = udp ? (uint16_t)config->peer_port : 0;
	if (table->by_id[config->id] || (udp && table_by_name(table, config->session)))
		return -EEXIST;
	if (table_by_peer(table, &peer) && (!udp || !table->server))
		return -EADDRINUSE;

	struct session *session =
		calloc(1, sizeof(*session) + config->n_prefixes * sizeof(session->claims[0]));

	if (!session)
		return -ENOMEM;
	session->config = *config;
	session->peer = peer;
	session->proven = true;
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
	table_tell_session(table, config->id);
	table_tell_peer(table, &peer);
	table_tell_prefixes(table, config);
	*out = session;
	return 0;
}

void table_remove(struct table *table, struct session *session)
{
	if (table_routes(table, &session->config))
		table_unroute(table, session);
	hash_remove(&table->by_peer, &session->by_peer);
	if (session->config.transport == FORWARD_UDP)
		hash_remove(&table->by_name, &session->by_name);
	table->by_id[session->config.id] = NULL;
	table_tell_prefixes(table, &session->config);
	table_tell_peer(table, &session->peer);
	table_tell_session(table, session->config.id);
	session_free(session);
}

int table_assign(struct table *table, const struct prefix6 *prefix)
{
	bool made;
	int error;

	if (!prefix6_valid(prefix) || !prefix_is_kept(prefix))
		return -EINVAL;
	if (!table->server)
		return 0;
	error = routes_make(table->routes, prefix, &made);
	if (error == 0 && made)
		table_tell_prefix(prefix, table);
	return error;
}

/* --- other changes ------------------------------------------------------------------------ */

void table_set_up(struct table *table, struct session *session)
{
	session->up = true;
	table_tell_session(table, session->config.id);
}

void table_lower_pmtu(struct table *table, struct session *session, uint32_t mtu, uint64_t now)
{
	if (pmtu_lower(&session->pmtu, mtu, now))
		table_tell_session(table, session->config.id);
}

static bool peer_equal(const struct table_peer *a, const struct table_peer *b)
{
	return a->transport == b->transport && a->address.s_addr == b->address.s_addr &&
	       a->port == b->port;
}

bool table_change_peer(struct table *table, struct session *session, const struct table_peer *peer,
		       bool proven)
{
	const struct table_peer old = session->peer;
	bool moved = !peer_equal(&old, peer);
	bool newest = table_by_peer(table, peer) == session;

	session->settled = ++table->settled;
	if (moved) {
		hash_remove(&table->by_peer, &session->by_peer);
		session->peer = *peer;
		/* The new path's MTU is unknown. */
		session->pmtu = (struct pmtu){0};
		hash_insert(&table->by_peer, &session->by_peer, table_hash_peer(table, peer),
			    session);
	}
	if (moved || session->proven != proven) {
		session->proven = proven;
		table_tell_session(table, session->config.id);
	}
	if (moved)
		table_tell_peer(table, &old);
	if (!newest)
		table_tell_peer(table, peer);
	return moved;
}

/* --- looking up --------------------------------------------------------------------------- */

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

	if (!peer_is_learned(peer))
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

/* The state of a route, which may be NULL. */
static enum table_match table_match(bool found, struct session *session, struct session **out)
{
	if (!found)
		return TABLE_UNKNOWN;
	if (!session)
		return TABLE_DOWN;
	*out = session;
	return TABLE_UP;
}

enum table_match table_by_address(const struct table *table, const struct in6_addr *address,
				  struct session **out)
{
	struct session *session = NULL;
	bool found = routes_longest(table->routes, address, &session);

	return table_match(found, session, out);
}

enum table_match table_by_prefix(const struct table *table, const struct prefix6 *prefix,
				 struct session **out)
{
	struct session *session = NULL;
	bool found = routes_exact(table->routes, prefix, &session);

	return table_match(found, session, out);
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
	routes_free(table->routes);
	free(table);
}
