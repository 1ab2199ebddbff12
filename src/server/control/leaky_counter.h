/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Counts that fade, for at most so many keys: what nobody adds to falls by a fixed number a minute,
 * down to nothing. If there is no room for another key, the one that was touched longest ago is
 * forgotten. Pure: the time, in milliseconds, is an argument.
 *
 * Keys are taken for hashes already: they come from hash_words() with a secret, so that nobody
 * outside can choose which of them meet.
 */
#ifndef DTCP_SERVER_CONTROL_LEAKY_COUNTER_H
#define DTCP_SERVER_CONTROL_LEAKY_COUNTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct leaky_counter;

/* NULL if memory is short. keys: how many at most. */
struct leaky_counter *leaky_counter_new(size_t keys, uint32_t fade_per_minute);
void leaky_counter_free(struct leaky_counter *counter);

/* From now on another pace. */
void leaky_counter_set_fade(struct leaky_counter *counter, uint32_t fade_per_minute, int64_t now);

/* The count, a begun one counting as whole; 0 for a key that is not known. */
uint32_t leaky_counter_get(const struct leaky_counter *counter, uint64_t key, int64_t now);

/* Adds one, and returns the new count. */
uint32_t leaky_counter_add(struct leaky_counter *counter, uint64_t key, int64_t now);

/* Makes a key known without counting, or keeps it from being forgotten. */
void leaky_counter_touch(struct leaky_counter *counter, uint64_t key, int64_t now);
bool leaky_counter_knows(const struct leaky_counter *counter, uint64_t key);

#endif
