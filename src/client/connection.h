/* SPDX-License-Identifier: BSD-2-Clause */
/* The client's TCP connection to the server: name look-up, connecting, lines. */
#ifndef DTCP_CLIENT_CONNECTION_H
#define DTCP_CLIENT_CONNECTION_H

#include "client/names.h"
#include "client/session.h"

#include <event2/event.h>

struct connection;

/* Takes the events CONNECTED, FAILED, LINE, BAD_LINE and CLOSED. */
typedef void (*connection_feed)(const struct session_event *event, void *arg);

/*
 * patience is the time in milliseconds that what we sent may stay unacknowledged: then the kernel
 * ends the connection (TCP_USER_TIMEOUT). NULL where memory is short.
 */
struct connection *connection_new(struct event_base *base, uint32_t patience, connection_feed feed,
				  void *arg);
void connection_free(struct connection *connection);

/* True where server is a name, for which connection_open() needs the name files. */
bool connection_is_name(const char *server);

/*
 * Looks server up anew and connects to it; what comes of it is fed. names stays the caller's and is
 * read during the call; NULL for an address. Each of the server's addresses gets its share of
 * SESSION_CONNECT_MS. If last is among them it is the first to be tried, with past the first to be
 * tried is the one behind it.
 */
void connection_open(struct connection *connection, const char *server, uint16_t port,
		     const struct names *names, struct in_addr last, bool past);

/* Sends a line. */
void connection_send(struct connection *connection, const char *line);

/* Closes, or gives up connecting. Nothing more is fed. What was sent is still delivered. */
void connection_close(struct connection *connection);

#endif
