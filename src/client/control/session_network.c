/* SPDX-License-Identifier: BSD-2-Clause */
/* The session's reaction to a changed network, and to a resume from sleep. */
#include "client/control/session_parts.h"

#include "client/control/session_steps.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <stdio.h>

/* Between two rounds: the change may make an attempt succeed. */
static void session_hurry(struct session *session, int64_t now, struct session_actions *actions)
{
	if (retry_hurry(&session->retry, now, &session->deadline))
		session_connect(session, now, actions);
}

/* True if the last round failed because there was no route. */
static bool session_was_cut_off(const struct session *session)
{
	return session->status == CLIENT_NAME || session->status == CLIENT_UNREACHABLE;
}

void session_on_network(struct session *session, struct in_addr local, int64_t now,
			struct session_actions *actions)
{
	bool way = local.s_addr != 0;
	bool back = way && session->network.no_way;
	bool moved = way && local.s_addr != session->local.s_addr;
	char text[INET_ADDRSTRLEN];

	/* The packets of a held tunnel continue as well. */
	if (session_has_tunnel(session))
		actions->what |= SESSION_DO_HELLO;
	/* Before the first connection, the server's address is unknown. */
	session->network.no_way = !way && session->remote.s_addr != 0;
	if (way)
		session->network.latest = local;
	/* Once for each address: afterwards the usual delays apply. */
	if (session->state == SESSION_WAIT && way &&
	    local.s_addr != session->network.source.s_addr) {
		retry_begin(&session->retry, now);
		session_connect(session, now, actions);
		return;
	}
	if (session->state == SESSION_WAIT && !session->network.no_way &&
	    (back || session_was_cut_off(session))) {
		session_hurry(session, now, actions);
		return;
	}
	/* Answers to packets from the old address go there. */
	if (session->state == SESSION_CONNECT && way &&
	    (back || local.s_addr != session->network.source.s_addr)) {
		actions->what |= SESSION_DO_CLOSE;
		session_connect(session, now, actions);
		return;
	}
	if (!moved || session->state < SESSION_GREETING || session->state > SESSION_UP)
		return;
	session_tell(session, actions, "address-changed",
		     "the address here is now %s; logging in again",
		     inet_ntop(AF_INET, &local, text, sizeof(text)));
	retry_moved(&session->retry);
	/* The old connection belongs to an address that this machine no longer has. */
	session_start_over(session, now, actions);
}

void session_on_woke(struct session *session, uint32_t seconds, int64_t now,
		     struct session_actions *actions)
{
	session_tell(session, actions, "woke", "this machine has slept for %" PRIu32 " s", seconds);
	if (session_has_tunnel(session))
		actions->what |= SESSION_DO_HELLO;
	switch (session->state) {
	case SESSION_CONNECT:
		actions->what |= SESSION_DO_CLOSE;
		session_connect(session, now, actions);
		break;
	case SESSION_GREETING:
	case SESSION_LOGIN:
	case SESSION_TEST:
		session_start_over(session, now, actions);
		break;
	case SESSION_UP: /* the pending ping is replaced */
		session_ping(session, now, actions);
		break;
	case SESSION_WAIT:
		session_hurry(session, now, actions);
		break;
	case SESSION_IDLE:
	case SESSION_RAISE:
	case SESSION_QUIT:
	case SESSION_LOWER:
	case SESSION_DOWN:
	case SESSION_DONE:
		break;
	}
}
