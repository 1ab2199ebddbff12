/* SPDX-License-Identifier: BSD-2-Clause */
/* The broker's log lines about clients and sessions; dtcps(8) describes them. */
#ifndef DTCP_SERVER_CONTROL_BROKER_LOG_H
#define DTCP_SERVER_CONTROL_BROKER_LOG_H

#include "server/control/broker.h"

/* A session has begun; it has ended, with the reason. */
void broker_log_up(const struct client *client);
void broker_log_down(const struct client *client, const struct session_counters *counters,
		     const char *why);

/* Its path has died, or recovered. */
void broker_log_path(struct broker *broker, const struct client *client, bool dead);

/* Over UDP: its address and port; port 0: no longer known. */
void broker_log_place(struct broker *broker, const struct client *client, struct in_addr place,
		      uint16_t port);

/* A login has failed. */
void broker_log_denied(struct broker *broker, const struct client *client);

/* A login was rejected unchecked. */
void broker_log_unheard(struct broker *broker, const struct client *client, const char *why);

/* A process has sent an invalid message about a session; it was ignored. */
void broker_log_wrong(struct broker *broker, const char *who, const char *message, uint32_t id);

/*
 * The client gets no tunnel, although its login is valid; why is the reason in the operator's
 * terms. broker_log_verdict() logs nothing for other results.
 */
__attribute__((format(printf, 3, 4))) void
broker_log_refused(struct broker *broker, const struct client *client, const char *format, ...);
void broker_log_verdict(struct broker *broker, const struct client *client,
			const struct server_verdict *verdict);

#endif
