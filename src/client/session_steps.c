/* SPDX-License-Identifier: BSD-2-Clause */
#include "client/session_steps.h"

#include "base/log.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void session_enter(struct session *session, enum session_state state, int64_t now, int64_t timeout)
{
	log_debug("%s -> %s", session_state_name(session->state), session_state_name(state));
	session->state = state;
	session->deadline = timeout < 0 ? -1 : now + timeout;
}

void session_connect(struct session *session, int64_t now, struct session_actions *actions)
{
	actions->what |= SESSION_DO_CONNECT;
	session->ping_sent = false;
	session->path_dead = false;
	session->up_since = -1;
	session->source = session->latest;
	session_enter(session, SESSION_CONNECT, now, SESSION_CONNECT_MS);
}

void session_then(struct session *session, int64_t now, struct session_actions *actions)
{
	switch (session->then) {
	case SESSION_THEN_EXIT:
		actions->what |= SESSION_DO_EXIT;
		actions->status = session->status;
		session_enter(session, SESSION_DONE, now, -1);
		break;
	case SESSION_THEN_RECONNECT:
		session_connect(session, now, actions);
		break;
	case SESSION_THEN_RETRY:
		/* A quarter up or down, so that the clients of one server do not march in step. */
		session_enter(session, SESSION_WAIT, now,
			      (int64_t)session->delay * 750 +
				      (int64_t)session->config.random(session->delay * 500 + 1));
		break;
	}
}

void session_lower(struct session *session, struct session_actions *actions)
{
	session->link = SESSION_LINK_LOWERING;
	session->hold_until = -1;
	actions->what |= SESSION_DO_LOWER;
}

void session_disconnected(struct session *session, int64_t now, struct session_actions *actions)
{
	if (session->link == SESSION_LINK_UP && session->keep) {
		if (session->hold_until < 0)
			session->hold_until = now + (int64_t)session->config.hold * 1000;
		session_then(session, now, actions);
		return;
	}
	if (session->link == SESSION_LINK_UP)
		session_lower(session, actions);
	/* Else monitor is at work, and its answer goes on from here. */
	if (session->link == SESSION_LINK_NONE)
		session_then(session, now, actions);
	else
		session_enter(session, SESSION_LOWER, now, -1);
}

/* How long until the next attempt, in seconds. */
static uint32_t session_delay(const struct session *session, enum client_exit status,
			      const char *reason)
{
	uint32_t delay = SESSION_RETRY_MIN;

	/*
	 * Nothing that a quick second attempt could change; and another place that uses the same
	 * account must not be fought for it every second.
	 */
	if (status == CLIENT_AUTH || status == CLIENT_TYPE || status == CLIENT_NAT ||
	    (status == CLIENT_SERVER && strcasestr(reason, "superseded")))
		return SESSION_RETRY_MAX;
	for (unsigned int i = 0; i < session->attempts && delay < SESSION_RETRY_MAX; i++)
		delay *= 2;
	return delay < SESSION_RETRY_MAX ? delay : SESSION_RETRY_MAX;
}

/*
 * Where the server knows no UDP, which old ones say in their own ways, the next attempt tries
 * protocol 41 again.
 */
static bool session_doubts_udp(enum client_exit status)
{
	return status == CLIENT_TYPE || status == CLIENT_AUTH || status == CLIENT_GARBAGE;
}

void session_doubt_udp(struct session *session)
{
	if (session->config.transport == SESSION_AUTO)
		session->udp = false;
}

void session_fail(struct session *session, int64_t now, struct session_actions *actions,
		  enum client_exit status, const char *format, ...)
{
	bool retry = session->config.loop && status != CLIENT_LOCAL;
	bool was_up = session->up_since >= 0;
	bool there = session->link == SESSION_LINK_UP ||
		     (session->link == SESSION_LINK_RAISING && session->continued);
	const char *what = "";
	char reason[400];
	char next[60] = "";
	va_list ap;

	va_start(ap, format);
	(void)vsnprintf(reason, sizeof(reason), format, ap);
	va_end(ap);
	session->status = status;
	session->then = retry ? SESSION_THEN_RETRY : SESSION_THEN_EXIT;
	session->keep = retry && session->config.hold > 0 && there;
	/* One that falls as soon as it is up is no better than one that never was. */
	if (was_up && now - session->up_since >= (int64_t)SESSION_RETRY_MAX * 1000)
		session->attempts = 0;
	if (there && !session->keep)
		what = "tunnel down: ";
	else if (was_up)
		what = "session lost: ";
	if (retry) {
		session->delay = session_delay(session, status, reason);
		session->attempts++;
		(void)snprintf(next, sizeof(next), "; next attempt in about %" PRIu32 " s",
			       session->delay);
	}
	if (session_doubts_udp(status))
		session_doubt_udp(session);
	actions->warning = true;
	(void)snprintf(actions->message, sizeof(actions->message), "%s%s%s", what, reason, next);
	session->up_since = -1;
	actions->what |= SESSION_DO_CLOSE;
	session_disconnected(session, now, actions);
}

/* The server has a session of ours: says good-bye to it, and waits for its answer. */
static void session_quit(struct session *session, int64_t now, struct session_actions *actions)
{
	(void)strlcpy(actions->send, "quit", sizeof(actions->send));
	actions->what |= SESSION_DO_SEND;
	session_enter(session, SESSION_QUIT, now, SESSION_QUIT_MS);
}

void session_change_to_udp(struct session *session, int64_t now, struct session_actions *actions,
			   const char *format, ...)
{
	char reason[300];
	va_list ap;

	va_start(ap, format);
	(void)vsnprintf(reason, sizeof(reason), format, ap);
	va_end(ap);
	(void)snprintf(actions->message, sizeof(actions->message), "%s; changing to UDP", reason);
	session->udp = true;
	session->keep = session->link == SESSION_LINK_UP;
	session->then = SESSION_THEN_RECONNECT;
	session_quit(session, now, actions);
}

void session_let_go(struct session *session, struct session_actions *actions, const char *why)
{
	bool ours = session->up_since >= 0 || session->hold_until >= 0;

	if (session->link == SESSION_LINK_UP && ours)
		(void)snprintf(actions->message, sizeof(actions->message), "tunnel down: %s", why);
	session->keep = false;
	session->up_since = -1;
	session->hold_until = -1;
}

void session_leave(struct session *session, int64_t now, struct session_actions *actions,
		   const char *why)
{
	bool known = session->state == SESSION_TEST || session->state == SESSION_RAISE ||
		     session->state == SESSION_UP;

	session->status = CLIENT_OK;
	session->attempts = 0;
	session_let_go(session, actions, why);
	if (known) {
		session_quit(session, now, actions);
		return;
	}
	actions->what |= SESSION_DO_CLOSE;
	session_disconnected(session, now, actions);
}

void session_quit_done(struct session *session, int64_t now, struct session_actions *actions)
{
	actions->what |= SESSION_DO_CLOSE;
	session_disconnected(session, now, actions);
}

void session_raise(struct session *session, int64_t now, struct session_actions *actions)
{
	session_enter(session, SESSION_RAISE, now, -1);
	/* A tunnel that is just being removed has to be gone before. */
	if (session->link == SESSION_LINK_LOWERING)
		return;
	session->continued = session->link == SESSION_LINK_UP;
	session->link = SESSION_LINK_RAISING;
	session->link_udp = session->udp;
	session->hold_until = -1;
	actions->what |= SESSION_DO_RAISE;
}
