/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A hash table with nodes inside the items. Hashes are keyed, so that nobody outside can choose
 * addresses that all fall into one chain.
 */
#ifndef DTCP_BASE_HASH_H
#define DTCP_BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

struct hash_node {
	struct hash_node *next;
	uint64_t value;
	void *item;
};

struct hash {
	struct hash_node **buckets;
	size_t mask; /* buckets less one; their number is a power of two */
	size_t count;
};

/* Returns 0 or -ENOMEM. */
int hash_init(struct hash *hash);

/* Frees the buckets, but not the items. */
void hash_free(struct hash *hash);

/* Never fails: if memory to grow is short, chains get longer. */
void hash_insert(struct hash *hash, struct hash_node *node, uint64_t value, void *item);

/* The node must be in this table. */
void hash_remove(struct hash *hash, struct hash_node *node);

/* The first node with this value, and the next one; the caller compares the items' keys. */
struct hash_node *hash_first(const struct hash *hash, uint64_t value);
struct hash_node *hash_next(const struct hash_node *node);

/* SipHash-2-4 of n words. */
uint64_t hash_words(const uint64_t key[static 2], const uint64_t *words, size_t n);

#endif
