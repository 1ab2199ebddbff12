/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Beginning and end of sessions, between a client's state machine and the other processes:
 *
 * client -> accounts (checks the user, assigns addresses) -> monitor (makes device and routes) ->
 * forward (adds the session) -> client ("+OK ..."), so that the first packet after the reply
 * already passes.
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

/* Filled in by control; accounts and forward once their channels exist. */
struct broker {
	const struct server_options *options;
	struct ipc *accounts;
	struct ipc *forward;
	struct sessions *sessions;
	struct connection_limits
		*connection_limits; /* whose slots the broker confirms or penalizes */
	struct login_limits *login_limits;
	struct log_limit denied;	      /* logins that failed */
	struct log_limit unchecked;	      /* logins that were not checked */
	struct log_limit refused;	      /* valid logins that got no tunnel */
	struct log_limit places;	      /* learned peers */
	struct log_limit wrong;		      /* invalid messages of processes */
	struct log_limit paths;		      /* paths that die or recover */
	uint32_t dead_paths;		      /* sessions with such a path now */
	const struct counters_page *counters; /* NULL: no counters */
	struct counters_kernel kernel;
	const struct server_verdict *verdict; /* while it is being handled */
	struct login_queue queue;
	struct tally_logins logins;
	struct tally_sessions up;
	struct refusals refusals;
	/* A message could not be sent, as memory is short: the process must end. */
	void (*failed)(void *arg);
	void *arg;
};

/* Initializes everything that does not start as zero. */
void broker_init(struct broker *broker);

/* For client_owner.act and client_owner.ended. */
void broker_act(struct broker *broker, struct client *client, unsigned int what);
void broker_ended(struct broker *broker, struct client *client);

/* Messages of monitor. Each is ignored in session states in which it cannot occur. */
void broker_verdict(struct broker *broker, const struct server_verdict *verdict);
void broker_revoke(struct broker *broker, const struct server_revoked *revoked);

/* Whether a user has a session that is up. Walks all sessions. */
bool broker_has_user(struct broker *broker, const char *user);

/* Ends a user's sessions, telling the client why. Returns their number. Walks all sessions. */
unsigned int broker_kick(struct broker *broker, const char *user);

#endif
