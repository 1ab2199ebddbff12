/* SPDX-License-Identifier: BSD-2-Clause */
#include "process/signals.h"

#include <signal.h>
#include <stddef.h>

static const int signals_list[SIGNALS_COUNT] = {SIGHUP, SIGINT, SIGTERM, SIGUSR1, SIGUSR2};

static void signals_mask(int how)
{
	sigset_t set;

	sigemptyset(&set);
	for (size_t i = 0; i < SIGNALS_COUNT; i++)
		sigaddset(&set, signals_list[i]);
	(void)sigprocmask(how, &set, NULL);
}

void signals_hold(void)
{
	signals_mask(SIG_SETMASK);
}

bool signals_take(struct signals *signals, struct event_base *base, event_callback_fn on_signal,
		  void *arg)
{
	for (size_t i = 0; i < SIGNALS_COUNT; i++) {
		signals->events[i] = evsignal_new(base, signals_list[i], on_signal, arg);
		if (!signals->events[i] || evsignal_add(signals->events[i], NULL) == -1)
			return false;
	}
	signals_mask(SIG_UNBLOCK);
	return true;
}

void signals_leave(struct signals *signals)
{
	signals_mask(SIG_BLOCK);
	for (size_t i = 0; i < SIGNALS_COUNT; i++) {
		if (signals->events[i])
			event_free(signals->events[i]);
		signals->events[i] = NULL;
	}
}
