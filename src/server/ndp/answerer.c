/* SPDX-License-Identifier: BSD-2-Clause */
#include "server/ndp/answerer.h"

#include "base/hash.h"
#include "base/rate.h"
#include "server/ndp/recent.h"

#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

/* Prefixes by value, with the number of each length. */
struct answerer_set {
	struct hash hash;
	TAILQ_HEAD(, answerer_entry) all;
	uint32_t lengths[129];
};

struct answerer_entry {
	struct hash_node node;
	TAILQ_ENTRY(answerer_entry) next;
	struct prefix6 prefix;
	uint32_t uses;
	struct rate rate;      /* for addresses that were not asked for recently */
	struct rate kept_rate; /* for others */
	struct recent *recent; /* recently asked addresses; NULL: none yet */
};

struct answerer {
	uint64_t key[2];
	struct answerer_set sessions;
	struct answerer_set never;
	struct server_ndp_link link; /* interface 0: answers nothing */
	struct rate rate;
	struct rate kept_rate;
};

static uint64_t answerer_hash(const struct answerer *answerer, const struct prefix6 *prefix)
{
	uint64_t words[3] = {0, 0, prefix->len};

	memcpy(words, &prefix->addr, sizeof(prefix->addr));
	return hash_words(answerer->key, words, 3);
}

static struct answerer_entry *answerer_get(const struct answerer *answerer,
					   const struct answerer_set *set,
					   const struct prefix6 *prefix)
{
	struct hash_node *node = hash_first(&set->hash, answerer_hash(answerer, prefix));

	while (node && !prefix6_equal(&((struct answerer_entry *)node->item)->prefix, prefix))
		node = hash_next(node);
	return node ? node->item : NULL;
}

/* The longest prefix of a set that contains the address; NULL: none. */
static struct answerer_entry *answerer_match(const struct answerer *answerer,
					     const struct answerer_set *set,
					     const struct in6_addr *addr)
{
	for (uint8_t len = 128; len > 0; len--) {
		struct prefix6 prefix = {.len = len};
		struct answerer_entry *entry;

		if (set->lengths[len] == 0)
			continue;
		prefix.addr = prefix6_mask(addr, len);
		entry = answerer_get(answerer, set, &prefix);
		if (entry)
			return entry;
	}
	return NULL;
}

static struct answerer_entry *answerer_put(const struct answerer *answerer,
					   struct answerer_set *set, const struct prefix6 *prefix)
{
	struct answerer_entry *entry = answerer_get(answerer, set, prefix);

	if (entry) {
		entry->uses++;
		return entry;
	}
	entry = calloc(1, sizeof(*entry));
	if (!entry)
		return NULL;
	entry->prefix = *prefix;
	entry->uses = 1;
	hash_insert(&set->hash, &entry->node, answerer_hash(answerer, prefix), entry);
	TAILQ_INSERT_TAIL(&set->all, entry, next);
	set->lengths[prefix->len]++;
	return entry;
}

static void answerer_drop(struct answerer_set *set, struct answerer_entry *entry)
{
	hash_remove(&set->hash, &entry->node);
	TAILQ_REMOVE(&set->all, entry, next);
	set->lengths[entry->prefix.len]--;
	free(entry->recent);
	free(entry);
}

static void answerer_clear(struct answerer_set *set)
{
	struct answerer_entry *entry;

	while ((entry = TAILQ_FIRST(&set->all)))
		answerer_drop(set, entry);
}

struct answerer *answerer_new(uint64_t now)
{
	struct answerer *answerer = calloc(1, sizeof(*answerer));

	if (!answerer)
		return NULL;
	TAILQ_INIT(&answerer->sessions.all);
	TAILQ_INIT(&answerer->never.all);
	arc4random_buf(answerer->key, sizeof(answerer->key));
	rate_init_burst(&answerer->rate, ANSWERER_RATE, ANSWERER_RATE, now);
	rate_init_burst(&answerer->kept_rate, ANSWERER_KEPT_RATE, ANSWERER_KEPT_RATE, now);
	if (hash_init(&answerer->sessions.hash) == 0 && hash_init(&answerer->never.hash) == 0)
		return answerer;
	answerer_free(answerer);
	return NULL;
}

