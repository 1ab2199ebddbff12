/* SPDX-License-Identifier: BSD-2-Clause */
/* What session.c hands events to. Private to it and session_{asked,login,network,path}.c. */
#ifndef DTCP_CLIENT_CONTROL_SESSION_PARTS_H
#define DTCP_CLIENT_CONTROL_SESSION_PARTS_H

#include "client/control/session.h"

/* The server's first line, and its answer to the request. */
void session_on_greeting(struct session *session, const struct session_event *event, int64_t now,
			 struct session_actions *actions);
void session_on_reply(struct session *session, const struct session_event *event, int64_t now,
		      struct session_actions *actions);

/* Somebody asks for it. keep: the tunnel stays. */
void session_on_reconnect(struct session *session, bool keep, int64_t now,
			  struct session_actions *actions);
void session_on_go_down(struct session *session, int64_t now, struct session_actions *actions);
void session_on_go_up(struct session *session, int64_t now, struct session_actions *actions);
void session_on_stop(struct session *session, int64_t now, struct session_actions *actions);

/* The machine, or its network, is another one than a moment ago. */
void session_on_network(struct session *session, struct in_addr local, int64_t now,
			struct session_actions *actions);
void session_on_woke(struct session *session, uint32_t seconds, int64_t now,
		     struct session_actions *actions);

/* Nothing comes over UDP; our port is another one. */
void session_on_no_answer(struct session *session, struct session_actions *actions);
void session_on_port(struct session *session, uint16_t port, struct session_actions *actions);

/* After a failure of UDP, if the program goes on: the next attempt is to have another port, too. */
void session_want_port(const struct session *session, struct session_actions *actions);

/* Has root's process hear of a new port, once it can be told. */
void session_tell_port(struct session *session, struct session_actions *actions);

/* The session is up: does what has to be done about the path, or says what is known of it now. */
void session_path_tell(struct session *session, int64_t now, struct session_actions *actions);

/* Nothing comes over protocol 41, and the server, which was asked, is there. */
void session_path_blocked(struct session *session, int64_t now, struct session_actions *actions);

/* Forward's word. */
void session_on_path(struct session *session, bool alive, int64_t now,
		     struct session_actions *actions);

#endif
