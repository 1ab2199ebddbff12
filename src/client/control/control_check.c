/* SPDX-License-Identifier: BSD-2-Clause */
/* --check: carries out check.c's actions with the session's state machine and forward. */
#include "base/clock.h"
#include "client/control/check.h"
#include "client/control/control_parts.h"

#include <stdlib.h>
#include <string.h>

struct control_check {
	struct control *control;
	struct check check;
	struct event *timer;
	bool begun;
	bool over;    /* the last session, too */
	bool stopped; /* the root process does not wait any longer */
};

static void control_check_end(const struct control_check *own)
{
	bool whole = own->check.next == CLIENT_STEPS;

	control_end(own->control, whole ? (int)check_status(&own->check) : CLIENT_LOCAL);
}

static void control_check_apply(struct control_check *own, const struct check_actions *actions)
{
	struct control *control = own->control;
	struct session *session = &control->session;

	for (size_t i = 0; i < actions->n_steps; i++)
		control_tell(control, control->root, CLIENT_MSG_STEP, &actions->steps[i],
			     sizeof(actions->steps[i]));
	clock_arm(own->timer, own->check.deadline);
	if (actions->what & CHECK_DO_TRIAL && control->dialog.state != DIALOG_NONE)
		control_tell(control, control->forward, FORWARD_MSG_TRIAL, &own->check.trial,
			     sizeof(own->check.trial));
	if (actions->what & CHECK_DO_LEAVE)
		control_feed_input(control, SESSION_STOP);
	if (actions->what & CHECK_DO_START) {
		/* With auto a refusal of UDP is distinguished from a wrong password, as it was
		 * right before. */
		session->config.transport = own->check.udp ? SESSION_AUTO : SESSION_IPV6;
		session->servers[0].udp = own->check.udp;
		control_feed_input(control, SESSION_START);
	}
	if (actions->what & CHECK_DO_END) {
		own->over = true;
		if (own->stopped)
			control_check_end(own);
	}
}

static void control_check_on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct control_check *own = arg;
	struct check_actions actions;

	(void)fd;
	(void)what;
	check_on_time(&own->check, clock_ms(), &actions);
	control_check_apply(own, &actions);
}

struct control_check *control_check_new(struct control *control)
{
	struct control_check *own = calloc(1, sizeof(*own));

	if (!own)
		return NULL;
	own->control = control;
	check_init(&own->check, control->options, &control->session);
	own->timer = evtimer_new(control->base, control_check_on_timer, own);
	if (!own->timer) {
		free(own);
		return NULL;
	}
	return own;
}

void control_check_free(struct control_check *own)
{
	if (!own)
		return;
	event_free(own->timer);
	free(own);
}

void control_check_on_given(const void *body, void *arg)
{
	struct control *control = arg;

	if (control->check && control->session.state == SESSION_IDLE)
		memcpy(&control->check->check.given, body, sizeof(struct client_check));
	else
		control_wrong(control, "monitor", "check");
}

void control_check_begin(struct control_check *own)
{
	const struct client_check given = own->check.given;
	struct check_actions actions;

	own->begun = true;
	check_begin(&own->check, &given, clock_ms(), &actions);
	control_check_apply(own, &actions);
}

bool control_check_takes(struct control_check *own, const struct session_event *event)
{
	struct check_actions actions;

	if (!check_withholds(&own->check, event))
		return false;
	check_on_withheld(&own->check, event, clock_ms(), &actions);
	control_check_apply(own, &actions);
	return true;
}

void control_check_fed(struct control_check *own, enum session_state before,
		       const struct session_event *event, bool over)
{
	struct check_actions actions;

	if (!own->stopped || own->check.next == CLIENT_STEPS) {
		check_on_session(&own->check, before, event, clock_ms(), &actions);
		control_check_apply(own, &actions);
	}
	if (!over)
		return;
	if (own->stopped && own->check.next < CLIENT_STEPS) {
		control_check_end(own);
		return;
	}
	check_on_over(&own->check, clock_ms(), &actions);
	control_check_apply(own, &actions);
}

void control_check_on_found(struct control_check *own, const struct client_addresses *found)
{
	struct check_actions actions;

	check_on_found(&own->check, found->list, found->count, clock_ms(), &actions);
	control_check_apply(own, &actions);
}

void control_check_on_path(struct control_check *own, bool alive)
{
	struct control *control = own->control;
	struct check_actions actions;
	uint32_t rtt_us = 0;

	if (control->counters && control->session.udp)
		rtt_us = (uint32_t)control->counters->session[CONTROL_SESSION].rtt_us;
	check_on_path(&own->check, alive, rtt_us, clock_ms(), &actions);
	control_check_apply(own, &actions);
}

void control_check_on_result(struct control_check *own, const struct forward_result *result)
{
	struct check_actions actions;

	check_on_result(&own->check, result, clock_ms(), &actions);
	control_check_apply(own, &actions);
}

void control_check_stop(struct control_check *own)
{
	own->stopped = true;
	if (own->over || !own->begun)
		control_check_end(own);
	else if (own->check.next < CLIENT_STEPS)
		control_feed_input(own->control, SESSION_STOP);
	/* Otherwise the last session is about to end. */
}
