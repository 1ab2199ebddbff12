/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Failures that come again and again: which of them are worth a line in the log. A server that is
 * off for a month is not to fill the disk. Pure: the time goes in.
 */
#ifndef DTCP_CLIENT_FAILURE_LOG_H
#define DTCP_CLIENT_FAILURE_LOG_H

#include <stdbool.h>
#include <stdint.h>

/* How often a failure is said before it is left out, and after how many milliseconds once more. */
#define FAILURE_LOG_FIRST  5
#define FAILURE_LOG_PERIOD 3600000

/* Different failures that are remembered, so that two that take turns are not both news. */
#define FAILURE_LOG_REASONS 4

enum failure_log_verdict {
	FAILURE_LOG_SAY,
	FAILURE_LOG_SAY_LAST,  /* and say that it will be left out from now on */
	FAILURE_LOG_SAY_AGAIN, /* and say how often it was there */
	FAILURE_LOG_SUPPRESS,
};

struct failure_log_reason {
	uint64_t hash;
	unsigned int count; /* 0: free */
	int64_t said;	    /* when last */
	int64_t last;	    /* when it was last there */
};

struct failure_log {
	struct failure_log_reason reasons[FAILURE_LOG_REASONS];
	unsigned int failures; /* of any kind, since the beginning */
	int64_t since;	       /* when the first of them was */
	bool suppressed;       /* one of them was left out */
};

/*
 * A failure, in the words of its message; now in milliseconds. One that is stubborn is said once
 * only before it is left out.
 */
enum failure_log_verdict failure_log_add(struct failure_log *log, const char *text, bool stubborn,
					 int64_t now);

/* All is well: the next failure is news. */
void failure_log_reset(struct failure_log *log);

#endif
