/* SPDX-License-Identifier: BSD-2-Clause */
/* Pools from which leases are assigned. Private to users/. */
#ifndef DTCP_USERS_POOL_H
#define DTCP_USERS_POOL_H

#include "users/database.h"

/* A pool. */
struct users_pool {
	enum users_kind kind;
	struct prefix6 range;
	uint8_t len;	       /* of each lease */
	struct in6_addr start; /* first address of the first lease; those below are the server's */
};

/*
 * The pools of network and of host tunnels. False if there is none (NULL), or if it is no larger
 * than the server's own part.
 */
bool users_pool_network(const struct prefix6 *range, uint8_t length, struct users_pool *pool);
bool users_pool_host(const struct prefix6 *range, struct users_pool *pool);

/* Advances to the next prefix of that length; false at the end of the address space. */
bool users_pool_advance(struct in6_addr *addr, uint8_t len);

/* Whether a lease fits the pool; one made under other settings may not. */
bool users_pool_fits(const struct users_pool *pool, const struct prefix6 *lease);

/* A reserved prefix (users_reserve()) that overlaps this one; NULL if there is none. */
const struct prefix6 *users_pool_reserved(const struct users *users, const struct prefix6 *prefix);

/*
 * Finds a lease that overlaps no other, to be added in the same transaction; the cost does not
 * depend on their number. USERS_FULL if none is left, which has to be committed as well.
 */
enum users_result users_pool_take(struct users *users, const struct users_pool *pool,
				  struct prefix6 *out);

#endif
