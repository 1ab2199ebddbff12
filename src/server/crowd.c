/* SPDX-License-Identifier: BSD-2-Clause */
#include "server/crowd.h"

#include "base/hash.h"

#include <stdlib.h>

/*
 * Addresses with more pending connections than this are all alike; and an address with no more than
 * a few of them is no flood of its own.
 */
enum { CROWD_RANKS = 1024, CROWD_FEW = 4 };

TAILQ_HEAD(crowd_places, crowd_place);
TAILQ_HEAD(crowd_sources, crowd_source);

/* An address with a connection. */
struct crowd_source {
	struct hash_node node;
	TAILQ_ENTRY(crowd_source) next; /* of its rank, or of those not used any more */
	struct in_addr addr;
	uint32_t connections;
	uint32_t n_pending;
	struct crowd_places fresh; /* pending ones, the oldest first */
	struct crowd_places spoiled;
};

struct crowd {
	const struct crowd_config *config;
	uint64_t key[2];
	struct hash hash;
	uint32_t connections;
	uint32_t n_pending;
	uint32_t worst; /* highest rank that somebody has, 0 for none */
	struct crowd_sources ranks[CROWD_RANKS + 1]; /* by pending connections */
	struct crowd_places spoiled; /* the one that was spoiled first is the first */
	struct crowd_sources unused;
	uint32_t size;
	uint32_t used; /* sources behind it have never been used */
	struct crowd_source *sources;
};

struct crowd *crowd_new(const struct crowd_config *config, uint32_t sources,
			const uint64_t key[static 2])
{
	struct crowd *crowd = calloc(1, sizeof(*crowd));

	if (!crowd)
		return NULL;
	crowd->config = config;
	crowd->key[0] = key[0];
	crowd->key[1] = key[1];
	crowd->size = sources;
	crowd->sources = calloc(sources, sizeof(*crowd->sources));
	if (!crowd->sources || hash_init(&crowd->hash) != 0) {
		crowd_free(crowd);
		return NULL;
	}
	TAILQ_INIT(&crowd->spoiled);
	TAILQ_INIT(&crowd->unused);
	for (size_t i = 0; i <= CROWD_RANKS; i++)
		TAILQ_INIT(&crowd->ranks[i]);
	return crowd;
}

void crowd_free(struct crowd *crowd)
{
	if (!crowd)
		return;
	hash_free(&crowd->hash);
	free(crowd->sources);
	free(crowd);
}

static bool crowd_is_full(const struct crowd *crowd)
{
	return crowd->used == crowd->size && TAILQ_EMPTY(&crowd->unused);
}

static struct crowd_source *crowd_unused(struct crowd *crowd)
{
	struct crowd_source *source = TAILQ_FIRST(&crowd->unused);

	if (!source)
		return &crowd->sources[crowd->used++];
	TAILQ_REMOVE(&crowd->unused, source, next);
	return source;
}

static uint64_t crowd_hash(const struct crowd *crowd, struct in_addr addr)
{
	const uint64_t word = addr.s_addr;

	return hash_words(crowd->key, &word, 1);
}

static struct crowd_source *crowd_find(const struct crowd *crowd, struct in_addr addr)
{
	struct hash_node *node = hash_first(&crowd->hash, crowd_hash(crowd, addr));

	while (node && ((struct crowd_source *)node->item)->addr.s_addr != addr.s_addr)
		node = hash_next(node);
	return node ? node->item : NULL;
}

static uint32_t crowd_rank(const struct crowd_source *source)
{
	return source->n_pending < CROWD_RANKS ? source->n_pending : CROWD_RANKS;
}

/* One pending connection of a source more, or one less. */
static void crowd_move(struct crowd *crowd, struct crowd_source *source, int by)
{
	uint32_t rank = crowd_rank(source);

	TAILQ_REMOVE(&crowd->ranks[rank], source, next);
	source->n_pending += (uint32_t)by;
	crowd->n_pending += (uint32_t)by;
	rank = crowd_rank(source);
	/* The last in its rank: among equals, the ones that have been there for longest go first.
	 */
	TAILQ_INSERT_TAIL(&crowd->ranks[rank], source, next);
	if (rank > crowd->worst)
		crowd->worst = rank;
	while (crowd->worst > 0 && TAILQ_EMPTY(&crowd->ranks[crowd->worst]))
		crowd->worst--;
}

