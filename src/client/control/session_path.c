/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The session's reaction to a data path that dies or recovers; and our UDP port. If hellos go
 * unanswered, a NAT or firewall may have a wrong mapping of it, which lasts as long as we send;
 * forward then sends hellos from another port as well. The first that is answered is used from then
 * on.
 */
#include "client/control/session_parts.h"

#include "client/control/session_steps.h"

#include <stdio.h>
#include <string.h>

void session_on_no_answer(struct session *session, struct session_actions *actions)
{
	if (session->config.transport == SESSION_IPV6)
		return;
	if (!session->config.keeps_port) {
		actions->what |= SESSION_DO_PORT;
		return;
	}
	if (session->path.port_hinted)
		return;
	session->path.port_hinted = true;
	actions->warning = true;
	session_tell(session, actions, "path-silent",
		     "no answer over UDP for 10 s; if a NAT or firewall on the way has a wrong "
		     "mapping of this port, another port (-b) may help");
}

void session_want_port(const struct session *session, struct session_actions *actions)
{
	if (!session->config.keeps_port && session->then != SESSION_THEN_EXIT)
		actions->what |= SESSION_DO_PORT;
}

void session_tell_port(struct session *session, struct session_actions *actions)
{
	if (session->path.port_new && session->state == SESSION_UP &&
	    session->tunnel == SESSION_TUNNEL_UP)
		session_tell_tunnel(session, actions);
}

void session_on_port(struct session *session, uint16_t port, struct session_actions *actions)
{
	session_tell(session, actions, "port-changed",
		     "UDP port %u is used from now on: nothing came back to the one before", port);
	/* A held tunnel is updated when it has a session again. */
	session->path.port_new = session->path.udp && (session->tunnel == SESSION_TUNNEL_UP ||
						       session->tunnel == SESSION_TUNNEL_RAISING);
	session_tell_port(session, actions);
}

/* Nothing comes through the tunnel; over protocol 41 that does not end a session. */
static void session_path_lost(struct session *session, int64_t now, struct session_actions *actions)
{
	if (session->udp) {
		session_doubt_udp(session);
		session_fail(session, now, actions, CLIENT_TIMEOUT,
			     "%s: nothing comes over UDP any more", session_server_name(session));
		session_want_port(session, actions);
	} else if (!session->ping_sent) {
		/* Find out whether it is protocol 41 only, or the server is unreachable. */
		session_ping(session, now, actions);
	}
}

/* Another message at this moment comes first. */
static void session_path_say(const struct session *session, struct session_actions *actions,
			     const char *event, const char *what, const char *more)
{
	char before[sizeof(actions->message)];

	(void)strlcpy(before, actions->message, sizeof(before));
	session_tell(session, actions, event, "%s%s%s%s",
		     before[0] ? before : session_server_name(session), before[0] ? "; " : ": ",
		     what, more);
}

void session_path_blocked(struct session *session, int64_t now, struct session_actions *actions)
{
	struct session_server *current = &session->servers[session->retry.current];
	const char *server = session_server_name(session);
	bool automatic = session->config.transport == SESSION_AUTO;

	/* Unless the server supports nothing else. */
	if (automatic && !current->trusted) {
		session_change_to_udp(session, now, actions, SESSION_WHY_BLOCKED,
				      "%s: nothing comes over protocol 41 any more", server);
		current->silent = true;
		return;
	}
	actions->warning = true;
	session_note_error(session, now, "nothing comes over protocol 41");
	if (session->path.told == SESSION_PATH_UNTOLD) {
		session->path.told = SESSION_PATH_SILENT;
		session_path_say(session, actions, "path-silent",
				 "the far end does not answer over protocol 41, is it blocked by a "
				 "firewall or a NAT? The tunnel stays, in case it does",
				 automatic ? "" : "; --transport auto would try UDP as well");
	} else {
		session->path.told = SESSION_PATH_BLOCKED;
		session_path_say(session, actions, "path-dead",
				 "nothing comes over protocol 41 any more, is it blocked by a "
				 "firewall? The tunnel stays, in case it comes back",
				 "");
	}
}

/* A packet has come over protocol 41, for the first time or again. */
static void session_path_alive(struct session *session, struct session_actions *actions)
{
	bool again = session->path.told == SESSION_PATH_BLOCKED;

	session->path.told = SESSION_PATH_ANSWERS;
	session_path_say(session, actions, "path-alive",
			 again ? "packets come over protocol 41 again"
			       : "the far end answers over protocol 41",
			 "");
}

void session_path_tell(struct session *session, int64_t now, struct session_actions *actions)
{
	if (session->path.known == CLIENT_PATH_DEAD)
		session_path_lost(session, now, actions);
	else if (session->path.known == CLIENT_PATH_ALIVE && !session->udp &&
		 session->path.told != SESSION_PATH_ANSWERS)
		session_path_alive(session, actions);
}

void session_on_path(struct session *session, bool alive, int64_t now,
		     struct session_actions *actions)
{
	if (alive)
		session->path.port_hinted = false;
	/* In other states it is about a session that continues without a connection. */
	if (session->state < SESSION_TEST || session->state > SESSION_UP)
		return;
	session->path.known = alive ? CLIENT_PATH_ALIVE : CLIENT_PATH_DEAD;
	/* So silence in a later session means a dead path from the start. */
	if (alive && !session->udp)
		session->servers[session->retry.current].answers = session->remote;
	if (session->state == SESSION_TEST && alive)
		session_raise(session, now, actions);
	else if (session->state == SESSION_UP)
		session_path_tell(session, now, actions);
}
