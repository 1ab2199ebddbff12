/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/rate.h"

#define RATE_TOKEN 1000u /* a token in the bucket's unit, so that a millisecond adds an integer */

void rate_init(struct rate *rate, uint32_t per_second, uint64_t now)
{
	uint32_t burst = per_second / 10;

	if (burst < 10)
		burst = per_second < 10 ? per_second : 10;
	rate_init_burst(rate, per_second, burst, now);
}

void rate_init_burst(struct rate *rate, uint32_t per_second, uint32_t burst, uint64_t now)
{
	rate->per_second = per_second;
	rate->full = (uint64_t)burst * RATE_TOKEN;
	rate->tokens = rate->full;
	rate->last = now;
}

static uint64_t rate_tokens(const struct rate *rate, uint64_t now)
{
	uint64_t passed = now - rate->last;
	uint64_t tokens;

	/* A second fills every bucket; longer times are limited to that, to avoid overflow. */
	if (passed > 1000)
		passed = 1000;
	tokens = rate->tokens + passed * rate->per_second;
	return tokens > rate->full ? rate->full : tokens;
}

bool rate_take(struct rate *rate, uint64_t now)
{
	rate->tokens = rate_tokens(rate, now);
	rate->last = now;
	if (rate->tokens < RATE_TOKEN)
		return false;
	rate->tokens -= RATE_TOKEN;
	return true;
}

uint64_t rate_wait(const struct rate *rate, uint64_t now)
{
	uint64_t tokens = rate_tokens(rate, now);

	if (tokens >= RATE_TOKEN)
		return 0;
	if (rate->per_second == 0)
		return UINT64_MAX;
	return (RATE_TOKEN - tokens + rate->per_second - 1) / rate->per_second;
}
