/* SPDX-License-Identifier: BSD-2-Clause */
/* The daemons of this machine that have a control socket, and the queries to each. */
#ifndef DTCP_WEB_DAEMONS_H
#define DTCP_WEB_DAEMONS_H

#include "web/asker.h"
#include "web/history.h"
#include "web/sessions.h"

#include <event2/event.h>
#include <stdbool.h>
#include <stddef.h>

/* Largest number of daemons; if there are more, those that have ended are removed first. */
#define DAEMONS_MAX 16

/* "dtcps-dtcps0", as in URLs. */
#define DAEMON_ID_SIZE (IF_NAMESIZE + 12)

/* Time limits of a daemon's answers, milliseconds. */
#define DAEMON_STATUS_LIMIT   2000
#define DAEMON_SESSIONS_LIMIT 8000

struct daemon {
	char id[DAEMON_ID_SIZE];
	struct ask_daemon at;
	bool there; /* its socket existed at the last check */
	struct asker *status;
	struct asker *sessions; /* for a server; NULL: a client */
	struct sessions *table;
	struct asker_waiter sampler;
	struct history history;
};

struct daemons;

/*
 * folder has their sockets; it must stay valid, but need not exist. From now on a sample of each
 * daemon is taken every HISTORY_STEP seconds. NULL after logging.
 */
struct daemons *daemons_new(struct event_base *base, const char *folder);
void daemons_free(struct daemons *daemons);

/* Looks for daemons again, unless that was done within the last second. */
void daemons_look(struct daemons *daemons);

/* The number of daemons that run or have run since the start; they are sorted by id. */
size_t daemons_count(const struct daemons *daemons);
struct daemon *daemons_get(struct daemons *daemons, size_t place);

/* NULL if there is none with that id. */
struct daemon *daemons_find(struct daemons *daemons, const char *id);

#endif
