/* SPDX-License-Identifier: BSD-2-Clause */
/* Requests to the session, by a signal or over the control socket. */
#include "client/control/session_parts.h"

#include "client/control/session_steps.h"

/* Whether the session is already ending. */
static bool session_leaves(const struct session *session)
{
	return session->state == SESSION_QUIT || session->state == SESSION_LOWER;
}

bool session_is_down(const struct session *session)
{
	return session->state == SESSION_DOWN ||
	       (session_leaves(session) && session->then == SESSION_THEN_DOWN);
}

/* Before the start there is no account to log in with. */
bool session_can_be_asked(const struct session *session)
{
	return session->state != SESSION_IDLE && session->state != SESSION_DONE &&
	       !(session_leaves(session) && session->then == SESSION_THEN_EXIT);
}

/* Another attempt is requested: earlier failures of all servers are forgotten. */
static void session_forget(struct session *session)
{
	session->then = SESSION_THEN_CONNECT;
	for (size_t i = 0; i < session->config.n_servers; i++)
		session->servers[i].trusted = false;
	retry_forget(&session->retry);
}

void session_on_reconnect(struct session *session, bool keep, int64_t now,
			  struct session_actions *actions)
{
	static const char why[] = "reconnecting on request";
	bool leaving = session_leaves(session);

	if (!session_can_be_asked(session))
		return;
	/* Signals may come from scripts, at each change of the network. */
	if (session_is_down(session)) {
		session_tell(session, actions, "down-stays",
			     "down on request, which a signal does not change");
		return;
	}
	session_forget(session);
	/* Another session follows anyway. */
	if (keep && leaving)
		return;
	if (keep) {
		session_tell(session, actions, "login-again", "logging in again on request");
		session_start_over(session, now, actions);
	} else if (leaving) {
		session_let_go(session, actions, why);
	} else {
		session_leave(session, now, actions, why);
	}
}

void session_on_go_down(struct session *session, int64_t now, struct session_actions *actions)
{
	static const char wish[] = "on request";

	if (!session_can_be_asked(session) || session_is_down(session))
		return;
	session->then = SESSION_THEN_DOWN;
	if (session_leaves(session))
		session_let_go(session, actions, wish);
	else
		session_leave(session, now, actions, wish);
	if (actions->message[0] == '\0')
		session_tell(session, actions, "down", "down on request");
}

void session_on_go_up(struct session *session, int64_t now, struct session_actions *actions)
{
	if (!session_is_down(session))
		return;
	session_tell(session, actions, "up", "connecting on request");
	session_forget(session);
	if (session->state == SESSION_DOWN)
		session_connect(session, now, actions);
}

void session_on_stop(struct session *session, int64_t now, struct session_actions *actions)
{
	session->then = SESSION_THEN_EXIT;
	session->status = CLIENT_OK;
	if (session_leaves(session))
		session_let_go(session, actions, "stopped");
	else if (session->state != SESSION_DONE)
		session_leave(session, now, actions, "stopped");
}
