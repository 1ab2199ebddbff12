/* SPDX-License-Identifier: BSD-2-Clause */
#include "server/tally.h"

#include "base/hash.h"

#include <stdlib.h>
#include <sys/queue.h>

/* A count in parts, so many that each millisecond can take a whole number of them away. */
enum { TALLY_ONE = 60000 };

struct tally_entry {
	struct hash_node node;
	TAILQ_ENTRY(tally_entry) age;
	uint64_t count; /* in parts of TALLY_ONE */
	int64_t at;	/* when it was that */
};

struct tally {
	uint32_t fade; /* counts a minute, which is parts a millisecond */
	struct hash hash;
	TAILQ_HEAD(, tally_entry) ages; /* the one touched last is the last */
	size_t size;
	size_t used; /* entries behind it have never been used */
	struct tally_entry *entries;
};

struct tally *tally_new(size_t keys, uint32_t fade_per_minute)
{
	struct tally *tally = calloc(1, sizeof(*tally));

	if (!tally)
		return NULL;
	TAILQ_INIT(&tally->ages);
	tally->fade = fade_per_minute;
	tally->size = keys;
	tally->entries = calloc(keys, sizeof(*tally->entries));
	if (!tally->entries || hash_init(&tally->hash) != 0) {
		tally_free(tally);
		return NULL;
	}
	return tally;
}

void tally_free(struct tally *tally)
{
	if (!tally)
		return;
	hash_free(&tally->hash);
	free(tally->entries);
	free(tally);
}

static uint64_t tally_faded(const struct tally *tally, const struct tally_entry *entry, int64_t now)
{
	uint64_t gone = (uint64_t)(now - entry->at) * tally->fade;

	return gone < entry->count ? entry->count - gone : 0;
}

static struct tally_entry *tally_find(const struct tally *tally, uint64_t key)
{
	struct hash_node *node = hash_first(&tally->hash, key);

	return node ? node->item : NULL;
}

/* The entry of a key, the youngest of all now, with its count as it is now. */
static struct tally_entry *tally_take(struct tally *tally, uint64_t key, int64_t now)
{
	struct tally_entry *entry = tally_find(tally, key);

	if (entry) {
		TAILQ_REMOVE(&tally->ages, entry, age);
		entry->count = tally_faded(tally, entry, now);
	} else {
		if (tally->used < tally->size) {
			entry = &tally->entries[tally->used++];
		} else {
			entry = TAILQ_FIRST(&tally->ages);
			TAILQ_REMOVE(&tally->ages, entry, age);
			hash_remove(&tally->hash, &entry->node);
		}
		entry->count = 0;
		hash_insert(&tally->hash, &entry->node, key, entry);
	}
	entry->at = now;
	TAILQ_INSERT_TAIL(&tally->ages, entry, age);
	return entry;
}

static uint32_t tally_whole(uint64_t count)
{
	return (uint32_t)((count + TALLY_ONE - 1) / TALLY_ONE);
}

void tally_set_fade(struct tally *tally, uint32_t fade_per_minute, int64_t now)
{
	for (size_t i = 0; i < tally->used; i++) {
		struct tally_entry *entry = &tally->entries[i];

		entry->count = tally_faded(tally, entry, now);
		entry->at = now;
	}
	tally->fade = fade_per_minute;
}

uint32_t tally_get(const struct tally *tally, uint64_t key, int64_t now)
{
	const struct tally_entry *entry = tally_find(tally, key);

	return entry ? tally_whole(tally_faded(tally, entry, now)) : 0;
}

uint32_t tally_add(struct tally *tally, uint64_t key, int64_t now)
{
	struct tally_entry *entry = tally_take(tally, key, now);

	entry->count += TALLY_ONE;
	return tally_whole(entry->count);
}

void tally_touch(struct tally *tally, uint64_t key, int64_t now)
{
	(void)tally_take(tally, key, now);
}

bool tally_knows(const struct tally *tally, uint64_t key)
{
	return tally_find(tally, key) != NULL;
}
