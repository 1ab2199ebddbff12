/* SPDX-License-Identifier: BSD-2-Clause */
#include "forward/keepalive.h"

#include "base/clock.h"
#include "base/loop.h"
#include "forward/echo.h"
#include "forward/fast.h"
#include "forward/liveness.h"
#include "forward/outbound.h"
#include "forward/plane_session.h"
#include "forward/wheel.h"

#include <stdlib.h>

/* A timer late by this many milliseconds shows that the process or machine was stopped. */
#define KEEPALIVE_GAP 5000

/* Requests per turn: spreads those that are all due after a gap. */
#define KEEPALIVE_BURST 256

/* Requests answered per session and second; the kernel answers the rest. */
#define KEEPALIVE_ANSWERS 10

struct keepers {
	struct plane *plane;
	struct event *timer;
	uint64_t armed; /* when the timer will fire; UINT64_MAX: not set */
	bool hurried;	/* the timer was overdue, and has been set to fire at once */
	uint64_t since; /* the end of the last gap */
	struct wheel wheel;
};

struct keepalive {
	struct keepers *keepers;
	struct session *session;
	struct liveness live;
	struct echo echo;
	uint64_t asked; /* clock_us() of the last request; 0: answered */
	struct rate answers;
	struct wheel_entry entry;
	bool started;
};

static void keepers_on_timer(evutil_socket_t fd, short what, void *arg);

struct keepers *keepers_new(struct plane *plane)
{
	struct keepers *keepers = calloc(1, sizeof(*keepers));

	if (!keepers)
		return NULL;
	keepers->plane = plane;
	keepers->armed = UINT64_MAX;
	keepers->timer = evtimer_new(plane->base, keepers_on_timer, keepers);
	if (!keepers->timer) {
		free(keepers);
		return NULL;
	}
	wheel_init(&keepers->wheel, clock_us() / 1000);
	return keepers;
}

void keepers_free(struct keepers *keepers)
{
	if (!keepers)
		return;
	event_free(keepers->timer);
	free(keepers);
}

/* --- time --------------------------------------------------------------------------------- */

static void keepers_arm(struct keepers *keepers, uint64_t when, uint64_t now)
{
	uint64_t wait = when > now ? when - now : 0;
	struct timeval after;

	/*
	 * libevent's clock stands still during suspend: an overdue timer is set to fire now, and
	 * its lateness shows the gap. Only once: a timer that is about to fire and is set anew
	 * waits for all packets that are pending, which could set it again.
	 */
	if (keepers->armed <= now ? keepers->hurried : now + wait >= keepers->armed)
		return;
	keepers->hurried = keepers->armed <= now;
	if (keepers->hurried)
		wait = 0;
	else
		keepers->armed = now + wait;
	after.tv_sec = (time_t)(wait / 1000);
	after.tv_usec = (suseconds_t)(wait % 1000 * 1000);
	loop_add(keepers->timer, &after);
}

static void keepalive_set(struct keepalive *keepalive, uint64_t now)
{
	struct keepers *keepers = keepalive->keepers;
	uint64_t deadline = liveness_deadline(&keepalive->live, keepers->since);

	if (deadline == UINT64_MAX) {
		wheel_unset(&keepers->wheel, &keepalive->entry);
		return;
	}
	wheel_set(&keepers->wheel, &keepalive->entry, deadline);
	keepers_arm(keepers, keepalive->entry.tick * WHEEL_TICK, now);
}

static void keepalive_report(const struct keepalive *keepalive, bool alive)
{
	const struct plane *plane = keepalive->keepers->plane;

	/* The kernel does not carry packets of a dead path, so that forward sees it recover. */
	session_plane(keepalive->session)->dead = !alive;
	fast_refresh(plane->fast, keepalive->session);
	plane->reports->path(keepalive->session, alive, plane->reports_arg);
}

static void keepalive_send(const struct keepalive *keepalive, const uint8_t packet[ECHO_SIZE])
{
	struct session *session = keepalive->session;

	outbound_own(keepalive->keepers->plane, session, session_config(session)->local, packet,
		     ECHO_SIZE);
}

/* Handles what is due; returns the number of requests sent. */
static unsigned int keepalive_step(struct keepalive *keepalive, uint64_t now)
{
	enum liveness_action action;
	uint8_t packet[ECHO_SIZE];
	unsigned int asked = 0;

	liveness_noticed(&keepalive->live,
			 fast_last_heard(keepalive->keepers->plane->fast, keepalive->session) /
				 1000);
	while ((action = liveness_step(&keepalive->live, keepalive->keepers->since, now)) !=
	       LIVENESS_WAIT) {
		if (action == LIVENESS_DEAD) {
			keepalive_report(keepalive, false);
			continue;
		}
		echo_request(&keepalive->echo, packet);
		keepalive->asked = clock_us();
		keepalive_send(keepalive, packet);
		asked++;
	}
	keepalive_set(keepalive, now);
	return asked;
}

