/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The signals of a root process: blocked until its event loop handles them, and again at the end,
 * so that none interrupts the cleanup.
 */
#ifndef DTCP_PROCESS_SIGNALS_H
#define DTCP_PROCESS_SIGNALS_H

#include <event2/event.h>
#include <stdbool.h>

/* SIGHUP, SIGINT, SIGTERM, SIGUSR1, SIGUSR2. */
enum { SIGNALS_COUNT = 5 };

struct signals {
	struct event *events[SIGNALS_COUNT]; /* NULL: not handled */
};

/* Blocks these signals, and unblocks all others. */
void signals_hold(void);

/* Calls on_signal for each from now on, also for pending ones. False if memory is short. */
bool signals_take(struct signals *signals, struct event_base *base, event_callback_fn on_signal,
		  void *arg);

/* Blocks them again. May be called repeatedly. */
void signals_leave(struct signals *signals);

#endif
