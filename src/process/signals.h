/* SPDX-License-Identifier: BSD-2-Clause */
/* The signals that a monitor takes for all rooms. */
#ifndef DTCP_PROCESS_SIGNALS_H
#define DTCP_PROCESS_SIGNALS_H

#include <event2/event.h>
#include <stddef.h>

struct signals;

typedef void (*signals_taken)(int signal_number, void *arg);

/*
 * Lets signals wait until signals_new() is there to take them; first of all, since before that they
 * kill. What else was blocked by those who started us would never be heard of.
 */
void signals_block(const int list[], size_t count);

/* Takes the signals of the list from now on. NULL where memory is short. */
struct signals *signals_new(struct event_base *base, const int list[], size_t count,
			    signals_taken taken, void *arg);

/* Takes them no more, and lets those that still come wait for the end. NULL is allowed. */
void signals_free(struct signals *signals);

#endif
