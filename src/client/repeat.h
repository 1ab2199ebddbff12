/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Failures that come again and again: which of them are worth a line in the log. A server that is
 * off for a month is not to fill the disk. Pure: the time goes in.
 */
#ifndef DTCP_CLIENT_REPEAT_H
#define DTCP_CLIENT_REPEAT_H

#include <stdbool.h>
#include <stdint.h>

/* How often a failure is said before it is left out, and after how many milliseconds once more. */
#define REPEAT_FIRST  5
#define REPEAT_PERIOD 3600000

/* Different failures that are remembered, so that two that take turns are not both news. */
#define REPEAT_REASONS 4

enum repeat_verdict {
	REPEAT_SAY,
	REPEAT_SAY_LAST,  /* and say that it will be left out from now on */
	REPEAT_SAY_AGAIN, /* and say how often it was there */
	REPEAT_HUSH,
};

struct repeat_reason {
	uint64_t hash;
	unsigned int count; /* 0: free */
	int64_t said;	    /* when last */
	int64_t last;	    /* when it was last there */
};

struct repeat {
	struct repeat_reason reasons[REPEAT_REASONS];
	unsigned int failures; /* of any kind, since the beginning */
	int64_t since;	       /* when the first of them was */
	bool hushed;	       /* one of them was left out */
};

/*
 * A failure, in the words of its message; now in milliseconds. One that is stubborn is said once
 * only before it is left out.
 */
enum repeat_verdict repeat_failed(struct repeat *repeat, const char *text, bool stubborn,
				  int64_t now);

/* All is well: the next failure is news. */
void repeat_forget(struct repeat *repeat);

#endif
