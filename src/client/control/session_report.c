/* SPDX-License-Identifier: BSD-2-Clause */
/* The session's state for status displays. */
#include "client/control/session.h"

#include "client/control/session_steps.h"

/* There is no tunnel, or it is being removed. */
static enum client_state session_state_without(const struct session *session)
{
	bool leaving = session->state == SESSION_QUIT || session->state == SESSION_LOWER;

	if (session->state == SESSION_DOWN || session->state == SESSION_DONE ||
	    (leaving && (session->then == SESSION_THEN_DOWN || session->then == SESSION_THEN_EXIT)))
		return CLIENT_STATE_DOWN;
	if (session->state == SESSION_WAIT || (leaving && session->then == SESSION_THEN_RETRY))
		return CLIENT_STATE_WAITING;
	return CLIENT_STATE_CONNECTING;
}

enum client_state session_client_state(const struct session *session)
{
	if (session->state == SESSION_UP)
		return CLIENT_STATE_UP;
	/*
	 * Before the session is left for another transport, and until the root process knows of the
	 * new one, the time is irrelevant.
	 */
	if (session->hold_until >= 0 || (session->state == SESSION_QUIT && session->keep) ||
	    (session->state == SESSION_RAISE && session_has_tunnel(session)))
		return CLIENT_STATE_HELD;
	return session_state_without(session);
}

enum session_why session_why(const struct session *session)
{
	const struct session_server *server = session_server(session);

	if (session->config.transport != SESSION_AUTO)
		return SESSION_WHY_SETTINGS;
	if (session->udp)
		return server->why;
	if (server->trusted)
		return SESSION_WHY_ONLY;
	return server->answers.s_addr != 0 && server->answers.s_addr == session->remote.s_addr
		       ? SESSION_WHY_ANSWERS
		       : SESSION_WHY_FIRST;
}

int64_t session_next_try(const struct session *session)
{
	return session->state == SESSION_WAIT ? session->deadline : -1;
}
