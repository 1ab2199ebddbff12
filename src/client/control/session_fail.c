/* SPDX-License-Identifier: BSD-2-Clause */
/* The end of an attempt or a session by a failure, and what is said of it. */
#include "client/control/session_fail.h"

#include "client/control/session_steps.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void session_succeeded(struct session *session, int64_t now, struct session_actions *actions)
{
	struct session_server *server = &session->servers[session->retry.current];
	const struct repeat *repeat = &server->repeat;

	if (repeat->hushed)
		(void)snprintf(actions->message, sizeof(actions->message),
			       "%s: works again, after %u failures in %" PRId64 " s",
			       session_server_name(session), repeat->failures,
			       (now - repeat->since) / 1000);
	repeat_forget(&server->repeat);
	server->past = false;
	retry_succeeded(&session->retry);
}

/*
 * Where the server knows no UDP, which old ones say in their own ways, the next attempt tries
 * protocol 41 again.
 */
static bool session_doubts_udp(const struct session *session, enum client_exit status)
{
	return status == CLIENT_TYPE || status == CLIENT_AUTH || status == CLIENT_GARBAGE ||
	       (session->state == SESSION_LOGIN && !session_server(session)->udp_known);
}

/*
 * --transport auto: the far end has not answered over protocol 41, but the server knows nothing
 * else. An old one's far end need not answer an echo request, so it is taken as it is, after the
 * servers that are left in this round.
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

void session_doubt_udp(struct session *session)
{
	if (session->config.transport != SESSION_AUTO)
		return;
	session->udp = false;
	session->servers[session->retry.current].udp = false;
}

/* What is to be said of a failure that others have come before, and will come after. */
static void session_say(struct session_actions *actions, struct repeat *repeat, const char *reason,
			const char *next, bool hopeless, int64_t now)
{
	size_t size = sizeof(actions->message);

	switch (repeat_failed(repeat, reason, hopeless, now)) {
	case REPEAT_HUSH:
		actions->hushed = true;
		__attribute__((fallthrough));
	case REPEAT_SAY:
		(void)snprintf(actions->message, size, "%s%s", reason, next);
		break;
	case REPEAT_SAY_LAST:
		(void)snprintf(actions->message, size,
			       "%s%s (not said again for an hour, unless it changes)", reason,
			       next);
		break;
	case REPEAT_SAY_AGAIN:
		(void)snprintf(actions->message, size, "%s%s (%u failures in %" PRId64 " s)",
			       reason, next, repeat->failures, (now - repeat->since) / 1000);
		break;
	}
}

/* Says in buf what follows, and sets what session_then() does. */
static void session_follow(struct session *session, const struct retry_verdict *verdict, char *buf,
			   size_t size)
{
	session->pause = verdict->pause;
	session->then = verdict->next	       ? SESSION_THEN_NEXT
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

static void session_end(struct session *session, int64_t now, struct session_actions *actions,
			enum client_exit status, enum dtcp_reason said, const char *reason)
{
	struct session_server *server = &session->servers[session->retry.current];
	struct retry_failure failure = {
		.status = status, .said = said, .up_since = session->up_since};
	bool was_up = session->up_since >= 0;
	bool there = session_has_tunnel(session);
	struct retry_verdict verdict;
	const char *what = "";
	char next[300];

	session->status = status;
	if (session_doubts_udp(session, status))
		session_doubt_udp(session);
	/* There is somebody at this address, but to no avail; the name may have others. */
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
		session_say(actions, &server->repeat, reason, next, verdict.hopeless, now);
	else
		(void)snprintf(actions->message, sizeof(actions->message), "%s%s%s", what, reason,
			       next);
	session->up_since = -1;
	actions->what |= SESSION_DO_CLOSE;
	session_disconnected(session, now, actions);
}

void session_fail(struct session *session, int64_t now, struct session_actions *actions,
		  enum client_exit status, const char *format, ...)
{
	char reason[400];
	va_list ap;

	va_start(ap, format);
	(void)vsnprintf(reason, sizeof(reason), format, ap);
	va_end(ap);
	session_end(session, now, actions, status, REASON_OTHER, reason);
}

void session_fail_said(struct session *session, int64_t now, struct session_actions *actions,
		       enum client_exit status, enum dtcp_reason said, const char *format, ...)
{
	char reason[400];
	va_list ap;

	va_start(ap, format);
	(void)vsnprintf(reason, sizeof(reason), format, ap);
	va_end(ap);
	session_end(session, now, actions, status, said, reason);
}
