/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Decides which repeated failures are worth a line in the log, so that a server that is off for a
 * month does not fill the disk. Pure: the time is an argument.
 */
#ifndef DTCP_CLIENT_FAILURE_LOG_H
#define DTCP_CLIENT_FAILURE_LOG_H

#include <stdbool.h>
#include <stdint.h>

/* How often a failure is logged before it is suppressed, and the interval after that, milliseconds.
 */
#define FAILURE_LOG_FIRST  5
#define FAILURE_LOG_PERIOD 3600000

/* Different failures that are remembered, so that two alternating ones are not both new. */
#define FAILURE_LOG_REASONS 4

enum failure_log_verdict {
	FAILURE_LOG_SAY,
	FAILURE_LOG_SAY_LAST,  /* log it, and that it will be suppressed from now on */
	FAILURE_LOG_SAY_AGAIN, /* log it, and how often it has occurred */
	FAILURE_LOG_SUPPRESS,
};

struct failure_log_reason {
	uint64_t hash;
	unsigned int count; /* 0: free */
	int64_t said;	    /* when it was last logged */
	int64_t last;	    /* when it last occurred */
};

struct failure_log {
	struct failure_log_reason reasons[FAILURE_LOG_REASONS];
	unsigned int failures; /* of any kind, since the last success */
	int64_t since;	       /* time of the first one */
	bool suppressed;       /* one of them was suppressed */
};

/*
 * A failure, identified by the text of its message; now in milliseconds. A stubborn one is logged
 * only once before it is suppressed.
 */
enum failure_log_verdict failure_log_add(struct failure_log *log, const char *text, bool stubborn,
					 int64_t now);

/* Success: the next failure is new. */
void failure_log_reset(struct failure_log *log);

#endif
