/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/hash.h"

#include <errno.h>
#include <stdlib.h>

#define HASH_BUCKETS_FIRST 16

struct siphash {
	uint64_t a, b, c, d;
};

static uint64_t rotate(uint64_t x, unsigned bits)
{
	return x << bits | x >> (64 - bits);
}

static void siphash_round(struct siphash *s)
{
	s->a += s->b;
	s->c += s->d;
	s->b = rotate(s->b, 13) ^ s->a;
	s->d = rotate(s->d, 16) ^ s->c;
	s->a = rotate(s->a, 32);
	s->c += s->b;
	s->a += s->d;
	s->b = rotate(s->b, 17) ^ s->c;
	s->d = rotate(s->d, 21) ^ s->a;
	s->c = rotate(s->c, 32);
}

static void siphash_word(struct siphash *s, uint64_t word)
{
	s->d ^= word;
	siphash_round(s);
	siphash_round(s);
	s->a ^= word;
}

uint64_t hash_words(const uint64_t key[static 2], const uint64_t *words, size_t n)
{
	struct siphash s = {
		.a = key[0] ^ UINT64_C(0x736f6d6570736575),
		.b = key[1] ^ UINT64_C(0x646f72616e646f6d),
		.c = key[0] ^ UINT64_C(0x6c7967656e657261),
		.d = key[1] ^ UINT64_C(0x7465646279746573),
	};

	for (size_t i = 0; i < n; i++)
		siphash_word(&s, words[i]);
	/* The last block has the length in bytes in its top byte, and the remaining bytes, here
	 * none. */
	siphash_word(&s, (uint64_t)n * 8 << 56);
	s.c ^= 0xff;
	for (int i = 0; i < 4; i++)
		siphash_round(&s);
	return s.a ^ s.b ^ s.c ^ s.d;
}

int hash_init(struct hash *hash)
{
	hash->buckets = calloc(HASH_BUCKETS_FIRST, sizeof(struct hash_node *));
	if (!hash->buckets)
		return -ENOMEM;
	hash->mask = HASH_BUCKETS_FIRST - 1;
	hash->count = 0;
	return 0;
}

void hash_free(struct hash *hash)
{
	free(hash->buckets);
	hash->buckets = NULL;
}

static void hash_grow(struct hash *hash)
{
	size_t n = (hash->mask + 1) * 2;
	struct hash_node **buckets = calloc(n, sizeof(struct hash_node *));

	if (!buckets)
		return;
	for (size_t i = 0; i <= hash->mask; i++) {
		struct hash_node *node = hash->buckets[i];

		while (node) {
			struct hash_node *next = node->next;
			struct hash_node **bucket = &buckets[node->value & (n - 1)];

			node->next = *bucket;
			*bucket = node;
			node = next;
		}
	}
	free(hash->buckets);
	hash->buckets = buckets;
	hash->mask = n - 1;
}

void hash_insert(struct hash *hash, struct hash_node *node, uint64_t value, void *item)
{
	if (hash->count > hash->mask)
		hash_grow(hash);

	struct hash_node **bucket = &hash->buckets[value & hash->mask];

	node->value = value;
	node->item = item;
	node->next = *bucket;
	*bucket = node;
	hash->count++;
}

void hash_remove(struct hash *hash, struct hash_node *node)
{
	struct hash_node **link = &hash->buckets[node->value & hash->mask];

	while (*link != node)
		link = &(*link)->next;
	*link = node->next;
	hash->count--;
}

static struct hash_node *hash_skip(struct hash_node *node, uint64_t value)
{
	while (node && node->value != value)
		node = node->next;
	return node;
}

struct hash_node *hash_first(const struct hash *hash, uint64_t value)
{
	return hash_skip(hash->buckets[value & hash->mask], value);
}

struct hash_node *hash_next(const struct hash_node *node)
{
	return hash_skip(node->next, node->value);
}