static void keepers_on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct keepers *keepers = arg;
	uint64_t now = clock_us() / 1000;
	unsigned int asked = 0;
	struct keepalive *keepalive;

	(void)fd;
	(void)what;
	/* No packets could be received during the gap, so none were missed. */
	if (now >= keepers->armed + KEEPALIVE_GAP)
		keepers->since = now;
	keepers->armed = UINT64_MAX;
	keepers->hurried = false;
	while (asked < KEEPALIVE_BURST && (keepalive = wheel_take(&keepers->wheel, now)))
		asked += keepalive_step(keepalive, now);
	keepers_arm(keepers,
		    asked < KEEPALIVE_BURST ? wheel_next(&keepers->wheel) : now + WHEEL_TICK, now);
}

/* --- a session's keepalive ---------------------------------------------------------------- */

struct keepalive *keepalive_new(struct keepers *keepers, struct session *session)
{
	const struct forward_session *config = session_config(session);
	struct keepalive *keepalive = calloc(1, sizeof(*keepalive));

	if (!keepalive)
		return NULL;
	keepalive->keepers = keepers;
	keepalive->session = session;
	keepalive->entry.item = keepalive;
	echo_begin(&keepalive->echo, &config->near, &config->far);
	rate_init(&keepalive->answers, KEEPALIVE_ANSWERS, clock_us() / 1000);
	return keepalive;
}

void keepalive_free(struct keepalive *keepalive)
{
	if (keepalive)
		wheel_unset(&keepalive->keepers->wheel, &keepalive->entry);
	free(keepalive);
}

void keepalive_hurry(struct keepalive *keepalive)
{
	uint64_t now = clock_us() / 1000;

	if (!keepalive->started) {
		liveness_start(&keepalive->live, now, keepalive->keepers->plane->config.server);
		if (session_config(keepalive->session)->answers)
			liveness_asked(&keepalive->live);
	}
	keepalive->started = true;
	liveness_hurry(&keepalive->live);
	keepalive_set(keepalive, now);
}

void keepalive_packet_out(struct keepalive *keepalive)
{
	uint64_t now;

	if (!keepalive->started || keepalive->live.is_lonely)
		return;
	now = clock_us() / 1000;
	liveness_packet_out(&keepalive->live, now);
	keepalive_set(keepalive, now);
}

/* Measures the round-trip time, for the statistics. */
static void keepalive_measure(struct keepalive *keepalive, const struct inner *answer)
{
	struct session_counters *counters =
		plane_counters(keepalive->keepers->plane, keepalive->session);

	counters->probes++;
	counters->heard_us = clock_us();
	if (!keepalive->asked || !echo_is_latest(&keepalive->echo, answer))
		return;
	counters->rtt_us = counters->heard_us - keepalive->asked;
	keepalive->asked = 0;
}

bool keepalive_takes(const struct decap *decap, uint64_t now)
{
	struct keepalive *keepalive =
		decap->session ? session_plane(decap->session)->keepalive : NULL;
	uint8_t answer[ECHO_SIZE];

	if (!keepalive)
		return false;
	if (!keepalive->started && decap->drop == DROP_NONE)
		keepalive_hurry(keepalive);
	if (!keepalive->started)
		return false;
	/* Some peers answer from an address outside the session's prefixes. */
	if ((decap->drop == DROP_NONE || decap->drop == DROP_SRC_INGRESS) &&
	    echo_is_answer(&keepalive->echo, &decap->inner)) {
		keepalive_measure(keepalive, &decap->inner);
		fast_heard(keepalive->keepers->plane->fast, keepalive->session);
		if (liveness_answered(&keepalive->live, now))
			keepalive_report(keepalive, true);
		keepalive_set(keepalive, now);
		return true;
	}
	if (decap->drop != DROP_NONE)
		return false;
	if (echo_answer(&keepalive->echo, &decap->inner, answer) &&
	    rate_take(&keepalive->answers, now)) {
		plane_counters(keepalive->keepers->plane, decap->session)->probes++;
		liveness_asked(&keepalive->live);
		keepalive_set(keepalive, now);
		keepalive_send(keepalive, answer);
		return true;
	}
	if (liveness_heard(&keepalive->live, now)) {
		keepalive_report(keepalive, true);
		keepalive_set(keepalive, now);
	}
	return false;
}
