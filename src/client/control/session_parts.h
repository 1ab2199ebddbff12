/* SPDX-License-Identifier: BSD-2-Clause */
/* Event handlers called by session.c. Private to it and session_{asked,login,network,path}.c. */
#ifndef DTCP_CLIENT_CONTROL_SESSION_PARTS_H
#define DTCP_CLIENT_CONTROL_SESSION_PARTS_H

#include "client/control/session.h"

/* The server's greeting, and its reply to the request. */
void session_on_greeting(struct session *session, const struct session_event *event, int64_t now,
			 struct session_actions *actions);
void session_on_reply(struct session *session, const struct session_event *event, int64_t now,
		      struct session_actions *actions);

/* Requests. keep: the tunnel stays. */
void session_on_reconnect(struct session *session, bool keep, int64_t now,
			  struct session_actions *actions);
void session_on_go_down(struct session *session, int64_t now, struct session_actions *actions);
void session_on_go_up(struct session *session, int64_t now, struct session_actions *actions);
void session_on_stop(struct session *session, int64_t now, struct session_actions *actions);

/* The network has changed, or the machine was asleep. */
void session_on_network(struct session *session, struct in_addr local, int64_t now,
			struct session_actions *actions);
void session_on_woke(struct session *session, uint32_t seconds, int64_t now,
		     struct session_actions *actions);

/* Nothing comes over UDP; our port has changed. */
void session_on_no_answer(struct session *session, struct session_actions *actions);
void session_on_port(struct session *session, uint16_t port, struct session_actions *actions);

/* After a failure of UDP, if the program continues: asks for a second port for the next attempt. */
void session_want_port(const struct session *session, struct session_actions *actions);

/* Passes a new port to the root process, once that is possible. */
void session_tell_port(struct session *session, struct session_actions *actions);

/* The session is up: acts on the state of the path, or logs it. */
void session_path_tell(struct session *session, int64_t now, struct session_actions *actions);

/* Nothing comes over protocol 41, although the server answers a ping. */
void session_path_blocked(struct session *session, int64_t now, struct session_actions *actions);

/* Forward's report. */
void session_on_path(struct session *session, bool alive, int64_t now,
		     struct session_actions *actions);

#endif
