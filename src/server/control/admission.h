/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Accepts connections, and drops others for them: by the rules of connection_limits.h, and when
 * descriptors or memory run out.
 */
#ifndef DTCP_SERVER_CONTROL_ADMISSION_H
#define DTCP_SERVER_CONTROL_ADMISSION_H

#include "base/log.h"
#include "server/control/client.h"
#include "server/control/connection_limits.h"
#include "server/control/listener.h"

#include <stdbool.h>
#include <sys/queue.h>

struct admission {
	const struct client_owner *owner;
	struct connection_limits *connection_limits; /* the broker's, set before admission_open() */
	TAILQ_HEAD(, client) clients;
	struct log_limit dropped; /* dropped connections */
	uint64_t turned_away;	  /* connections dropped or refused */
	/* private */
	struct listener *listener;
	struct listener_owner listening;
};

/* owner is that of all clients, and must stay valid. */
void admission_init(struct admission *admission, const struct client_owner *owner);

/* Takes over fd, a listening socket, and accepts clients. False if memory is short. */
bool admission_open(struct admission *admission, int fd);

/* Stops accepting connections. */
void admission_stop(struct admission *admission);

/* To be called when a client is gone. */
void admission_leave(struct admission *admission, struct client *client);

/* Closes all connections, without calling their owner. */
void admission_end(struct admission *admission);

#endif