/* Of an address, NULL for none. */
static struct crowd_place *crowd_worst_of(const struct crowd_source *source)
{
	struct crowd_place *place = TAILQ_FIRST(&source->spoiled);

	return place ? place : TAILQ_FIRST(&source->fresh);
}

struct crowd_place *crowd_worst(const struct crowd *crowd)
{
	if (crowd->worst == 0)
		return NULL;
	if (crowd->worst <= CROWD_FEW && !TAILQ_EMPTY(&crowd->spoiled))
		return TAILQ_FIRST(&crowd->spoiled);
	return crowd_worst_of(TAILQ_FIRST(&crowd->ranks[crowd->worst]));
}

enum crowd_answer crowd_ask(const struct crowd *crowd, struct in_addr addr,
			    struct crowd_place **drop, const char **why)
{
	const struct crowd_config *config = crowd->config;
	const struct crowd_source *source = crowd_find(crowd, addr);

	*drop = NULL;
	*why = NULL;
	if (source && source->n_pending >= config->source_pending)
		*why = "limit.source.pending";
	else if (source && source->connections >= config->source_connections)
		*why = "limit.source.connections";
	if (*why) {
		*drop = crowd_worst_of(source);
		return *drop ? CROWD_DROP : CROWD_REFUSE;
	}
	if (crowd->n_pending >= config->pending)
		*why = "limit.pending";
	else if (crowd->connections >= config->connections || crowd_is_full(crowd))
		*why = "limit.connections";
	else
		return CROWD_ENTER;
	*drop = crowd_worst(crowd);
	return *drop ? CROWD_DROP : CROWD_REFUSE;
}

void crowd_enter(struct crowd *crowd, struct crowd_place *place, struct in_addr addr, void *owner)
{
	struct crowd_source *source = crowd_find(crowd, addr);

	if (!source) {
		source = crowd_unused(crowd);
		source->addr = addr;
		TAILQ_INIT(&source->fresh);
		TAILQ_INIT(&source->spoiled);
		TAILQ_INSERT_TAIL(&crowd->ranks[0], source, next);
		hash_insert(&crowd->hash, &source->node, crowd_hash(crowd, addr), source);
	}
	crowd->connections++;
	source->connections++;
	*place = (struct crowd_place){.owner = owner, .source = source};
	crowd_unsettle(crowd, place);
}

void crowd_unsettle(struct crowd *crowd, struct crowd_place *place)
{
	if (place->pending)
		return;
	place->pending = true;
	TAILQ_INSERT_TAIL(&place->source->fresh, place, next);
	crowd_move(crowd, place->source, 1);
}

/* Takes a pending one out of its lists. */
static void crowd_unlist(struct crowd *crowd, struct crowd_place *place)
{
	if (place->spoiled) {
		TAILQ_REMOVE(&place->source->spoiled, place, next);
		TAILQ_REMOVE(&crowd->spoiled, place, next_spoiled);
	} else {
		TAILQ_REMOVE(&place->source->fresh, place, next);
	}
}

void crowd_settle(struct crowd *crowd, struct crowd_place *place)
{
	if (!place->pending)
		return;
	crowd_unlist(crowd, place);
	place->pending = false;
	place->spoiled = false;
	crowd_move(crowd, place->source, -1);
}

void crowd_spoil(struct crowd *crowd, struct crowd_place *place)
{
	if (!place->pending || place->spoiled)
		return;
	crowd_unlist(crowd, place);
	place->spoiled = true;
	TAILQ_INSERT_TAIL(&place->source->spoiled, place, next);
	TAILQ_INSERT_TAIL(&crowd->spoiled, place, next_spoiled);
}

void crowd_leave(struct crowd *crowd, struct crowd_place *place)
{
	struct crowd_source *source = place->source;

	crowd_settle(crowd, place);
	crowd->connections--;
	if (--source->connections > 0)
		return;
	TAILQ_REMOVE(&crowd->ranks[0], source, next);
	hash_remove(&crowd->hash, &source->node);
	TAILQ_INSERT_TAIL(&crowd->unused, source, next);
}

uint32_t crowd_count(const struct crowd *crowd)
{
	return crowd->connections;
}

uint32_t crowd_pending(const struct crowd *crowd)
{
	return crowd->n_pending;
}
