/* SPDX-License-Identifier: BSD-2-Clause */
/* What the session makes of a network that changes, and of a machine that has slept. */
#include "client/control/session_parts.h"

#include "client/control/session_steps.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <stdio.h>

/* Between two rounds: the change may be what they waited for. */
static void session_hurry(struct session *session, int64_t now, struct session_actions *actions)
{
	if (retry_hurry(&session->retry, now, &session->deadline))
		session_connect(session, now, actions);
}

/* True if the last round failed for want of a way out of here. */
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

	/* The packets of a tunnel that is kept go on as well. */
	if (session_has_tunnel(session))
		actions->what |= SESSION_DO_HELLO;
	/* As long as there was no connection, nobody knows where the server is. */
	session->network.no_way = !way && session->remote.s_addr != 0;
	if (way)
		session->network.latest = local;
	/* Once for each address: then the pauses are as long as ever. */
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
	/* What was sent from the address of then is answered to there. */
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
	/* The old connection belongs to an address that we do not have any more. */
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
	case SESSION_UP: /* what was asked before is not waited for any longer */
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
