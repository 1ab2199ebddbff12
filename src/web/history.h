/* SPDX-License-Identifier: BSD-2-Clause */
/* The last hour of a daemon, in fixed memory, for the graphs of the page. */
#ifndef DTCP_WEB_HISTORY_H
#define DTCP_WEB_HISTORY_H

#include <event2/buffer.h>
#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Seconds between samples, and their number: one hour of rates. */
#define HISTORY_STEP	10
#define HISTORY_SAMPLES 361

struct history_sample {
	int64_t at;	/* milliseconds since 1970 */
	bool known;	/* false: the daemon did not answer */
	uint32_t count; /* number of sessions; for a client 1 if it is up */
	json_int_t pid; /* a new process starts its counters at zero */
	uint64_t in;	/* octets since the start */
	uint64_t out;
};

struct history {
	size_t first;
	size_t count;
	struct history_sample samples[HISTORY_SAMPLES];
};

/* Adds a sample. status is the daemon's answer, NULL if it does not answer. */
void history_add(struct history *history, int64_t at, const json_t *status);

/*
 * Appends members of an object: "step", and the arrays "time", "count", "in" and "out" (octets per
 * second since the previous sample), with null for unknown values. False if memory is short.
 */
bool history_write(const struct history *history, struct evbuffer *out);

#endif
