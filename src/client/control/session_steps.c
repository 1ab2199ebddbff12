/* SPDX-License-Identifier: BSD-2-Clause */
#include "client/control/session_steps.h"

#include "base/log.h"
#include "proto/message.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

const struct session_server *session_server(const struct session *session)
{
	return &session->servers[session->retry.current];
}

const char *session_server_name(const struct session *session)
{
	return session->config.servers[session->retry.current];
}

const char *session_state_name(enum session_state state)
{
	static const char *const names[] = {
		[SESSION_IDLE] = "idle",
		[SESSION_CONNECT] = "connect",
		[SESSION_GREETING] = "greeting",
		[SESSION_LOGIN] = "login",
		[SESSION_TEST] = "test",
		[SESSION_RAISE] = "raise",
		[SESSION_UP] = "up",
		[SESSION_QUIT] = "quit",
		[SESSION_LOWER] = "lower",
		[SESSION_WAIT] = "wait",
		[SESSION_DONE] = "done",
	};

	return names[state];
}

void session_enter(struct session *session, enum session_state state, int64_t now, int64_t timeout)
{
	log_debug("%s -> %s", session_state_name(session->state), session_state_name(state));
	session->state = state;
	session->deadline = timeout < 0 ? -1 : now + timeout;
}

void session_connect(struct session *session, int64_t now, struct session_actions *actions)
{
	actions->what |= SESSION_DO_CONNECT;
	session->udp = session->servers[session->retry.current].udp;
	session->ping_sent = false;
	session->errors = 0;
	session->up_since = -1;
	session->network.source = session->network.latest;
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
	case SESSION_THEN_NEXT:
	case SESSION_THEN_RECONNECT:
		session_connect(session, now, actions);
		break;
	case SESSION_THEN_RETRY:
		session_enter(session, SESSION_WAIT, now, session->pause);
		break;
	}
}

bool session_has_tunnel(const struct session *session)
{
	return session->link == SESSION_LINK_UP ||
	       (session->link == SESSION_LINK_RAISING && session->continued);
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
	session->servers[session->retry.current].udp = true;
	session->servers[session->retry.current].silent = false;
	session->keep = session->link == SESSION_LINK_UP;
	session->then = SESSION_THEN_RECONNECT;
	session_quit(session, now, actions);
}

void session_let_go(struct session *session, struct session_actions *actions, const char *why)
{
	bool ours = session->up_since >= 0 || session->hold_until >= 0;

	if (session_has_tunnel(session) && ours)
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
	session_let_go(session, actions, why);
	if (known) {
		session_quit(session, now, actions);
		return;
	}
	actions->what |= SESSION_DO_CLOSE;
	session_disconnected(session, now, actions);
}

void session_start_over(struct session *session, int64_t now, struct session_actions *actions)
{
	actions->what |= SESSION_DO_CLOSE;
	session->then = SESSION_THEN_RECONNECT;
	session->keep = session->config.hold > 0;
	session_disconnected(session, now, actions);
}

const char *session_said(const struct session_event *event, char buf[static DTCP_LINE_SIZE])
{
	const char *said = reply_reason(event->line);

	return log_escape(said, strlen(said), buf, DTCP_LINE_SIZE);
}

void session_ping(struct session *session, int64_t now, struct session_actions *actions)
{
	(void)strlcpy(actions->send, "ping", sizeof(actions->send));
	actions->what |= SESSION_DO_SEND;
	session->ping_sent = true;
	session->deadline = now + (int64_t)session->config.keepalive_timeout * 1000;
}

void session_quit_done(struct session *session, int64_t now, struct session_actions *actions)
{
	actions->what |= SESSION_DO_CLOSE;
	session_disconnected(session, now, actions);
}

void session_tell_tunnel(struct session *session, struct session_actions *actions)
{
	session->continued = session->link == SESSION_LINK_UP;
	session->link = SESSION_LINK_RAISING;
	session->path.port_new = false;
	actions->what |= SESSION_DO_RAISE;
}

void session_raise(struct session *session, int64_t now, struct session_actions *actions)
{
	session_enter(session, SESSION_RAISE, now, -1);
	/* A tunnel that is just being removed has to be gone before. */
	if (session->link == SESSION_LINK_LOWERING)
		return;
	session_tell_tunnel(session, actions);
	session->path.udp = session->udp;
	session->hold_until = -1;
}
