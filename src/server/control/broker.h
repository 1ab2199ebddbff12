/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How a session comes about and ends, between a client's state machine and the other processes:
 *
 * client -> accounts (is it the user, what does the user get) -> monitor (make it) -> forward (take
 * the session in) -> client ("+OK ..."), so that the first packet after the reply already passes.
 */
#ifndef DTCP_SERVER_CONTROL_BROKER_H
#define DTCP_SERVER_CONTROL_BROKER_H

#include "base/log.h"
#include "forward/counters.h"
#include "forward/msg.h"
#include "process/ipc.h"
#include "server/control/client.h"
#include "server/control/connection_limits.h"
#include "server/control/login_limits.h"
#include "server/control/login_queue.h"
#include "server/control/refusals.h"
#include "server/control/sessions.h"
#include "server/control/tally.h"
#include "server/msg.h"
#include "server/options.h"

/* Filled in by control; accounts and forward when their channels are there. */
struct broker {
	const struct server_options *options;
	struct ipc *accounts;
	struct ipc *forward;
	struct sessions *sessions;
	struct connection_limits
		*connection_limits; /* whose places the broker settles and spoils */
	struct login_limits *login_limits;
	struct log_limit denied;	      /* logins that failed */
	struct log_limit unheard;	      /* logins that were not looked into */
	struct log_limit refused;	      /* good ones that got no tunnel */
	struct log_limit places;	      /* where packets come from */
	struct log_limit wrong;		      /* what a room said and cannot mean */
	struct log_limit paths;		      /* that die, and come back */
	uint32_t dead_paths;		      /* sessions with such a path now */
	const struct counters_page *counters; /* NULL: none are shown */
	struct counters_kernel kernel;
	const struct server_verdict *verdict; /* while it is being acted upon */
	struct login_queue queue;
	struct tally_logins logins;
	struct tally_sessions up;
	struct refusals refusals;
	/* A message could not be sent for want of memory: the room has to end. */
	void (*failed)(void *arg);
	void *arg;
};

/* What is zero at first but for lists. */
void broker_init(struct broker *broker);

/* client_owner.act and client_owner.ended. */
void broker_act(struct broker *broker, struct client *client, unsigned int what);
void broker_ended(struct broker *broker, struct client *client);

/* Monitor's words. Each counts in the states of a session only in which it can come. */
void broker_verdict(struct broker *broker, const struct server_verdict *verdict);
void broker_revoke(struct broker *broker, const struct server_revoked *revoked);

/* Whether a user has a session that is up. Looks at all sessions. */
bool broker_has_user(struct broker *broker, const char *user);

/* Ends those of a user, who is told why, and returns how many there were. Looks at all sessions. */
unsigned int broker_kick(struct broker *broker, const char *user);

#endif
