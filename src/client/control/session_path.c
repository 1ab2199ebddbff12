/* SPDX-License-Identifier: BSD-2-Clause */
/* What the session makes of a data path that dies, or comes back. */
#include "client/control/session_steps.h"

#include <stdio.h>

void session_path_lost(struct session *session, int64_t now, struct session_actions *actions)
{
	if (session->udp) {
		session_doubt_udp(session);
		session_fail(session, now, actions, CLIENT_TIMEOUT,
			     "%s: nothing comes over UDP any more", session_server_name(session));
		session_want_port(session, actions);
	} else if (!session->ping_sent) {
		/* Is it protocol 41 only, or is there no way to the server at all? */
		session_ping(session, now, actions);
	}
}

void session_path_blocked(struct session *session, int64_t now, struct session_actions *actions)
{
	struct session_server *current = &session->servers[session->current];
	const char *server = session_server_name(session);

	/* Unless it knows nothing else. */
	if (session->config.transport == SESSION_AUTO && !current->trusted) {
		session_change_to_udp(session, now, actions,
				      "%s: nothing comes over protocol 41 any more", server);
		current->silent = true;
		return;
	}
	session->path_told = true;
	actions->warning = true;
	(void)snprintf(actions->message, sizeof(actions->message),
		       "%s: nothing comes over protocol 41 any more, is it blocked by a firewall? "
		       "The tunnel stays, in case it comes back",
		       server);
}

void session_on_path(struct session *session, bool alive, int64_t now,
		     struct session_actions *actions)
{
	if (alive)
		session->port_hinted = false;
	/* In other states it is about a session that goes on without a connection. */
	if (session->state < SESSION_TEST || session->state > SESSION_UP)
		return;
	session->path_dead = !alive;
	/* So if it says nothing in a later session, that is news from the beginning. */
	if (alive && !session->udp)
		session->servers[session->current].answers = session->remote;
	if (session->state == SESSION_TEST && alive) {
		session_raise(session, now, actions);
	} else if (session->state == SESSION_UP && !alive) {
		session_path_lost(session, now, actions);
	} else if (session->state == SESSION_UP && session->path_told) {
		session->path_told = false;
		(void)snprintf(actions->message, sizeof(actions->message),
			       "%s: packets come over protocol 41 again",
			       session_server_name(session));
	}
}
