/* SPDX-License-Identifier: BSD-2-Clause */
/* A histogram of durations. */
#ifndef DTCP_BASE_HISTOGRAM_H
#define DTCP_BASE_HISTOGRAM_H

#include <stdint.h>

enum { HISTOGRAM_BOUNDS = 13 };

/* In microseconds: 1, 2.5, 5 ms and so on to 10 s. */
extern const uint32_t histogram_bounds[HISTOGRAM_BOUNDS];

/* Zero at first. */
struct histogram {
	uint64_t count;
	uint64_t sum;			   /* microseconds */
	uint64_t within[HISTOGRAM_BOUNDS]; /* longer than the previous bound, if any */
};

void histogram_add(struct histogram *histogram, uint64_t us);

#endif
