/* SPDX-License-Identifier: BSD-2-Clause */
#include "client/control/session_steps.h"

#include "base/log.h"
#include "proto/message.h"

#include <inttypes.h>
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
		[SESSION_DOWN] = "down",
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

void session_tell(const struct session *session, struct session_actions *actions, const char *event,
		  const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	(void)vsnprintf(actions->message, sizeof(actions->message), format, ap);
	va_end(ap);
	actions->event = event;
	actions->server = session_server_name(session);
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
		session_enter(session, SESSION_DONE, now, -1);
		break;
	case SESSION_THEN_CONNECT:
		session_connect(session, now, actions);
		break;
	case SESSION_THEN_RETRY:
		session_enter(session, SESSION_WAIT, now, session->pause);
		break;
	case SESSION_THEN_DOWN:
		session_enter(session, SESSION_DOWN, now, -1);
		break;
	}
}

bool session_has_tunnel(const struct session *session)
{
	return session->tunnel == SESSION_TUNNEL_UP ||
	       (session->tunnel == SESSION_TUNNEL_RAISING && session->continued);
}

void session_lower(struct session *session, struct session_actions *actions)
{
	session->tunnel = SESSION_TUNNEL_LOWERING;
	session->hold_until = -1;
	actions->what |= SESSION_DO_LOWER;
}

void session_disconnected(struct session *session, int64_t now, struct session_actions *actions)
{
	if (session->tunnel == SESSION_TUNNEL_UP && session->keep) {
		if (session->hold_until < 0)
			session->hold_until = now + (int64_t)session->config.hold * 1000;
		session_then(session, now, actions);
		return;
	}
	if (session->tunnel == SESSION_TUNNEL_UP)
		session_lower(session, actions);
	/* Otherwise the root process is working, and its answer continues from here. */
	if (session->tunnel == SESSION_TUNNEL_NONE)
		session_then(session, now, actions);
	else
		session_enter(session, SESSION_LOWER, now, -1);
}

void session_disconnect(struct session *session, int64_t now, struct session_actions *actions)
{
	actions->what |= SESSION_DO_CLOSE;
	session_disconnected(session, now, actions);
}

/* The server has a session of ours: sends quit, and waits for the answer. */
static void session_quit(struct session *session, int64_t now, struct session_actions *actions)
{
	(void)strlcpy(actions->send, "quit", sizeof(actions->send));
	actions->what |= SESSION_DO_SEND;
	session_enter(session, SESSION_QUIT, now, SESSION_QUIT_MS);
}

void session_change_to_udp(struct session *session, int64_t now, struct session_actions *actions,
			   enum session_why why, const char *format, ...)
{
	char reason[300];
	va_list ap;

	va_start(ap, format);
	(void)vsnprintf(reason, sizeof(reason), format, ap);
	va_end(ap);
	session_tell(session, actions, "transport-changed", "%s; changing to UDP", reason);
	session->udp = true;
	session->servers[session->retry.current].udp = true;
	session->servers[session->retry.current].why = why;
	session->servers[session->retry.current].silent = false;
	session->keep = session->tunnel == SESSION_TUNNEL_UP;
	session->then = SESSION_THEN_CONNECT;
	session_quit(session, now, actions);
}

void session_let_go(struct session *session, struct session_actions *actions, const char *why)
{
	bool ours = session->up_since >= 0 || session->hold_until >= 0;

	if (session_has_tunnel(session) && ours)
		session_tell(session, actions, "tunnel-down", "tunnel down: %s", why);
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
	if (known)
		session_quit(session, now, actions);
	else
		session_disconnect(session, now, actions);
}

