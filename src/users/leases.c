/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Leases: the prefix and the address that a user gets at the first login and keeps for good. Both
 * are the same thing here, a block of a certain length out of a pool.
 */
#include "users/database.h"

#include <string.h>

/* Where a lease may come from. */
struct users_pool {
	struct prefix6 range;
	uint8_t len;	       /* of each lease */
	struct in6_addr start; /* first address of the first lease; what is below is the server's */
};

/* Not a secret: addresses compare as their 16 bytes do, in the database as well. */
static int users_compare(const struct in6_addr *a, const struct in6_addr *b)
{
	return memcmp(a, b, sizeof(*a));
}

/* Moves to the next prefix of that length; false where the address space ends. */
static bool users_advance(struct in6_addr *addr, uint8_t len)
{
	unsigned add = 1u << (7 - (len - 1) % 8);

	for (int i = (len - 1) / 8; i >= 0; i--) {
		unsigned sum = addr->s6_addr[i] + add;

		addr->s6_addr[i] = (uint8_t)sum;
		if (sum < 256)
			return true;
		add = 1;
	}
	return false;
}

/* A lease that was made under another configuration may not fit any more. */
static bool users_fits(const struct users_pool *pool, const struct prefix6 *lease)
{
	return lease->len == pool->len && prefix6_contains(&pool->range, lease) &&
	       users_compare(&lease->addr, &pool->start) >= 0;
}

/*
 * Finds the lowest prefix of the pool that nobody has any part of, in one walk over the blocks in
 * their order, from the one that may reach into the start up to the first gap.
 */
static enum users_result users_lowest_free(struct users *users, const struct users_pool *pool,
					   struct prefix6 *out)
{
	struct in6_addr end = prefix6_last(&pool->range);
	struct prefix6 candidate = {.addr = pool->start, .len = pool->len};
	enum users_result result = USERS_OK;
	struct prefix6 first, last;
	struct in6_addr candidate_end;
	sqlite3_stmt *stmt;
	int code = SQLITE_DONE;

	stmt = users_prepare(users, "SELECT first, last, 128 FROM block WHERE first >= coalesce("
				    "  (SELECT max(first) FROM block WHERE first <= ?1), ?1)"
				    " AND first <= ?2 ORDER BY first");
	if (!stmt)
		return USERS_FAILED;
	if (sqlite3_bind_blob(stmt, 1, &pool->start, sizeof(pool->start), SQLITE_STATIC) !=
		    SQLITE_OK ||
	    sqlite3_bind_blob(stmt, 2, &end, sizeof(end), SQLITE_STATIC) != SQLITE_OK) {
		result = users_fail(users);
		goto done;
	}
	while ((code = sqlite3_step(stmt)) == SQLITE_ROW) {
		if (!users_column_prefix(stmt, 0, 2, &first) ||
		    !users_column_prefix(stmt, 1, 2, &last)) {
			result = users_fail_text(users, "the database is damaged");
			goto done;
		}
		candidate_end = prefix6_last(&candidate);
		if (users_compare(&first.addr, &candidate_end) > 0)
			break;
		if (users_compare(&last.addr, &candidate.addr) < 0)
			continue;
		candidate.addr = prefix6_mask(&last.addr, pool->len);
		if (!users_advance(&candidate.addr, pool->len) ||
		    !prefix6_contains(&pool->range, &candidate)) {
			result = USERS_FULL;
			goto done;
		}
	}
	if (code != SQLITE_ROW && code != SQLITE_DONE)
		result = users_fail(users);
	else
		*out = candidate;
done:
	(void)sqlite3_finalize(stmt);
	return result;
}

static enum users_result users_drop_block(struct users *users, int64_t id, enum users_kind kind)
{
	sqlite3_stmt *stmt =
		users_prepare(users, "DELETE FROM block WHERE user = ?1 AND kind = ?2");

	if (!stmt)
		return USERS_FAILED;
	if (sqlite3_bind_int64(stmt, 1, id) != SQLITE_OK ||
	    sqlite3_bind_int(stmt, 2, (int)kind) != SQLITE_OK) {
		(void)sqlite3_finalize(stmt);
		return users_fail(users);
	}
	return users_run(users, stmt);
}

/* Looks at what the user has. USERS_OK: *out is good; USERS_FULL: there is nothing, or it does
 * not fit. *id is set in both cases. */
static enum users_result users_held(struct users *users, const char *name, enum users_kind kind,
				    const struct users_pool *pool, int64_t *id, struct prefix6 *out)
{
	struct prefix6 held = {.len = 128};
	struct user user;
	enum users_result result = users_find(users, name, &user);
	bool has, fixed = false;

	if (result != USERS_OK)
		return result;
	*id = user.id;
	if (kind == USERS_KIND_NETWORK) {
		has = user.has_network;
		fixed = user.has_fixed;
		held = user.network;
	} else {
		has = user.has_host;
		held.addr = user.host;
	}
	explicit_bzero(&user, sizeof(user));
	if (!has || (!fixed && (!pool || !users_fits(pool, &held))))
		return USERS_FULL;
	*out = held;
	return USERS_OK;
}

/* pool is NULL where there is none: then only what was fixed will do. */
static enum users_result users_lease(struct users *users, const char *name, enum users_kind kind,
				     const struct users_pool *pool, struct prefix6 *out)
{
	enum users_result result;
	struct prefix6 prefix;
	int64_t id = 0;

	/* Nearly every login ends here, without a lock on the database. */
	result = users_held(users, name, kind, pool, &id, out);
	if (result != USERS_FULL || !pool)
		return result;

	result = users_begin(users);
	if (result != USERS_OK)
		return result;
	result = users_held(users, name, kind, pool, &id, &prefix);
	if (result == USERS_FULL) {
		result = users_drop_block(users, id, kind);
		if (result == USERS_OK)
			result = users_lowest_free(users, pool, &prefix);
		if (result == USERS_OK)
			result = users_add_block(users, id, kind, false, &prefix);
	}
	/* Where the pool is full, this brings the old lease back. */
	result = users_end(users, result);
	if (result == USERS_OK)
		*out = prefix;
	return result;
}

enum users_result users_lease_network(struct users *users, const char *name,
				      const struct prefix6 *pool, uint8_t length,
				      struct prefix6 *out)
{
	struct users_pool from;

	/* A pool that is only as long as one lease is the server's own prefix and no more. */
	if (!pool || length <= pool->len || length > 128)
		return users_lease(users, name, USERS_KIND_NETWORK, NULL, out);
	from.range = *pool;
	from.len = length;
	from.start = pool->addr;
	(void)users_advance(&from.start, length);
	return users_lease(users, name, USERS_KIND_NETWORK, &from, out);
}

enum users_result users_lease_host(struct users *users, const char *name,
				   const struct prefix6 *host_prefix, struct in6_addr *out)
{
	struct users_pool from;
	struct prefix6 lease;
	enum users_result result;

	if (host_prefix->len > 126)
		return USERS_FULL;
	from.range = *host_prefix;
	from.len = 128;
	from.start = host_prefix->addr;
	from.start.s6_addr[15] |= 2;
	result = users_lease(users, name, USERS_KIND_HOST, &from, &lease);
	if (result == USERS_OK)
		*out = lease.addr;
	return result;
}
