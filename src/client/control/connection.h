/* SPDX-License-Identifier: BSD-2-Clause */
/* The client's TCP connection to the server: connecting to one of its addresses, lines. */
#ifndef DTCP_CLIENT_CONTROL_CONNECTION_H
#define DTCP_CLIENT_CONTROL_CONNECTION_H

#include "client/control/session.h"

#include <event2/event.h>

struct connection;

/* Takes the events CONNECTED, FAILED, LINE, BAD_LINE and CLOSED. */
typedef void (*connection_feed)(const struct session_event *event, void *arg);

/*
 * patience is the time in milliseconds that what we sent may stay unacknowledged: then the kernel
 * ends the connection (TCP_USER_TIMEOUT). NULL if memory is short.
 */
struct connection *connection_new(struct event_base *base, uint32_t patience, connection_feed feed,
				  void *arg);
void connection_free(struct connection *connection);

/* Connects to a server that is named by its address; what comes of it is fed. */
void connection_open(struct connection *connection, uint16_t port, struct in_addr address);

/*
 * The same for one that has a name, which is being looked up: connection_found() or
 * connection_not_found() is to follow. Until then the addresses that are known already, if any, are
 * tried; spare, unless it is 0, is one that can be connected to but was of no use: it is tried if
 * the look-up fails or takes long, and all others have more time to be better than it. FAILED is
 * fed when all have failed and the look-up has ended, and after 15 s without a look-up that helps.
 */
void connection_open_name(struct connection *connection, uint16_t port, const struct in_addr *known,
			  size_t count, struct in_addr spare);

/* True as long as the end of the look-up is waited for. */
bool connection_looks_up(const struct connection *connection);

/* What came of the look-up; text is for FAILED. Only while it is waited for. */
void connection_found(struct connection *connection, const struct in_addr *addresses, size_t count);
void connection_not_found(struct connection *connection, const char *text);

/* Sends a line. */
void connection_send(struct connection *connection, const char *line);

/* Closes, or gives up connecting. Nothing more is fed. What was sent is still delivered. */
void connection_close(struct connection *connection);

#endif