void answerer_free(struct answerer *answerer)
{
	if (!answerer)
		return;
	answerer_clear(&answerer->sessions);
	answerer_clear(&answerer->never);
	hash_free(&answerer->sessions.hash);
	hash_free(&answerer->never.hash);
	free(answerer);
}

bool answerer_add(struct answerer *answerer, const struct prefix6 *prefix, uint64_t now)
{
	struct answerer_entry *entry = answerer_put(answerer, &answerer->sessions, prefix);

	if (entry && entry->uses == 1) {
		rate_init_burst(&entry->rate, ANSWERER_PREFIX_RATE, ANSWERER_PREFIX_RATE, now);
		rate_init_burst(&entry->kept_rate, ANSWERER_KEPT_PREFIX_RATE,
				ANSWERER_KEPT_PREFIX_RATE, now);
	}
	return entry;
}

void answerer_forget(struct answerer *answerer)
{
	answerer_clear(&answerer->sessions);
}

void answerer_remove(struct answerer *answerer, const struct prefix6 *prefix)
{
	struct answerer_entry *entry = answerer_get(answerer, &answerer->sessions, prefix);

	if (entry && --entry->uses == 0)
		answerer_drop(&answerer->sessions, entry);
}

void answerer_start(struct answerer *answerer, const struct server_ndp_link *link)
{
	answerer->link = *link;
}

void answerer_stop(struct answerer *answerer)
{
	answerer->link.interface = 0;
	answerer_clear(&answerer->never);
}

bool answerer_never(struct answerer *answerer, const struct prefix6 *prefix)
{
	return answerer_put(answerer, &answerer->never, prefix);
}

unsigned int answerer_interface(const struct answerer *answerer)
{
	return answerer->link.interface;
}

/*
 * Whether the budget allows an answer. Solicitations caused by a scan from outside do not reduce
 * the budget of addresses in use, or of other prefixes.
 */
static bool answerer_take(struct answerer *answerer, struct answerer_entry *entry,
			  const struct neighbour_solicitation *solicitation, uint64_t now)
{
	const struct prefix6 single = {.addr = solicitation->target, .len = 128};
	const uint64_t hash = answerer_hash(answerer, &single);
	/* A prefix of a single address cannot be scanned. */
	bool kept = solicitation->unicast || entry->prefix.len == 128 ||
		    (entry->recent && recent_has(entry->recent, hash, now));

	if (!rate_take(kept ? &entry->kept_rate : &entry->rate, now) ||
	    !rate_take(kept ? &answerer->kept_rate : &answerer->rate, now))
		return false;
	/* If memory is short, all addresses are treated alike. */
	if (!entry->recent && entry->prefix.len < 128)
		entry->recent = calloc(1, sizeof(*entry->recent));
	if (entry->recent)
		recent_note(entry->recent, hash, now);
	return true;
}

enum answerer_verdict answerer_ask(struct answerer *answerer, const uint8_t *packet, size_t size,
				   uint64_t now, struct answerer_answer *answer)
{
	struct neighbour_solicitation solicitation;
	struct answerer_entry *entry;

	if (answerer->link.interface == 0 || !neighbour_parse(packet, size, &solicitation))
		return ANSWERER_NOT_OURS;
	entry = answerer_match(answerer, &answerer->sessions, &solicitation.target);
	if (!entry || answerer_match(answerer, &answerer->never, &solicitation.target))
		return ANSWERER_NOT_OURS;
	if (!answerer_take(answerer, entry, &solicitation, now))
		return ANSWERER_TOO_MANY;
	neighbour_answer(&solicitation, &answerer->link.source, answerer->link.mac, answer->packet);
	answer->target = solicitation.target;
	answer->for_all = neighbour_is_for_all(&solicitation);
	return ANSWERER_ANSWER;
}
