/* SPDX-License-Identifier: BSD-2-Clause */
#include "server/limits.h"

#include "base/hash.h"

#include <stdlib.h>

/* Addresses with more pending connections than this are all alike. */
enum { LIMITS_RANKS = 1024 };

TAILQ_HEAD(limits_places, limits_place);
TAILQ_HEAD(limits_sources, limits_source);

/* An address with a connection. */
struct limits_source {
	struct hash_node node;
	TAILQ_ENTRY(limits_source) next; /* of its rank, or of those not used any more */
	struct in_addr addr;
	uint32_t connections;
	uint32_t n_pending;
	struct limits_places pending; /* the oldest first */
};

struct limits {
	const struct limits_config *config;
	uint64_t key[2];
	struct hash hash;
	uint32_t connections;
	uint32_t n_pending;
	uint32_t worst; /* highest rank that somebody has, 0 for none */
	struct limits_sources ranks[LIMITS_RANKS + 1]; /* by pending connections */
	struct limits_sources unused;
	uint32_t size;
	uint32_t used; /* sources behind it have never been used */
	struct limits_source *sources;
};

struct limits *limits_new(const struct limits_config *config, uint32_t sources,
			  const uint64_t key[static 2])
{
	struct limits *limits = calloc(1, sizeof(*limits));

	if (!limits)
		return NULL;
	limits->config = config;
	limits->key[0] = key[0];
	limits->key[1] = key[1];
	limits->size = sources;
	limits->sources = calloc(sources, sizeof(*limits->sources));
	if (!limits->sources || hash_init(&limits->hash) != 0) {
		limits_free(limits);
		return NULL;
	}
	TAILQ_INIT(&limits->unused);
	for (size_t i = 0; i <= LIMITS_RANKS; i++)
		TAILQ_INIT(&limits->ranks[i]);
	return limits;
}

void limits_free(struct limits *limits)
{
	if (!limits)
		return;
	hash_free(&limits->hash);
	free(limits->sources);
	free(limits);
}

static bool limits_is_full(const struct limits *limits)
{
	return limits->used == limits->size && TAILQ_EMPTY(&limits->unused);
}

static struct limits_source *limits_unused(struct limits *limits)
{
	struct limits_source *source = TAILQ_FIRST(&limits->unused);

	if (!source)
		return &limits->sources[limits->used++];
	TAILQ_REMOVE(&limits->unused, source, next);
	return source;
}

static uint64_t limits_hash(const struct limits *limits, struct in_addr addr)
{
	const uint64_t word = addr.s_addr;

	return hash_words(limits->key, &word, 1);
}

static struct limits_source *limits_find(const struct limits *limits, struct in_addr addr)
{
	struct hash_node *node = hash_first(&limits->hash, limits_hash(limits, addr));

	while (node && ((struct limits_source *)node->item)->addr.s_addr != addr.s_addr)
		node = hash_next(node);
	return node ? node->item : NULL;
}

static uint32_t limits_rank(const struct limits_source *source)
{
	return source->n_pending < LIMITS_RANKS ? source->n_pending : LIMITS_RANKS;
}

/* One pending connection of a source more, or one less. */
static void limits_move(struct limits *limits, struct limits_source *source, int by)
{
	uint32_t rank = limits_rank(source);

	TAILQ_REMOVE(&limits->ranks[rank], source, next);
	source->n_pending += (uint32_t)by;
	limits->n_pending += (uint32_t)by;
	rank = limits_rank(source);
	/* The last in its rank: among equals, the ones that have been there for longest go first.
	 */
	TAILQ_INSERT_TAIL(&limits->ranks[rank], source, next);
	if (rank > limits->worst)
		limits->worst = rank;
	while (limits->worst > 0 && TAILQ_EMPTY(&limits->ranks[limits->worst]))
		limits->worst--;
}

struct limits_place *limits_worst(const struct limits *limits)
{
	if (limits->worst == 0)
		return NULL;
	return TAILQ_FIRST(&TAILQ_FIRST(&limits->ranks[limits->worst])->pending);
}

enum limits_answer limits_ask(const struct limits *limits, struct in_addr addr,
			      struct limits_place **drop, const char **why)
{
	const struct limits_config *config = limits->config;
	const struct limits_source *source = limits_find(limits, addr);

	*drop = NULL;
	*why = NULL;
	if (source && source->n_pending >= config->source_pending)
		*why = "limit.source.pending";
	else if (source && source->connections >= config->source_connections)
		*why = "limit.source.connections";
	if (*why) {
		*drop = TAILQ_FIRST(&source->pending);
		return *drop ? LIMITS_DROP : LIMITS_REFUSE;
	}
	if (limits->n_pending >= config->pending)
		*why = "limit.pending";
	else if (limits->connections >= config->connections || limits_is_full(limits))
		*why = "limit.connections";
	else
		return LIMITS_ENTER;
	*drop = limits_worst(limits);
	return *drop ? LIMITS_DROP : LIMITS_REFUSE;
}

void limits_enter(struct limits *limits, struct limits_place *place, struct in_addr addr,
		  void *owner)
{
	struct limits_source *source = limits_find(limits, addr);

	if (!source) {
		source = limits_unused(limits);
		source->addr = addr;
		TAILQ_INIT(&source->pending);
		TAILQ_INSERT_TAIL(&limits->ranks[0], source, next);
		hash_insert(&limits->hash, &source->node, limits_hash(limits, addr), source);
	}
	limits->connections++;
	source->connections++;
	*place = (struct limits_place){.owner = owner, .source = source};
	limits_unsettle(limits, place);
}

void limits_unsettle(struct limits *limits, struct limits_place *place)
{
	if (place->pending)
		return;
	place->pending = true;
	TAILQ_INSERT_TAIL(&place->source->pending, place, next);
	limits_move(limits, place->source, 1);
}

void limits_settle(struct limits *limits, struct limits_place *place)
{
	if (!place->pending)
		return;
	place->pending = false;
	TAILQ_REMOVE(&place->source->pending, place, next);
	limits_move(limits, place->source, -1);
}

void limits_leave(struct limits *limits, struct limits_place *place)
{
	struct limits_source *source = place->source;

	limits_settle(limits, place);
	limits->connections--;
	if (--source->connections > 0)
		return;
	TAILQ_REMOVE(&limits->ranks[0], source, next);
	hash_remove(&limits->hash, &source->node);
	TAILQ_INSERT_TAIL(&limits->unused, source, next);
}

uint32_t limits_count(const struct limits *limits)
{
	return limits->connections;
}

uint32_t limits_pending(const struct limits *limits)
{
	return limits->n_pending;
}
