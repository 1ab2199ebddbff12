/* SPDX-License-Identifier: BSD-2-Clause */
#include "tools/ctl_live.h"

#include "tools/ctl_value.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

void ctl_live_init(struct ctl_live *live, const struct ctl_options *options,
		   const struct ask_daemon *daemon, struct ask *ask)
{
	memset(live, 0, sizeof(*live));
	live->ask = ask;
	live->options = options;
	live->daemon = daemon;
}

void ctl_live_free(struct ctl_live *live)
{
	ask_close(live->ask);
	json_decref(live->coming);
	json_decref(live->status);
	json_decref(live->before);
	ctl_sessions_free(&live->coming_sessions);
	ctl_sessions_free(&live->sessions);
}

static int64_t ctl_live_every(const struct ctl_live *live)
{
	return (int64_t)live->options->every * 1000;
}

/* Closes the connection; the next poll opens another. The last data stays visible. */
static void ctl_live_lost(struct ctl_live *live, const char *why, int64_t now)
{
	(void)snprintf(live->error, sizeof(live->error), "%s", why);
	ask_close(live->ask);
	live->ask = NULL;
	live->stage = CTL_LIVE_RESTS;
	live->next = now + ctl_live_every(live);
}

static void ctl_live_begin(struct ctl_live *live, enum ctl_live_stage stage, int64_t now)
{
	bool sessions = stage == CTL_LIVE_SESSIONS;
	json_t *question = ctl_question(live->options, sessions ? "sessions" : "status");
	int rc = question ? ask_begin(live->ask, question, CTL_LIMIT,
				      sessions ? ctl_sessions_add : NULL, &live->coming_sessions)
			  : -ENOMEM;

	json_decref(question);
	live->stage = stage;
	if (rc < 0)
		ctl_live_lost(live, strerror(-rc), now);
}

static void ctl_live_open(struct ctl_live *live, int64_t now)
{
	int rc = live->ask ? 0 : ask_open(live->daemon->path, &live->ask);

	live->begun = now;
	json_decref(live->coming);
	live->coming = NULL;
	live->coming_sessions.count = 0;
	live->coming_sessions.failed = false;
	if (rc == -ENOENT || rc == -ECONNREFUSED)
		ctl_live_lost(live, "the daemon does not run any more", now);
	else if (rc < 0)
		ctl_live_lost(live, strerror(-rc), now);
	else
		ctl_live_begin(live, CTL_LIVE_STATUS, now);
}

/* Octets of all sessions since the server started, or of the client's session. */
static double ctl_live_octets(const struct ctl_live *live, const json_t *status, bool in)
{
	if (!live->is_server)
		return ctl_value_number(status, in ? "in_octets" : "out_octets");
	return ctl_value_number(status, in ? "traffic.user.in_octets" : "traffic.user.out_octets") +
	       ctl_value_number(status,
				in ? "traffic.kernel.in_octets" : "traffic.kernel.out_octets");
}

static void ctl_live_remember(struct ctl_live *live, double *rates, bool in)
{
	double now = ctl_live_octets(live, live->status, in);
	double was = ctl_live_octets(live, live->before, in);

	if (live->rates == CTL_LIVE_HISTORY)
		memmove(rates, rates + 1, (CTL_LIVE_HISTORY - 1) * sizeof(*rates));
	/* A new session counts from 0. */
	rates[live->rates < CTL_LIVE_HISTORY ? live->rates : CTL_LIVE_HISTORY - 1] =
		now > was ? (now - was) / live->seconds : 0;
}

/* A poll is complete. */
static void ctl_live_seen(struct ctl_live *live, int64_t now)
{
	struct ctl_sessions old = live->sessions;

	json_decref(live->before);
	live->before = live->status;
	live->status = live->coming;
	live->coming = NULL;
	live->seconds = (double)(live->begun - live->seen) / 1000;
	if (live->before && live->seconds > 0) {
		ctl_sessions_rates(&live->coming_sessions, &old, live->seconds);
		ctl_live_remember(live, live->in_rate, true);
		ctl_live_remember(live, live->out_rate, false);
		live->rates += live->rates < CTL_LIVE_HISTORY;
	}
	live->sessions = live->coming_sessions;
	live->coming_sessions = old;
	live->seen = live->begun;
	live->error[0] = '\0';
	live->stage = CTL_LIVE_RESTS;
	live->next = live->begun + ctl_live_every(live);
	if (live->next < now)
		live->next = now;
}

bool ctl_live_step(struct ctl_live *live, int64_t now)
{
	enum ask_state state;

	if (live->stage == CTL_LIVE_RESTS) {
		if (now < live->next)
			return false;
		ctl_live_open(live, now);
		return live->stage == CTL_LIVE_RESTS;
	}
	state = ask_step(live->ask);
	if (state == ASK_GOES_ON)
		return false;
	if (state != ASK_OK) {
		ctl_live_lost(live, ask_error(live->ask), now);
		return true;
	}
	if (live->stage == CTL_LIVE_STATUS) {
		live->coming = json_incref(ctl_value(ask_last(live->ask), "status"));
		live->is_server = !ctl_client_is(live->coming);
		if (live->is_server) {
			ctl_live_begin(live, CTL_LIVE_SESSIONS, now);
			return live->stage == CTL_LIVE_RESTS;
		}
	}
	ctl_live_seen(live, now);
	return true;
}

int ctl_live_fd(const struct ctl_live *live)
{
	return live->stage == CTL_LIVE_RESTS ? -1 : ask_fd(live->ask);
}

short ctl_live_events(const struct ctl_live *live)
{
	if (live->stage == CTL_LIVE_RESTS)
		return 0;
	return ask_events(live->ask);
}

int ctl_live_wait(const struct ctl_live *live, int64_t now)
{
	if (live->stage != CTL_LIVE_RESTS)
		return ask_wait(live->ask);
	return live->next > now ? (int)(live->next - now) : 0;
}
