/* SPDX-License-Identifier: BSD-2-Clause */
#include "forward/rate.h"

#define RATE_TOKEN                                                                                 \
	1000u /* a token in the bucket's unit, so that a millisecond adds a whole number */

void rate_init(struct rate *rate, uint32_t per_second, uint64_t now)
{
	uint32_t burst = per_second / 10;

	if (burst < 10)
		burst = per_second < 10 ? per_second : 10;
	rate->per_second = per_second;
	rate->full = (uint64_t)burst * RATE_TOKEN;
	rate->tokens = rate->full;
	rate->last = now;
}

bool rate_take(struct rate *rate, uint64_t now)
{
	uint64_t passed = now - rate->last;

	/* A second fills every bucket; longer times are cut to that, so nothing can overflow. */
	if (passed > 1000)
		passed = 1000;
	rate->tokens += passed * rate->per_second;
	if (rate->tokens > rate->full)
		rate->tokens = rate->full;
	rate->last = now;
	if (rate->tokens < RATE_TOKEN)
		return false;
	rate->tokens -= RATE_TOKEN;
	return true;
}
