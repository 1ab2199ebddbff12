/* SPDX-License-Identifier: BSD-2-Clause */
/* The last hour of a daemon, in fixed memory: what the graphs of the page show. */
#ifndef DTCP_WEB_HISTORY_H
#define DTCP_WEB_HISTORY_H

#include <event2/buffer.h>
#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Seconds from one sample to the next, and how many there are: one hour's rates. */
#define HISTORY_STEP	10
#define HISTORY_SAMPLES 361

struct history_sample {
	int64_t at;	/* milliseconds since 1970 */
	bool known;	/* false: the daemon did not answer */
	uint32_t count; /* sessions; of a client 1 if it is up */
	json_int_t pid; /* counters begin anew with another process */
	uint64_t in;	/* octets since the start */
	uint64_t out;
};

struct history {
	size_t first;
	size_t count;
	struct history_sample samples[HISTORY_SAMPLES];
};

/* status as a daemon says it, NULL if it does not answer. */
void history_add(struct history *history, int64_t at, const json_t *status);

/*
 * Appends members of an object: "step", and the arrays "time", "count", "in" and "out" (octets per
 * second since the sample before), with null for what is not known. False if memory is short.
 */
bool history_write(const struct history *history, struct evbuffer *out);

#endif
