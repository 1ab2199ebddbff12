/* SPDX-License-Identifier: BSD-2-Clause */
/* The daemons of this machine: who has a control socket, and what is asked of each. */
#ifndef DTCP_WEB_DAEMONS_H
#define DTCP_WEB_DAEMONS_H

#include "web/asker.h"
#include "web/history.h"
#include "web/sessions.h"

#include <event2/event.h>
#include <stdbool.h>
#include <stddef.h>

/* Most daemons; of more, those that are gone make place first. */
#define DAEMONS_MAX 16

/* "dtcps-dtcps0", as it is in URLs. */
#define DAEMON_ID_SIZE (IF_NAMESIZE + 12)

/* Milliseconds that a daemon has to answer. */
#define DAEMON_STATUS_LIMIT   2000
#define DAEMON_SESSIONS_LIMIT 8000

struct daemon {
	char id[DAEMON_ID_SIZE];
	struct ask_daemon at;
	bool there; /* its socket was there at the last look */
	struct asker *status;
	struct asker *sessions; /* a server's; NULL: a client */
	struct sessions *table;
	struct asker_waiter sampler;
	struct history history;
};

struct daemons;

/*
 * folder has their sockets; it must stay valid, and need not be there. From now on a sample of each
 * is taken every HISTORY_STEP seconds. NULL after logging.
 */
struct daemons *daemons_new(struct event_base *base, const char *folder);
void daemons_free(struct daemons *daemons);

/* Looks again which there are, unless that was within the last second. */
void daemons_look(struct daemons *daemons);

/* Those that are or were there since the start, in the order of ids. */
size_t daemons_count(const struct daemons *daemons);
struct daemon *daemons_get(struct daemons *daemons, size_t place);

/* NULL if there is none of that id. */
struct daemon *daemons_find(struct daemons *daemons, const char *id);

#endif
