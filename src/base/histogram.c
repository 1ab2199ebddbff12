/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/histogram.h"

const uint32_t histogram_bounds[HISTOGRAM_BOUNDS] = {
	1000,	2500,	5000,	 10000,	  25000,   50000,    100000,
	250000, 500000, 1000000, 2500000, 5000000, 10000000,
};

void histogram_add(struct histogram *histogram, uint64_t us)
{
	histogram->count++;
	histogram->sum += us;
	for (unsigned int i = 0; i < HISTOGRAM_BOUNDS; i++) {
		if (us <= histogram_bounds[i]) {
			histogram->within[i]++;
			return;
		}
	}
}
