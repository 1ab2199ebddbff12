/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What follows a failure. The servers are tried in rounds: each once, the one that worked last
 * first. A round in which none let us in is followed by a pause, and with every such round the
 * pause grows.
 */
#include "client/control/session_steps.h"

#include "base/log.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* A pause of the slowest pace at its shortest. */
#define SESSION_REST_MS ((int64_t)SESSION_RETRY_MAX * 750)

void session_round(struct session *session, size_t first)
{
	for (size_t i = 0; i < session->config.n_servers; i++)
		session->servers[i].tried = false;
	session->round_hopeless = true;
	session->current = first;
}

/* The first server from the one of that index on that is still to be tried in this round. */
static bool session_choose(const struct session *session, size_t first, int64_t now, size_t *chosen)
{
	for (size_t i = 0; i < session->config.n_servers; i++) {
		size_t at = (first + i) % session->config.n_servers;
		const struct session_server *server = &session->servers[at];

		if (!server->tried && now >= server->rest_until) {
			*chosen = at;
			return true;
		}
	}
	return false;
}

void session_new_round(struct session *session, int64_t now)
{
	session_round(session, session->home);
	/* Where all have to rest, it is the one that worked after all. */
	(void)session_choose(session, session->home, now, &session->current);
}

void session_succeeded(struct session *session, int64_t now, struct session_actions *actions)
{
	struct session_server *server = &session->servers[session->current];
	const struct repeat *repeat = &server->repeat;

	if (repeat->hushed)
		(void)snprintf(actions->message, sizeof(actions->message),
			       "%s: works again, after %u failures in %" PRId64 " s",
			       session_server_name(session), repeat->failures,
			       (now - repeat->since) / 1000);
	repeat_forget(&server->repeat);
	server->past = false;
	server->rest_until = 0;
	session_round(session, session->current);
	session->home = session->current;
}

/*
 * Nothing that a quick second attempt could change, as with this machine's own trouble; and another
 * place that uses the same account must not be fought for it every second.
 */
static bool session_hopeless(enum client_exit status, enum dtcp_reason said)
{
	return status == CLIENT_LOCAL || status == CLIENT_AUTH || status == CLIENT_TYPE ||
	       status == CLIENT_NAT || said == REASON_SUPERSEDED || said == REASON_ADDRESS;
}

/* Decides how long the pause is, and says it in next. */
static void session_decide_pause(struct session *session, bool was_up, char *next, size_t size)
{
	uint32_t delay = session->round_hopeless ? SESSION_RETRY_MAX : SESSION_RETRY_MIN;

	for (unsigned int i = 0; i < session->attempts && delay < SESSION_RETRY_MAX; i++)
		delay *= 2;
	if (delay > SESSION_RETRY_MAX)
		delay = SESSION_RETRY_MAX;
	session->attempts++;
	if (was_up && delay == SESSION_RETRY_MIN) {
		session->pause =
			SESSION_SPREAD_MIN_MS +
			session->config.random(SESSION_SPREAD_MAX_MS - SESSION_SPREAD_MIN_MS + 1);
		(void)snprintf(next, size, "; next attempt within %d s",
			       SESSION_SPREAD_MAX_MS / 1000);
		return;
	}
	/* A quarter up or down, so that the clients of one server do not march in step. */
	session->pause = (int64_t)delay * 750 + (int64_t)session->config.random(delay * 500 + 1);
	(void)snprintf(next, size, "; next attempt in about %" PRIu32 " s", delay);
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
static bool session_trusts(struct session *session, enum client_exit status, enum dtcp_reason said)
{
	struct session_server *server = &session->servers[session->current];

	if (!server->silent || status != CLIENT_TYPE || said == REASON_TRANSPORT)
		return false;
	server->silent = false;
	server->trusted = true;
	server->tried = false;
	server->rest_until = 0;
	return true;
}

void session_doubt_udp(struct session *session)
{
	if (session->config.transport != SESSION_AUTO)
		return;
	session->udp = false;
	session->servers[session->current].udp = false;
}

/* What this failure says of the server. */
static void session_note_failure(struct session *session, enum client_exit status, bool was_up,
				 bool hopeless, int64_t now)
{
	struct session_server *server = &session->servers[session->current];

	/* Nothing; and whatever was said in this round, time alone is what helps. */
	if (status == CLIENT_LOCAL) {
		session_round(session, session->current);
		return;
	}
	/* It was the one that worked, and is the first to be tried again. */
	if (was_up)
		session_round(session, session->current);
	else
		server->tried = true;
	/* There is somebody at this address, but to no avail; the name may have others. */
	if (!was_up && session->state > SESSION_CONNECT)
		server->past = true;
	if (hopeless)
		server->rest_until = now + SESSION_REST_MS;
	else
		session->round_hopeless = false;
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

static void session_end(struct session *session, int64_t now, struct session_actions *actions,
			enum client_exit status, enum dtcp_reason said, const char *reason)
{
	struct repeat *repeat = &session->servers[session->current].repeat;
	bool was_up = session->up_since >= 0;
	bool there = session_has_tunnel(session);
	const char *what = "";
	bool hopeless = session_hopeless(status, said);
	bool trusts;
	char next[300] = "";

	session->status = status;
	session->then = SESSION_THEN_EXIT;
	/*
	 * One that falls as soon as it is up is no better than one that never was, unless the
	 * server says that it was told to end.
	 */
	if (was_up && (now - session->up_since >= (int64_t)SESSION_RETRY_MAX * 1000 ||
		       said == REASON_STOPPING))
		session->attempts = 0;
	if (session_doubts_udp(session, status))
		session_doubt_udp(session);
	session_note_failure(session, status, was_up, hopeless, now);
	trusts = session_trusts(session, status, said);
	if (status != CLIENT_LOCAL && !was_up &&
	    session_choose(session, session->current + trusts, now, &session->current)) {
		session->then = SESSION_THEN_NEXT;
		(void)snprintf(next, sizeof(next), "; trying %s%s", session_server_name(session),
			       session_server(session)->trusted
				       ? " over protocol 41, which may pass all the same"
				       : "");
	} else if (session->config.loop) {
		session->then = SESSION_THEN_RETRY;
		session_decide_pause(session, was_up, next, sizeof(next));
	}
	session->keep = session->then != SESSION_THEN_EXIT && session->config.hold > 0 && there;
	if (there && !session->keep)
		what = "tunnel down: ";
	else if (was_up)
		what = "session lost: ";
	actions->warning = true;
	if (session->then != SESSION_THEN_EXIT && what[0] == '\0')
		session_say(actions, repeat, reason, next, hopeless && !trusts, now);
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
