/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Leaky counters for a bounded number of keys: a count falls by a fixed number a minute, down to
 * zero. If there is no space for another key, the least recently touched one is removed. Pure: the
 * time, in milliseconds, is an argument.
 *
 * Keys are used as hashes: they come from hash_words() with a secret, so that nobody outside can
 * cause collisions.
 */
#ifndef DTCP_SERVER_CONTROL_LEAKY_COUNTER_H
#define DTCP_SERVER_CONTROL_LEAKY_COUNTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct leaky_counter;

/* keys: their largest number. NULL if memory is short. */
struct leaky_counter *leaky_counter_new(size_t keys, uint32_t fade_per_minute);
void leaky_counter_free(struct leaky_counter *counter);

/* Changes the rate from now on. */
void leaky_counter_set_fade(struct leaky_counter *counter, uint32_t fade_per_minute, int64_t now);

/* The count, rounded up; 0 for an unknown key. */
uint32_t leaky_counter_get(const struct leaky_counter *counter, uint64_t key, int64_t now);

/* Adds one, and returns the new count. */
uint32_t leaky_counter_add(struct leaky_counter *counter, uint64_t key, int64_t now);

/* Adds a key without counting, or marks it as recently used. */
void leaky_counter_touch(struct leaky_counter *counter, uint64_t key, int64_t now);
bool leaky_counter_knows(const struct leaky_counter *counter, uint64_t key);

#endif
