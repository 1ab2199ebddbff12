/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which connections are let in, and which of those that are there have to go for them: by the
 * connection limits' rules (server/control/connection_limits.h), and when descriptors or memory run
 * out.
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
	struct connection_limits
		*connection_limits; /* the broker's, there before admission_open() */
	TAILQ_HEAD(, client) clients;
	struct log_limit dropped; /* connections, for others */
	uint64_t turned_away;	  /* so many of these, and of those that were not let in */
	/* private */
	struct listener *listener;
	struct listener_owner listening;
};

/* owner is that of every client, and must stay valid. */
void admission_init(struct admission *admission, const struct client_owner *owner);

/* Takes over fd, which listens, and lets clients in. False if memory is short. */
bool admission_open(struct admission *admission, int fd);

/* Lets nobody in any more. */
void admission_stop(struct admission *admission);

/* A client is gone. */
void admission_leave(struct admission *admission, struct client *client);

/* Closes all connections, without a word to their owner. */
void admission_end(struct admission *admission);

#endif
