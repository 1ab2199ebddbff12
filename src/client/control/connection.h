/* SPDX-License-Identifier: BSD-2-Clause */
/* The client's TCP connection to the server: connects to one of its addresses, and transfers lines.
 */
#ifndef DTCP_CLIENT_CONTROL_CONNECTION_H
#define DTCP_CLIENT_CONTROL_CONNECTION_H

#include "client/control/session.h"

#include <event2/event.h>

struct connection;

/* Gets the events CONNECTED, FAILED, LINE, BAD_LINE and CLOSED. */
typedef void (*connection_feed)(const struct session_event *event, void *arg);

/*
 * patience is the time in milliseconds that sent data may stay unacknowledged, after which the
 * kernel ends the connection (TCP_USER_TIMEOUT). NULL if memory is short.
 */
struct connection *connection_new(struct event_base *base, uint32_t patience, connection_feed feed,
				  void *arg);
void connection_free(struct connection *connection);

/* Connects to a server given by its address; the result is fed as an event. */
void connection_open(struct connection *connection, uint16_t port, struct in_addr address);

/*
 * The same for a server given by a name, which is being looked up: connection_found() or
 * connection_not_found() must follow. Until then the known addresses, if any, are tried. spare,
 * unless it is 0, is an address that accepted a connection but did not work: it is tried if the
 * look-up fails or is slow, and all others get more time before it. FAILED is fed when all have
 * failed and the look-up has ended, or after 15 s without a result.
 */
void connection_open_name(struct connection *connection, uint16_t port, const struct in_addr *known,
			  size_t count, struct in_addr spare);

/* True while waiting for the result of the look-up. */
bool connection_looks_up(const struct connection *connection);

/* The result of the look-up; text is for FAILED. Only while connection_looks_up(). */
void connection_found(struct connection *connection, const struct in_addr *addresses, size_t count);
void connection_not_found(struct connection *connection, const char *text);

/* Sends a line. */
void connection_send(struct connection *connection, const char *line);

/* Closes, or gives up connecting. Feeds no more events. Sent data is still delivered. */
void connection_close(struct connection *connection);

#endif
