/* SPDX-License-Identifier: BSD-2-Clause */
/* How an attempt or a session ends by a failure. Private to session*.c. */
#ifndef DTCP_CLIENT_CONTROL_SESSION_FAIL_H
#define DTCP_CLIENT_CONTROL_SESSION_FAIL_H

#include "client/control/session.h"

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

/* --transport auto: nothing has come over UDP, so the next attempt tries protocol 41 again. */
void session_doubt_udp(struct session *session);

#endif