void session_start_over(struct session *session, int64_t now, struct session_actions *actions)
{
	session->then = SESSION_THEN_CONNECT;
	session->keep = session->config.hold > 0;
	session_disconnect(session, now, actions);
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

void session_tell_tunnel(struct session *session, struct session_actions *actions)
{
	session->continued = session->tunnel == SESSION_TUNNEL_UP;
	session->tunnel = SESSION_TUNNEL_RAISING;
	session->path.port_new = false;
	actions->what |= SESSION_DO_RAISE;
}

void session_raise(struct session *session, int64_t now, struct session_actions *actions)
{
	session_enter(session, SESSION_RAISE, now, -1);
	/* A tunnel that is being removed has to be gone first. */
	if (session->tunnel == SESSION_TUNNEL_LOWERING)
		return;
	session_tell_tunnel(session, actions);
	session->path.udp = session->udp;
	session->hold_until = -1;
}

/* --- success and failure ------------------------------------------------------------------ */

void session_succeeded(struct session *session, int64_t now, struct session_actions *actions)
{
	struct session_server *server = &session->servers[session->retry.current];
	const struct failure_log *log = &server->failures;

	if (log->suppressed)
		session_tell(session, actions, "works-again",
			     "%s: works again, after %u failures in %" PRId64 " s",
			     session_server_name(session), log->failures,
			     (now - log->since) / 1000);
	failure_log_reset(&server->failures);
	server->past = false;
	retry_succeeded(&session->retry);
}

/*
 * If the server does not support UDP, which old ones express in different ways, the next attempt
 * uses protocol 41 again.
 */
static bool session_doubts_udp(const struct session *session, enum client_exit status)
{
	return status == CLIENT_TYPE || status == CLIENT_AUTH || status == CLIENT_GARBAGE ||
	       (session->state == SESSION_LOGIN && !session_server(session)->udp_known);
}

/*
 * --transport auto: the far end has not answered over protocol 41, but the server supports nothing
 * else. An old server's far end need not answer an echo request, so the tunnel is used untested,
 * after the remaining servers of this round.
 */
static bool session_trusts(struct session_server *server, enum client_exit status,
			   enum dtcp_reason said)
{
	if (!server->silent || status != CLIENT_TYPE || said == REASON_TRANSPORT)
		return false;
	server->silent = false;
	server->trusted = true;
	return true;
}

void session_note_error(struct session *session, int64_t now, const char *text)
{
	(void)strlcpy(session->error.text, text, sizeof(session->error.text));
	session->error.at = now;
}

void session_doubt_udp(struct session *session)
{
	if (session->config.transport != SESSION_AUTO)
		return;
	session->udp = false;
	session->servers[session->retry.current].udp = false;
}

/* The log line of a repeated failure. */
static void session_say(const struct session *session, struct session_actions *actions,
			struct failure_log *log, const char *reason, const char *next,
			bool hopeless, int64_t now)
{
	static const char event[] = "attempt-failed";

	switch (failure_log_add(log, reason, hopeless, now)) {
	case FAILURE_LOG_SUPPRESS:
		actions->suppressed = true;
		__attribute__((fallthrough));
	case FAILURE_LOG_SAY:
		session_tell(session, actions, event, "%s%s", reason, next);
		break;
	case FAILURE_LOG_SAY_LAST:
		session_tell(session, actions, event,
			     "%s%s (not said again for an hour, unless it changes)", reason, next);
		break;
	case FAILURE_LOG_SAY_AGAIN:
		session_tell(session, actions, event, "%s%s (%u failures in %" PRId64 " s)", reason,
			     next, log->failures, (now - log->since) / 1000);
		break;
	}
}

/* Describes in buf what follows, and sets the action of session_then(). */
static void session_follow(struct session *session, const struct retry_verdict *verdict, char *buf,
			   size_t size)
{
	session->pause = verdict->pause;
	session->then = verdict->next	       ? SESSION_THEN_CONNECT
			: session->config.loop ? SESSION_THEN_RETRY
					       : SESSION_THEN_EXIT;
	buf[0] = '\0';
	if (verdict->next)
		(void)snprintf(buf, size, "; trying %s%s", session_server_name(session),
			       session_server(session)->trusted
				       ? " over protocol 41, which may pass all the same"
				       : "");
	else if (session->config.loop && verdict->about == 0)
		(void)snprintf(buf, size, "; next attempt within %d s", RETRY_SPREAD_MAX_MS / 1000);
	else if (session->config.loop)
		(void)snprintf(buf, size, "; next attempt in about %" PRIu32 " s", verdict->about);
}

static __attribute__((format(printf, 6, 0))) void
session_end(struct session *session, int64_t now, struct session_actions *actions,
	    enum client_exit status, enum dtcp_reason said, const char *format, va_list ap)
{
	struct session_server *server = &session->servers[session->retry.current];
	struct retry_failure failure = {
		.status = status, .said = said, .up_since = session->up_since};
	bool was_up = session->up_since >= 0;
	bool there = session_has_tunnel(session);
	struct retry_verdict verdict;
	const char *name = session_server_name(session);
	const char *what = "";
	char reason[400];
	char next[300];

	(void)vsnprintf(reason, sizeof(reason), format, ap);
	session_note_error(session, now, reason);
	session->status = status;
	if (session_doubts_udp(session, status))
		session_doubt_udp(session);
	/* This address answers, but does not work; the name may have others. */
	if (!was_up && status != CLIENT_LOCAL && session->state > SESSION_CONNECT)
		server->past = true;
	failure.otherwise = session_trusts(server, status, said);
	verdict = retry_failed(&session->retry, &failure, now);
	session_follow(session, &verdict, next, sizeof(next));
	session->keep = session->then != SESSION_THEN_EXIT && session->config.hold > 0 && there;
	if (there && !session->keep)
		what = "tunnel down: ";
	else if (was_up)
		what = "session lost: ";
	actions->warning = true;
	if (session->then != SESSION_THEN_EXIT && what[0] == '\0')
		session_say(session, actions, &server->failures, reason, next, verdict.hopeless,
			    now);
	else
		session_tell(session, actions,
			     there && !session->keep ? "tunnel-down"
			     : was_up		     ? "session-lost"
						     : "attempt-failed",
			     "%s%s%s", what, reason, next);
	actions->server = name;
	actions->status = status;
	actions->retry = session->then == SESSION_THEN_RETRY ? verdict.about : 0;
	session->up_since = -1;
	session_disconnect(session, now, actions);
}

void session_fail(struct session *session, int64_t now, struct session_actions *actions,
		  enum client_exit status, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	session_end(session, now, actions, status, REASON_OTHER, format, ap);
	va_end(ap);
}

void session_fail_said(struct session *session, int64_t now, struct session_actions *actions,
		       enum client_exit status, enum dtcp_reason said, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	session_end(session, now, actions, status, said, format, ap);
	va_end(ap);
}
