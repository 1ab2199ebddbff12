/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Longest prefix match of prefixes to sessions, with a hash table for each length that occurs. A
 * part of the session table, which alone uses it.
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

/* A session's claim to a prefix. Part of the session, and valid as long as it is in routes. */
struct route_claim {
	TAILQ_ENTRY(route_claim) next;
	struct session *session;
};

/* NULL if memory is short. */
struct routes *routes_new(const uint64_t key[static 2]);
void routes_free(struct routes *routes);

/*
 * Makes a route to this prefix without a session, if there is none; *made tells whether. Returns 0
 * or -ENOMEM.
 */
int routes_make(struct routes *routes, const struct prefix6 *prefix, bool *made);

/* Removes a route without a session. */
void routes_drop(struct routes *routes, const struct prefix6 *prefix);

/* The prefix, which has a route, leads to the claim's session from now on. */
void routes_claim(struct routes *routes, const struct prefix6 *prefix, struct route_claim *claim);

/*
 * Ends the claim: the prefix leads to the newest remaining one; without any, to no session, and
 * false is returned.
 */
bool routes_unclaim(struct routes *routes, const struct prefix6 *prefix, struct route_claim *claim);

/*
 * The route to exactly this prefix, and the one with the longest prefix that contains the address.
 * True if there is one; *out is then its session, or NULL if it has none.
 */
bool routes_exact(const struct routes *routes, const struct prefix6 *prefix, struct session **out);
bool routes_longest(const struct routes *routes, const struct in6_addr *address,
		    struct session **out);

/* Calls each() for each route. */
void routes_each(const struct routes *routes, void (*each)(const struct prefix6 *prefix, void *arg),
		 void *arg);

#endif
