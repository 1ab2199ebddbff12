/* SPDX-License-Identifier: BSD-2-Clause */
#include "server/control/leaky_counter.h"

#include "base/hash.h"

#include <stdlib.h>
#include <sys/queue.h>

/* A count in fractions, such that an integral number of them leaks each millisecond. */
enum { LEAKY_COUNTER_ONE = 60000 };

struct leaky_counter_entry {
	struct hash_node node;
	TAILQ_ENTRY(leaky_counter_entry) age;
	uint64_t count; /* in fractions of LEAKY_COUNTER_ONE */
	int64_t at;	/* time of count */
};

struct leaky_counter {
	uint32_t fade; /* counts a minute, which is fractions a millisecond */
	struct hash hash;
	TAILQ_HEAD(, leaky_counter_entry) ages; /* ordered by last use, the most recent last */
	size_t size;
	size_t used; /* entries from this index on have never been used */
	struct leaky_counter_entry *entries;
};

struct leaky_counter *leaky_counter_new(size_t keys, uint32_t fade_per_minute)
{
	struct leaky_counter *counter = calloc(1, sizeof(*counter));

	if (!counter)
		return NULL;
	TAILQ_INIT(&counter->ages);
	counter->fade = fade_per_minute;
	counter->size = keys;
	counter->entries = calloc(keys, sizeof(*counter->entries));
	if (!counter->entries || hash_init(&counter->hash) != 0) {
		leaky_counter_free(counter);
		return NULL;
	}
	return counter;
}

void leaky_counter_free(struct leaky_counter *counter)
{
	if (!counter)
		return;
	hash_free(&counter->hash);
	free(counter->entries);
	free(counter);
}

static uint64_t leaky_counter_faded(const struct leaky_counter *counter,
				    const struct leaky_counter_entry *entry, int64_t now)
{
	uint64_t gone = (uint64_t)(now - entry->at) * counter->fade;

	return gone < entry->count ? entry->count - gone : 0;
}

static struct leaky_counter_entry *leaky_counter_find(const struct leaky_counter *counter,
						      uint64_t key)
{
	struct hash_node *node = hash_first(&counter->hash, key);

	return node ? node->item : NULL;
}

/* The entry of a key, marked as the most recent, with its present count. */
static struct leaky_counter_entry *leaky_counter_take(struct leaky_counter *counter, uint64_t key,
						      int64_t now)
{
	struct leaky_counter_entry *entry = leaky_counter_find(counter, key);

	if (entry) {
		TAILQ_REMOVE(&counter->ages, entry, age);
		entry->count = leaky_counter_faded(counter, entry, now);
	} else {
		if (counter->used < counter->size) {
			entry = &counter->entries[counter->used++];
		} else {
			entry = TAILQ_FIRST(&counter->ages);
			TAILQ_REMOVE(&counter->ages, entry, age);
			hash_remove(&counter->hash, &entry->node);
		}
		entry->count = 0;
		hash_insert(&counter->hash, &entry->node, key, entry);
	}
	entry->at = now;
	TAILQ_INSERT_TAIL(&counter->ages, entry, age);
	return entry;
}

static uint32_t leaky_counter_whole(uint64_t count)
{
	return (uint32_t)((count + LEAKY_COUNTER_ONE - 1) / LEAKY_COUNTER_ONE);
}

void leaky_counter_set_fade(struct leaky_counter *counter, uint32_t fade_per_minute, int64_t now)
{
	for (size_t i = 0; i < counter->used; i++) {
		struct leaky_counter_entry *entry = &counter->entries[i];

		entry->count = leaky_counter_faded(counter, entry, now);
		entry->at = now;
	}
	counter->fade = fade_per_minute;
}

uint32_t leaky_counter_get(const struct leaky_counter *counter, uint64_t key, int64_t now)
{
	const struct leaky_counter_entry *entry = leaky_counter_find(counter, key);

	return entry ? leaky_counter_whole(leaky_counter_faded(counter, entry, now)) : 0;
}

uint32_t leaky_counter_add(struct leaky_counter *counter, uint64_t key, int64_t now)
{
	struct leaky_counter_entry *entry = leaky_counter_take(counter, key, now);

	entry->count += LEAKY_COUNTER_ONE;
	return leaky_counter_whole(entry->count);
}

void leaky_counter_touch(struct leaky_counter *counter, uint64_t key, int64_t now)
{
	(void)leaky_counter_take(counter, key, now);
}

bool leaky_counter_knows(const struct leaky_counter *counter, uint64_t key)
{
	return leaky_counter_find(counter, key) != NULL;
}
