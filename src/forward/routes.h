/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which session a prefix leads to: longest prefix match, with a hash table for each length that
 * occurs. A part of the session table, which alone uses it.
 */
#ifndef DTCP_FORWARD_ROUTES_H
#define DTCP_FORWARD_ROUTES_H

#include "proto/prefix.h"

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

struct routes;
struct session;

/* That a session has a prefix. Part of the session, and there as long as routes know of it. */
struct route_claim {
	TAILQ_ENTRY(route_claim) next;
	struct session *session;
};

/* NULL if memory is short. */
struct routes *routes_new(const uint64_t key[static 2]);
void routes_free(struct routes *routes);

/*
 * Makes a route to this prefix, which leads nowhere, if there is none; *made tells. Returns 0 or
 * -ENOMEM.
 */
int routes_make(struct routes *routes, const struct prefix6 *prefix, bool *made);

/* Takes a route away that leads nowhere. */
void routes_drop(struct routes *routes, const struct prefix6 *prefix);

/* The prefix, to which there is a route, leads to the claim's session from now on. */
void routes_claim(struct routes *routes, const struct prefix6 *prefix, struct route_claim *claim);

/*
 * The claim is over: the prefix leads to the newest one that is left, or if there is none, nowhere,
 * and false is returned.
 */
bool routes_unclaim(struct routes *routes, const struct prefix6 *prefix, struct route_claim *claim);

/*
 * The route to just this prefix, and the one with the longest prefix that has the address. True if
 * there is one; *out is its session then, or NULL if it leads nowhere.
 */
bool routes_exact(const struct routes *routes, const struct prefix6 *prefix, struct session **out);
bool routes_longest(const struct routes *routes, const struct in6_addr *address,
		    struct session **out);

/* Calls back for each route. */
void routes_each(const struct routes *routes, void (*each)(const struct prefix6 *prefix, void *arg),
		 void *arg);

#endif
