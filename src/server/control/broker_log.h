/* SPDX-License-Identifier: BSD-2-Clause */
/* What the broker says of clients and sessions in the log; dtcps(8) describes the lines. */
#ifndef DTCP_SERVER_CONTROL_BROKER_LOG_H
#define DTCP_SERVER_CONTROL_BROKER_LOG_H

#include "server/control/broker.h"

/* A session has begun; it has ended, and why. */
void broker_log_up(const struct client *client);
void broker_log_down(const struct client *client, const struct session_counters *counters,
		     const char *why);

/* Its path has died, or come back. */
void broker_log_path(struct broker *broker, const struct client *client, bool dead);

/* Over UDP: where it is, or with port 0, that this is not known any more. */
void broker_log_place(struct broker *broker, const struct client *client, struct in_addr place,
		      uint16_t port);

/* A login has failed. */
void broker_log_denied(struct broker *broker, const struct client *client);

/* A login was not looked into. */
void broker_log_unheard(struct broker *broker, const struct client *client, const char *why);

/* A process has said of a session what cannot be true; nothing was done for it. */
void broker_log_wrong(struct broker *broker, const char *who, const char *message, uint32_t id);

/*
 * The client gets no tunnel, though nothing is wrong with its login: why, in the operator's terms.
 * Nothing for a verdict that says otherwise.
 */
__attribute__((format(printf, 3, 4))) void
broker_log_refused(struct broker *broker, const struct client *client, const char *format, ...);
void broker_log_verdict(struct broker *broker, const struct client *client,
			const struct server_verdict *verdict);

#endif
