/* SPDX-License-Identifier: BSD-2-Clause */
#include "forward/probing.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/loop.h"
#include "forward/fast.h"
#include "forward/hello.h"
#include "forward/outbound.h"
#include "forward/plane_session.h"

#include <stdlib.h>
#include <string.h>

struct probing {
	struct plane *plane;
	struct session *session;
	struct event *timer;
	struct hello hello;
	bool started;
	uint64_t armed; /* when the timer will fire; 0: not set */
	uint64_t hello_counter;
	uint64_t answer_counter;
	uint32_t proof; /* proof number from the last answer, which hellos repeat */
};

static void probing_on_timer(evutil_socket_t fd, short what, void *arg);

struct probing *probing_new(struct plane *plane, struct session *session)
{
	struct probing *probing = calloc(1, sizeof(*probing));

	if (!probing)
		return NULL;
	probing->plane = plane;
	probing->session = session;
	probing->timer = evtimer_new(plane->base, probing_on_timer, probing);
	if (!probing->timer) {
		free(probing);
		return NULL;
	}
	return probing;
}

void probing_free(struct probing *probing)
{
	if (!probing)
		return;
	event_free(probing->timer);
	free(probing);
}

static void probing_send_hello(struct probing *probing, struct outer *outer, uint64_t now)
{
	const struct forward_session *config = session_config(probing->session);
	const struct probe hello = {
		.type = PROBE_HELLO,
		.clock = hello_clock(now),
		.session = config->session,
		.counter = ++probing->hello_counter,
		.proof = probing->proof,
	};
	uint8_t packet[PROBE_SIZE];

	if (probe_write(&hello, config->key, packet))
		outbound_own_by(probing->plane, outer, probing->session, config->local, packet,
				sizeof(packet));
	else
		log_warnx("cannot sign a hello");
}

/*
 * A timer that fires early costs less than setting it for each packet. Packets that the kernel
 * sends do not set it, so it also fires in time to check for these.
 */
static void probing_arm(struct probing *probing, uint64_t now)
{
	uint64_t deadline = hello_deadline(&probing->hello);
	struct timeval after;
	uint64_t wait;

	if (deadline > now + HELLO_LONELY && fast_has(probing->plane->fast, probing->session))
		deadline = now + HELLO_LONELY;
	wait = deadline > now ? deadline - now : 0;
	after.tv_sec = (time_t)(wait / 1000000);
	after.tv_usec = (suseconds_t)(wait % 1000000);
	if (probing->armed && probing->armed <= deadline)
		return;
	probing->armed = deadline;
	loop_add(probing->timer, &after);
}

/* The kernel does not carry packets of a dead path, so that forward sees it recover. */
static void probing_set_dead(struct probing *probing, bool dead)
{
	session_plane(probing->session)->dead = dead;
	fast_refresh(probing->plane->fast, probing->session);
}

/* Sets the local address, which the kernel chose and the answer shows. */
static void probing_set_local(struct probing *probing, struct in_addr local)
{
	struct plane_session *own = session_plane(probing->session);

	if (own->local.s_addr == local.s_addr)
		return;
	own->local = local;
	fast_refresh(probing->plane->fast, probing->session);
}

static void probing_step(struct probing *probing)
{
	const struct plane *plane = probing->plane;
	uint64_t now = clock_us();
	enum hello_action action;
	uint64_t lonely;

	hello_noticed(&probing->hello, fast_last_heard(plane->fast, probing->session));
	lonely = fast_lonely_since(plane->fast, probing->session);
	if (lonely)
		hello_packet_out(&probing->hello, lonely);
	while ((action = hello_step(&probing->hello, now)) != HELLO_WAIT) {
		switch (action) {
		case HELLO_SEND:
			probing_send_hello(probing, plane->outer[FORWARD_UDP], now);
			if (plane->candidate)
				probing_send_hello(probing, plane->candidate, now);
			break;
		case HELLO_SILENT:
			plane->reports->silent(probing->session, plane->reports_arg);
			break;
		case HELLO_DEAD:
			probing_set_dead(probing, true);
			plane->reports->path(probing->session, false, plane->reports_arg);
			break;
		case HELLO_WAIT:
			break;
		}
	}
	probing_arm(probing, now);
}

static void probing_on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct probing *probing = arg;

	(void)fd;
	(void)what;
	probing->armed = 0;
	probing_step(probing);
}

/* Starts hellos, for example because the route may have changed. */
static void probing_hurry(struct probing *probing)
{
	/* The proof was for an address that may have changed. */
	probing->proof = 0;
	probing_set_local(probing, (struct in_addr){.s_addr = INADDR_ANY});
	hello_hurry(&probing->hello, clock_us());
	probing_step(probing);
}

void probing_start(struct probing *probing)
{
	if (probing->started) {
		probing_hurry(probing);
		return;
	}
	if (session_config(probing->session)->transport != FORWARD_UDP)
		return;
	probing->started = true;
	hello_start(&probing->hello, clock_us());
	probing_step(probing);
}

void probing_candidate(struct probing *probing)
{
	struct plane *plane = probing->plane;

	if (!probing->started)
		return;
	if (probing->hello.asks)
		probing_hurry(probing);
	else
		(void)plane_choose(plane, plane->outer[FORWARD_UDP]);
}

enum drop_reason probing_answered(struct probing *probing, const struct arrival *arrival,
				  const struct probe *probe)
{
	const struct forward_session *config = session_config(probing->session);
	struct plane *plane = probing->plane;
	uint64_t now = clock_us();
	bool revived;
	bool repeated = probing->proof != 0;

	if (!probing->started || probe->session != config->session)
		return DROP_PROBE_SESSION;
	/* A hello of ours that is sent back has a valid code, too. */
	if (!probe_verify(arrival->payload, config->key) || probe->type != PROBE_ANSWER)
		return DROP_PROBE_CODE;
	if (probe->counter <= probing->answer_counter)
		return DROP_PROBE_OLD;
	probing->answer_counter = probe->counter;
	plane_counters(plane, probing->session)->heard_us = now;
	plane_counters(plane, probing->session)->rtt_us =
		hello_answered(&probing->hello, probe->clock, now, &revived);
	probing->proof = probe->proof;
	probing_set_local(probing, arrival->local);
	if (revived)
		probing_set_dead(probing, false);
	/*
	 * The server may send to the other port, which sent the last hello. A proof is sent at
	 * once, but only once: a server that keeps asking gets no endless rapid exchange.
	 */
	if (plane_choose(plane, arrival->outer) || (probe->proof && !repeated))
		hello_hurry(&probing->hello, now);
	else if (probe->proof)
		hello_unproven(&probing->hello);
	probing_step(probing);
	if (revived)
		plane->reports->path(probing->session, true, plane->reports_arg);
	return DROP_NONE;
}

void probing_packet_out(struct probing *probing)
{
	uint64_t now;

	if (!probing->started || probing->hello.is_lonely)
		return;
	now = clock_us();
	hello_packet_out(&probing->hello, now);
	probing_arm(probing, now);
}

void probing_packet_in(struct probing *probing)
{
	hello_packet_in(&probing->hello);
}
