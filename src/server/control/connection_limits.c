/* SPDX-License-Identifier: BSD-2-Clause */
#include "server/control/connection_limits.h"

#include "base/hash.h"

#include <stdlib.h>

/*
 * Addresses with more pending connections than this are ranked alike; and an address with no more
 * than a few of them does not count as a flood.
 */
enum { CONNECTION_LIMITS_RANKS = 1024, CONNECTION_LIMITS_FEW = 4 };

/*
 * The number of logins being checked or waiting for that at which none are accepted, and the
 * interval until the next check: enough work for the server meanwhile.
 */
enum { CONNECTION_LIMITS_WORK = 256, CONNECTION_LIMITS_LOOK_MS = 5 };

/*
 * How long a connection from an address with no more than a few may take to send something before
 * it can be dropped for others.
 */
enum { CONNECTION_LIMITS_GRACE_MS = 250 };

TAILQ_HEAD(connection_limits_places, connection_limits_place);
TAILQ_HEAD(connection_limits_sources, connection_limits_source);

/* An address with a connection. */
struct connection_limits_source {
	struct hash_node node;
	TAILQ_ENTRY(connection_limits_source) next; /* of its rank, or of the free ones */
	struct in_addr addr;
	uint32_t connections;
	uint32_t n_pending;
	uint32_t n_idle;		       /* those of them that can be dropped */
	struct connection_limits_places fresh; /* pending ones, the oldest first */
	struct connection_limits_places spoiled;
};

struct connection_limits {
	const struct connection_limits_config *config;
	uint64_t key[2];
	struct hash hash;
	uint32_t connections;
	uint32_t n_pending;
	uint32_t n_working; /* those whose login is being checked */
	uint32_t worst;	    /* highest rank in use, 0: none */
	struct connection_limits_sources
		ranks[CONNECTION_LIMITS_RANKS + 1]; /* by idle connections */
	struct connection_limits_places spoiled;    /* in the order of their failed logins */
	struct connection_limits_sources unused;
	uint32_t size;
	uint32_t used; /* sources from this index on have never been used */
	struct connection_limits_source *sources;
};

struct connection_limits *connection_limits_new(const struct connection_limits_config *config,
						uint32_t sources, const uint64_t key[static 2])
{
	struct connection_limits *limits = calloc(1, sizeof(*limits));

	if (!limits)
		return NULL;
	limits->config = config;
	limits->key[0] = key[0];
	limits->key[1] = key[1];
	limits->size = sources;
	limits->sources = calloc(sources, sizeof(*limits->sources));
	if (!limits->sources || hash_init(&limits->hash) != 0) {
		connection_limits_free(limits);
		return NULL;
	}
	TAILQ_INIT(&limits->spoiled);
	TAILQ_INIT(&limits->unused);
	for (size_t i = 0; i <= CONNECTION_LIMITS_RANKS; i++)
		TAILQ_INIT(&limits->ranks[i]);
	return limits;
}

void connection_limits_free(struct connection_limits *limits)
{
	if (!limits)
		return;
	hash_free(&limits->hash);
	free(limits->sources);
	free(limits);
}

static bool connection_limits_is_full(const struct connection_limits *limits)
{
	return limits->used == limits->size && TAILQ_EMPTY(&limits->unused);
}

static struct connection_limits_source *connection_limits_unused(struct connection_limits *limits)
{
	struct connection_limits_source *source = TAILQ_FIRST(&limits->unused);

	if (!source)
		return &limits->sources[limits->used++];
	TAILQ_REMOVE(&limits->unused, source, next);
	return source;
}

static uint64_t connection_limits_hash(const struct connection_limits *limits, struct in_addr addr)
{
	const uint64_t word = addr.s_addr;

	return hash_words(limits->key, &word, 1);
}

static struct connection_limits_source *
connection_limits_find(const struct connection_limits *limits, struct in_addr addr)
{
	struct hash_node *node = hash_first(&limits->hash, connection_limits_hash(limits, addr));

	while (node && ((struct connection_limits_source *)node->item)->addr.s_addr != addr.s_addr)
		node = hash_next(node);
	return node ? node->item : NULL;
}

static uint32_t connection_limits_rank(const struct connection_limits_source *source)
{
	return source->n_idle < CONNECTION_LIMITS_RANKS ? source->n_idle : CONNECTION_LIMITS_RANKS;
}

/* Adds or removes an idle connection of a source. */
static void connection_limits_move(struct connection_limits *limits,
				   struct connection_limits_source *source, int by)
{
	uint32_t rank = connection_limits_rank(source);

	TAILQ_REMOVE(&limits->ranks[rank], source, next);
	source->n_idle += (uint32_t)by;
	rank = connection_limits_rank(source);
	/* The last in its rank: among equals, the longest-standing ones are dropped first. */
	TAILQ_INSERT_TAIL(&limits->ranks[rank], source, next);
	if (rank > limits->worst)
		limits->worst = rank;
	while (limits->worst > 0 && TAILQ_EMPTY(&limits->ranks[limits->worst]))
		limits->worst--;
}

/* Of an address, NULL for none. */
static struct connection_limits_place *
connection_limits_worst_of(const struct connection_limits_source *source)
{
	struct connection_limits_place *place = TAILQ_FIRST(&source->spoiled);

	return place ? place : TAILQ_FIRST(&source->fresh);
}

struct connection_limits_place *connection_limits_worst(const struct connection_limits *limits)
{
	if (limits->worst == 0)
		return NULL;
	if (limits->worst <= CONNECTION_LIMITS_FEW && !TAILQ_EMPTY(&limits->spoiled))
		return TAILQ_FIRST(&limits->spoiled);
	return connection_limits_worst_of(TAILQ_FIRST(&limits->ranks[limits->worst]));
}

