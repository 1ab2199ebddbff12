/* SPDX-License-Identifier: BSD-2-Clause */
/* The login of a session. Private to session*.c. */
#ifndef DTCP_CLIENT_CONTROL_SESSION_LOGIN_H
#define DTCP_CLIENT_CONTROL_SESSION_LOGIN_H

#include "client/control/session.h"

/* The server's first line, and its answer to the request. */
void session_on_greeting(struct session *session, const struct session_event *event, int64_t now,
			 struct session_actions *actions);
void session_on_reply(struct session *session, const struct session_event *event, int64_t now,
		      struct session_actions *actions);

#endif
