/* SPDX-License-Identifier: BSD-2-Clause */
/* Pools that leases are given out of. Private to users/. */
#ifndef DTCP_USERS_POOL_H
#define DTCP_USERS_POOL_H

#include "users/database.h"

/* Where a lease may come from. */
struct users_pool {
	enum users_kind kind;
	struct prefix6 range;
	uint8_t len;	       /* of each lease */
	struct in6_addr start; /* first address of the first lease; what is below is the server's */
};

/*
 * The pools of network and of host tunnels. False if there is none (NULL), or if it is only as long
 * as what is the server's own.
 */
bool users_pool_network(const struct prefix6 *range, uint8_t length, struct users_pool *pool);
bool users_pool_host(const struct prefix6 *range, struct users_pool *pool);

/* Moves to the next prefix of that length; false if the address space ends. */
bool users_pool_advance(struct in6_addr *addr, uint8_t len);

/* A lease that was made under another configuration may not fit any more. */
bool users_pool_fits(const struct users_pool *pool, const struct prefix6 *lease);

/* What is reserved of a prefix, or has it in it (users_reserve()); NULL if nothing does. */
const struct prefix6 *users_pool_reserved(const struct users *users, const struct prefix6 *prefix);

/*
 * Finds a lease that nobody has any part of, to be added inside the same transaction: in as few
 * steps however many there are. USERS_FULL if none is left, which is to be committed as well.
 */
enum users_result users_pool_take(struct users *users, const struct users_pool *pool,
				  struct prefix6 *out);

#endif
