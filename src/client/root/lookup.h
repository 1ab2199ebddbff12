/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The root process's side of looking up servers' names: starts a resolver (resolver.h) for each
 * look-up, at most one at a time for a server, and kills those that take too long.
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
 * A look-up that takes longer than timeout seconds is killed. NULL if memory is short.
 * lookups_free() must be called before children_end().
 */
struct lookups *lookups_new(struct event_base *base, const struct client_options *options,
			    struct children *children, unsigned int timeout);

/* True if any server is given by name. */
bool lookups_any(const struct client_options *options);

/* Kills running resolvers. NULL is allowed. */
void lookups_free(struct lookups *lookups);

/*
 * Starts a resolver for a server given by name, after killing one that is running for it. Returns
 * control's end of its channel, or -errno: not now, such as -EAGAIN after too many.
 */
int lookups_start(struct lookups *lookups, uint32_t server);

/* Starts one at control's request, and answers; the program ends if the request is invalid. */
void lookups_answer(struct lookups *lookups, const struct client_options *options,
		    struct supervisor *supervisor, const struct client_server *server);

/* True if pid was one of them, and not killed by us; status as from wait(2). */
bool lookups_reaped(struct lookups *lookups, pid_t pid, int status);

#endif
