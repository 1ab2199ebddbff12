/* SPDX-License-Identifier: BSD-2-Clause */
#include "process/signals.h"

#include <signal.h>
#include <stdlib.h>

enum { SIGNALS_MAX = 8 };

struct signals {
	signals_taken taken;
	void *arg;
	sigset_t set;
	size_t count;
	struct event *events[SIGNALS_MAX];
};

static sigset_t signals_set(const int list[], size_t count)
{
	sigset_t set;

	sigemptyset(&set);
	for (size_t i = 0; i < count; i++)
		sigaddset(&set, list[i]);
	return set;
}

void signals_block(const int list[], size_t count)
{
	const sigset_t set = signals_set(list, count);

	(void)sigprocmask(SIG_SETMASK, &set, NULL);
}

static void signals_on_signal(evutil_socket_t signal_number, short what, void *arg)
{
	struct signals *signals = arg;

	(void)what;
	signals->taken(signal_number, signals->arg);
}

struct signals *signals_new(struct event_base *base, const int list[], size_t count,
			    signals_taken taken, void *arg)
{
	struct signals *signals = calloc(1, sizeof(*signals));

	if (!signals || count > SIGNALS_MAX)
		goto failed;
	signals->set = signals_set(list, count);
	signals->taken = taken;
	signals->arg = arg;
	for (; signals->count < count; signals->count++) {
		struct event *event =
			evsignal_new(base, list[signals->count], signals_on_signal, signals);

		if (!event)
			goto failed;
		signals->events[signals->count] = event;
		if (evsignal_add(event, NULL) == -1) {
			signals->count++;
			goto failed;
		}
	}
	(void)sigprocmask(SIG_UNBLOCK, &signals->set, NULL);
	return signals;
failed:
	signals_free(signals);
	return NULL;
}

void signals_free(struct signals *signals)
{
	if (!signals)
		return;
	/* One that comes now asks for what is being done, and must not kill in the middle of it. */
	(void)sigprocmask(SIG_BLOCK, &signals->set, NULL);
	for (size_t i = 0; i < signals->count; i++)
		event_free(signals->events[i]);
	free(signals);
}
