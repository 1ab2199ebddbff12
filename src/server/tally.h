/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Counts that fade, for at most so many keys: what nobody adds to falls by a fixed number a minute,
 * down to nothing. Where there is no room for another key, the one that was touched longest ago is
 * forgotten. Pure: the time, in milliseconds, is an argument.
 *
 * Keys are taken for hashes already: they come from hash_words() with a secret, so that nobody
 * outside can choose which of them meet.
 */
#ifndef DTCP_SERVER_TALLY_H
#define DTCP_SERVER_TALLY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct tally;

/* NULL where memory is short. keys: how many at most. */
struct tally *tally_new(size_t keys, uint32_t fade_per_minute);
void tally_free(struct tally *tally);

/* From now on another pace. */
void tally_set_fade(struct tally *tally, uint32_t fade_per_minute, int64_t now);

/* The count, a begun one counting as whole; 0 for a key that is not known. */
uint32_t tally_get(const struct tally *tally, uint64_t key, int64_t now);

/* Adds one, and returns the new count. */
uint32_t tally_add(struct tally *tally, uint64_t key, int64_t now);

/* Makes a key known without counting, or keeps it from being forgotten. */
void tally_touch(struct tally *tally, uint64_t key, int64_t now);
bool tally_knows(const struct tally *tally, uint64_t key);

#endif
