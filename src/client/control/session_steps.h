/* SPDX-License-Identifier: BSD-2-Clause */
/* The steps of the client's state machine, which its other parts are made of. Private to
 * session*.c. */
#ifndef DTCP_CLIENT_CONTROL_SESSION_STEPS_H
#define DTCP_CLIENT_CONTROL_SESSION_STEPS_H

#include "client/control/session.h"

/* The one place where the state changes. timeout in milliseconds, -1 for none. */
void session_enter(struct session *session, enum session_state state, int64_t now, int64_t timeout);

/* Something for the log, about the current server: event is a word for programs. */
__attribute__((format(printf, 4, 5))) void session_tell(const struct session *session,
							struct session_actions *actions,
							const char *event, const char *format, ...);

/* Begins an attempt at the current server. */
void session_connect(struct session *session, int64_t now, struct session_actions *actions);

/* Connection and tunnel are as they are to be: do what was decided when the end began. */
void session_then(struct session *session, int64_t now, struct session_actions *actions);

/* Has root's process take the tunnel down. */
void session_lower(struct session *session, struct session_actions *actions);

/* The connection is closed; the tunnel goes next, unless there is none or it is kept. */
void session_disconnected(struct session *session, int64_t now, struct session_actions *actions);

/* Closes the connection, at the end of a session. */
void session_disconnect(struct session *session, int64_t now, struct session_actions *actions);

/* The tunnel, if there is one, goes with this session, and that is said once. */
void session_let_go(struct session *session, struct session_actions *actions, const char *why);

/* Ends this session because somebody asked for it: politely, if the server knows of a tunnel. */
void session_leave(struct session *session, int64_t now, struct session_actions *actions,
		   const char *why);

/* Closes the connection, and connects anew at once; the tunnel, if there is one, is kept. */
void session_start_over(struct session *session, int64_t now, struct session_actions *actions);

/* Asks the server whether it is there. */
void session_ping(struct session *session, int64_t now, struct session_actions *actions);

/* --transport auto: leaves this session for one over UDP; the format says why as well. */
__attribute__((format(printf, 5, 6))) void
session_change_to_udp(struct session *session, int64_t now, struct session_actions *actions,
		      enum session_why why, const char *format, ...);

/* The tunnel is to be made: logged in, and where that was wanted, tried out. */
void session_raise(struct session *session, int64_t now, struct session_actions *actions);

/* Tells root's process how the tunnel is to be. */
void session_tell_tunnel(struct session *session, struct session_actions *actions);

/* There is a tunnel of this session, or of one before it. */
bool session_has_tunnel(const struct session *session);

/* What the server says behind "-ERR" in the line of event, fit to be shown. */
const char *session_said(const struct session_event *event, char buf[static DTCP_LINE_SIZE]);

/* A session is up: its server is the one to begin with next time. */
void session_succeeded(struct session *session, int64_t now, struct session_actions *actions);

/*
 * Ends this session because of a failure; the format says which, and names the server. What comes
 * then, the next server, a pause or the end, is decided here.
 */
__attribute__((format(printf, 5, 6))) void session_fail(struct session *session, int64_t now,
							struct session_actions *actions,
							enum client_exit status, const char *format,
							...);

/* The same, where the server has said why. */
__attribute__((format(printf, 6, 7))) void
session_fail_said(struct session *session, int64_t now, struct session_actions *actions,
		  enum client_exit status, enum dtcp_reason said, const char *format, ...);

/* What those who look are told went wrong last. */
void session_note_error(struct session *session, int64_t now, const char *text);

/* --transport auto: nothing has come over UDP, so the next attempt tries protocol 41 again. */
void session_doubt_udp(struct session *session);

#endif