/* The limit on all connections that is reached, NULL for none. */
static const char *connection_limits_reached(const struct connection_limits *limits)
{
	if (limits->n_pending >= limits->config->pending)
		return "limit.pending";
	if (limits->connections >= limits->config->connections || connection_limits_is_full(limits))
		return "limit.connections";
	return NULL;
}

int64_t connection_limits_wait(const struct connection_limits *limits, int64_t now)
{
	const struct connection_limits_place *worst = connection_limits_worst(limits);
	bool reached = connection_limits_reached(limits) != NULL;

	if (limits->n_working >= CONNECTION_LIMITS_WORK ||
	    (reached && !worst && limits->n_working > 0))
		return CONNECTION_LIMITS_LOOK_MS;
	if (!reached || !worst || worst->spoiled || limits->worst > CONNECTION_LIMITS_FEW ||
	    now >= worst->since + CONNECTION_LIMITS_GRACE_MS)
		return 0;
	/* Another one may be dropped or leave before. */
	return CONNECTION_LIMITS_LOOK_MS;
}

enum connection_limits_answer connection_limits_ask(const struct connection_limits *limits,
						    struct in_addr addr,
						    struct connection_limits_place **drop,
						    const char **why)
{
	const struct connection_limits_config *config = limits->config;
	const struct connection_limits_source *source = connection_limits_find(limits, addr);

	*drop = NULL;
	*why = NULL;
	if (source && source->n_pending >= config->source_pending)
		*why = "limit.source.pending";
	else if (source && source->connections >= config->source_connections)
		*why = "limit.source.connections";
	if (*why) {
		*drop = connection_limits_worst_of(source);
		return *drop ? CONNECTION_LIMITS_DROP : CONNECTION_LIMITS_REFUSE;
	}
	*why = connection_limits_reached(limits);
	if (!*why)
		return CONNECTION_LIMITS_ENTER;
	*drop = connection_limits_worst(limits);
	return *drop ? CONNECTION_LIMITS_DROP : CONNECTION_LIMITS_REFUSE;
}

void connection_limits_enter(struct connection_limits *limits,
			     struct connection_limits_place *place, struct in_addr addr,
			     void *owner, int64_t now)
{
	struct connection_limits_source *source = connection_limits_find(limits, addr);

	if (!source) {
		source = connection_limits_unused(limits);
		source->addr = addr;
		TAILQ_INIT(&source->fresh);
		TAILQ_INIT(&source->spoiled);
		TAILQ_INSERT_TAIL(&limits->ranks[0], source, next);
		hash_insert(&limits->hash, &source->node, connection_limits_hash(limits, addr),
			    source);
	}
	limits->connections++;
	source->connections++;
	*place = (struct connection_limits_place){.owner = owner, .source = source, .since = now};
	connection_limits_unsettle(limits, place);
}

/* Makes a pending connection droppable. */
static void connection_limits_list(struct connection_limits *limits,
				   struct connection_limits_place *place)
{
	if (place->spoiled) {
		TAILQ_INSERT_TAIL(&place->source->spoiled, place, next);
		TAILQ_INSERT_TAIL(&limits->spoiled, place, next_spoiled);
	} else {
		TAILQ_INSERT_TAIL(&place->source->fresh, place, next);
	}
	connection_limits_move(limits, place->source, 1);
}

static void connection_limits_unlist(struct connection_limits *limits,
				     struct connection_limits_place *place)
{
	if (place->spoiled) {
		TAILQ_REMOVE(&place->source->spoiled, place, next);
		TAILQ_REMOVE(&limits->spoiled, place, next_spoiled);
	} else {
		TAILQ_REMOVE(&place->source->fresh, place, next);
	}
	connection_limits_move(limits, place->source, -1);
}

void connection_limits_work(struct connection_limits *limits, struct connection_limits_place *place)
{
	if (!place->pending || place->working)
		return;
	connection_limits_unlist(limits, place);
	place->working = true;
	limits->n_working++;
}

void connection_limits_rest(struct connection_limits *limits, struct connection_limits_place *place)
{
	if (!place->working)
		return;
	place->working = false;
	limits->n_working--;
	connection_limits_list(limits, place);
}

void connection_limits_unsettle(struct connection_limits *limits,
				struct connection_limits_place *place)
{
	connection_limits_rest(limits, place);
	if (place->pending)
		return;
	place->pending = true;
	place->source->n_pending++;
	limits->n_pending++;
	connection_limits_list(limits, place);
}

void connection_limits_settle(struct connection_limits *limits,
			      struct connection_limits_place *place)
{
	connection_limits_rest(limits, place);
	if (!place->pending)
		return;
	connection_limits_unlist(limits, place);
	place->pending = false;
	place->spoiled = false;
	place->source->n_pending--;
	limits->n_pending--;
}

void connection_limits_spoil(struct connection_limits *limits,
			     struct connection_limits_place *place)
{
	if (!place->pending || place->spoiled)
		return;
	connection_limits_rest(limits, place);
	connection_limits_unlist(limits, place);
	place->spoiled = true;
	connection_limits_list(limits, place);
}

void connection_limits_leave(struct connection_limits *limits,
			     struct connection_limits_place *place)
{
	struct connection_limits_source *source = place->source;

	connection_limits_settle(limits, place);
	limits->connections--;
	if (--source->connections > 0)
		return;
	TAILQ_REMOVE(&limits->ranks[0], source, next);
	hash_remove(&limits->hash, &source->node);
	TAILQ_INSERT_TAIL(&limits->unused, source, next);
}

uint32_t connection_limits_count(const struct connection_limits *limits)
{
	return limits->connections;
}

uint32_t connection_limits_pending(const struct connection_limits *limits)
{
	return limits->n_pending;
}
