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
 * A full bucket. The burst is a tenth of a second's worth, but at least ten tokens (or a full
 * second's worth if that is less).
 */
void rate_init(struct rate *rate, uint32_t per_second, uint64_t now);

/* The same, with this burst. */
void rate_init_burst(struct rate *rate, uint32_t per_second, uint32_t burst, uint64_t now);

/* Takes a token; false if there is none. now must never go back. */
bool rate_take(struct rate *rate, uint64_t now);

/* Milliseconds until there is a token: 0 if rate_take() would succeed, UINT64_MAX: never. */
uint64_t rate_wait(const struct rate *rate, uint64_t now);

#endif
