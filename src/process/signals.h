/* SPDX-License-Identifier: BSD-2-Clause */
/* The signals that a root process takes: held back until its loop can take them in, and again at
 * the end, so that none kills it in the middle of what it does. */
#ifndef DTCP_PROCESS_SIGNALS_H
#define DTCP_PROCESS_SIGNALS_H

#include <event2/event.h>
#include <stdbool.h>

/* SIGHUP, SIGINT, SIGTERM, SIGUSR1, SIGUSR2. */
enum { SIGNALS_COUNT = 5 };

struct signals {
	struct event *events[SIGNALS_COUNT]; /* NULL: not taken */
};

/* These wait from now on, and no others. */
void signals_hold(void);

/* From now on on_signal gets them, also those that have waited. False if memory is short. */
bool signals_take(struct signals *signals, struct event_base *base, event_callback_fn on_signal,
		  void *arg);

/* They wait again. Once more is harmless. */
void signals_leave(struct signals *signals);

#endif
