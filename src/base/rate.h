/* SPDX-License-Identifier: BSD-2-Clause */
/* A token bucket. */
#ifndef DTCP_BASE_RATE_H
#define DTCP_BASE_RATE_H

#include <stdbool.h>
#include <stdint.h>

struct rate {
	uint32_t per_second;
	uint64_t full;	 /* thousandths of a token */
	uint64_t tokens; /* thousandths of a token */
	uint64_t last;	 /* milliseconds */
};

/*
 * A full bucket. A tenth of a second's worth can come at once, but never less than ten (or all of
 * a second's worth where that is less).
 */
void rate_init(struct rate *rate, uint32_t per_second, uint64_t now);

/* The same, with so many that can come at once. */
void rate_init_burst(struct rate *rate, uint32_t per_second, uint32_t burst, uint64_t now);

/* True if there was a token, which is then taken. now never goes back. */
bool rate_take(struct rate *rate, uint64_t now);

/* Milliseconds until there is one: 0 if rate_take() would succeed, UINT64_MAX for never. */
uint64_t rate_wait(const struct rate *rate, uint64_t now);

#endif
