/* SPDX-License-Identifier: BSD-2-Clause */
#include "client/root/reconnect.h"

#include "base/loop.h"

#include <stdlib.h>

struct reconnect {
	void (*ask)(void *arg);
	void *arg;
	struct event *rested;
	enum { RECONNECT_READY, RECONNECT_ASKED, RECONNECT_RESTING } state;
	bool again; /* a signal has come since control was told */
};

/* Long enough for what a connection leaves behind to be cleared away. */
static const struct timeval reconnect_rest = {.tv_usec = 500000};

static void reconnect_ask(struct reconnect *reconnect)
{
	reconnect->again = false;
	reconnect->state = RECONNECT_ASKED;
	reconnect->ask(reconnect->arg);
}

static void reconnect_on_rested(evutil_socket_t fd, short what, void *arg)
{
	struct reconnect *reconnect = arg;

	(void)fd;
	(void)what;
	reconnect->state = RECONNECT_READY;
	if (reconnect->again)
		reconnect_ask(reconnect);
}

struct reconnect *reconnect_new(struct event_base *base, void (*ask)(void *arg), void *arg)
{
	struct reconnect *reconnect = calloc(1, sizeof(*reconnect));

	if (!reconnect)
		return NULL;
	reconnect->ask = ask;
	reconnect->arg = arg;
	reconnect->rested = evtimer_new(base, reconnect_on_rested, reconnect);
	if (!reconnect->rested) {
		free(reconnect);
		return NULL;
	}
	return reconnect;
}

void reconnect_wanted(struct reconnect *reconnect)
{
	if (reconnect->state == RECONNECT_READY)
		reconnect_ask(reconnect);
	else
		reconnect->again = true;
}

bool reconnect_heard(struct reconnect *reconnect)
{
	if (reconnect->state != RECONNECT_ASKED)
		return false;
	reconnect->state = RECONNECT_RESTING;
	loop_add(reconnect->rested, &reconnect_rest);
	return true;
}

void reconnect_free(struct reconnect *reconnect)
{
	if (!reconnect)
		return;
	event_free(reconnect->rested);
	free(reconnect);
}
