/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Root's side of looking up the servers' names: starts a resolver (resolver.h) for each look-up, at
 * most one at a time for a server, and ends those that take too long.
 */
#ifndef DTCP_CLIENT_ROOT_LOOKUP_H
#define DTCP_CLIENT_ROOT_LOOKUP_H

#include "client/msg.h"
#include "client/options.h"
#include "process/children.h"
#include "process/supervisor.h"

#include <event2/event.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct lookups;

/*
 * A look-up that takes longer than timeout seconds is killed. NULL if memory is short. All of this
 * must end before children does.
 */
struct lookups *lookups_new(struct event_base *base, const struct client_options *options,
			    struct children *children, unsigned int timeout);

/* True if any server has a name. */
bool lookups_any(const struct client_options *options);

/* Kills those that run. NULL is allowed. */
void lookups_free(struct lookups *lookups);

/*
 * Starts a resolver for a server that has a name; one that runs for it is killed before. Returns
 * the end of its channel that is for control, or -errno: not now, such as -EAGAIN after too many.
 */
int lookups_start(struct lookups *lookups, uint32_t server);

/* Starts one at control's request, and answers; the program ends if it cannot ask for that. */
void lookups_answer(struct lookups *lookups, const struct client_options *options,
		    struct supervisor *supervisor, const struct client_server *server);

/* True if pid was one of them, and not killed by us; status as of wait(2). */
bool lookups_reaped(struct lookups *lookups, pid_t pid, int status);

#endif
