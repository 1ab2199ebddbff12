/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The allocator of leases. A pool is assigned from its beginning to its end; only then freed leases
 * are reused, the one free for longest first. So a lease is not reassigned soon after its user was
 * deleted, and obstacles are skipped once, not at every login.
 */
#include "users/pool.h"

#include <stdlib.h>
#include <string.h>

/* Not a secret: addresses compare as their 16 bytes do, in the database as well. */
static int users_compare(const struct in6_addr *a, const struct in6_addr *b)
{
	return memcmp(a, b, sizeof(*a));
}

bool users_pool_advance(struct in6_addr *addr, uint8_t len)
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

bool users_pool_network(const struct prefix6 *range, uint8_t length, struct users_pool *pool)
{
	if (!range || length <= range->len || length > 128)
		return false;
	*pool = (struct users_pool){
		.kind = USERS_KIND_NETWORK,
		.range = *range,
		.len = length,
		.start = range->addr,
	};
	(void)users_pool_advance(&pool->start, length);
	return true;
}

bool users_pool_host(const struct prefix6 *range, struct users_pool *pool)
{
	if (!range || range->len > 126)
		return false;
	*pool = (struct users_pool){
		.kind = USERS_KIND_HOST,
		.range = *range,
		.len = 128,
		.start = range->addr,
	};
	pool->start.s6_addr[15] |= 2;
	return true;
}

bool users_pool_fits(const struct users_pool *pool, const struct prefix6 *lease)
{
	return lease->len == pool->len && prefix6_contains(&pool->range, lease) &&
	       users_compare(&lease->addr, &pool->start) >= 0;
}

bool users_reserve(struct users *users, const struct prefix6 reserved[], size_t n)
{
	struct prefix6 *copy = n > 0 ? reallocarray(NULL, n, sizeof(*copy)) : NULL;

	if (n > 0 && !copy)
		return false;
	if (n > 0)
		memcpy(copy, reserved, n * sizeof(*copy));
	free(users->reserved);
	users->reserved = copy;
	users->n_reserved = n;
	return true;
}

bool users_is_reserved(const struct users *users, const struct prefix6 *prefix)
{
	for (size_t i = 0; i < users->n_reserved; i++) {
		if (prefix6_contains(&users->reserved[i], prefix))
			return true;
	}
	return false;
}

const struct prefix6 *users_pool_reserved(const struct users *users, const struct prefix6 *prefix)
{
	for (size_t i = 0; i < users->n_reserved; i++) {
		if (prefix6_overlaps(&users->reserved[i], prefix))
			return &users->reserved[i];
	}
	return NULL;
}

/* The block that overlaps a prefix: USERS_OVERLAP with its last address, USERS_OK for none. */
static enum users_result users_block_under(struct users *users, const struct prefix6 *prefix,
					   struct in6_addr *block_last)
{
	struct in6_addr last = prefix6_last(prefix);
	enum users_result result = USERS_OK;
	sqlite3_stmt *stmt;
	int code;

	stmt = users_statement(users, USERS_BLOCK_UNDER,
			       "SELECT last FROM block WHERE first <= ?1"
			       " ORDER BY first DESC LIMIT 1");
	if (!stmt)
		return USERS_FAILED;
	code = users_bind_address(stmt, 1, &last);
	if (code == SQLITE_OK)
		code = sqlite3_step(stmt);
	if (code == SQLITE_ROW && !users_column_address(stmt, 0, block_last))
		result = users_fail_text(users, USERS_DAMAGED);
	else if (code == SQLITE_ROW && users_compare(block_last, &prefix->addr) >= 0)
		result = USERS_OVERLAP;
	else if (code != SQLITE_ROW && code != SQLITE_DONE)
		result = users_fail(users);
	users_release(stmt);
	return result;
}

/*
 * The first lease of the pool, at or after from, that overlaps no block and begins at or before
 * until. USERS_FULL if there is none.
 */
static enum users_result users_search(struct users *users, const struct users_pool *pool,
				      const struct in6_addr *from, const struct in6_addr *until,
				      struct prefix6 *out)
{
	struct prefix6 candidate = {.addr = prefix6_mask(from, pool->len), .len = pool->len};
	struct in6_addr taken;

	if (users_compare(&candidate.addr, &pool->start) < 0)
		candidate.addr = pool->start;
	while (users_pool_fits(pool, &candidate) && users_compare(&candidate.addr, until) <= 0) {
		const struct prefix6 *reserved = users_pool_reserved(users, &candidate);
		enum users_result result = USERS_OVERLAP;

		if (reserved)
			taken = prefix6_last(reserved);
		else
			result = users_block_under(users, &candidate, &taken);
		if (result == USERS_OK)
			*out = candidate;
		if (result != USERS_OVERLAP)
			return result;
		candidate.addr = prefix6_mask(&taken, pool->len);
		if (!users_pool_advance(&candidate.addr, pool->len))
			break;
	}
	return USERS_FULL;
}

/* Stores that the pool is assigned up to next, NULL: to its end. */
static enum users_result users_set_next(struct users *users, const struct users_pool *pool,
					const struct in6_addr *next)
{
	struct in6_addr last = prefix6_last(&pool->range);
	sqlite3_stmt *stmt;

	stmt = users_statement(users, USERS_POOL_SET,
			       "INSERT INTO pool (kind, first, last, bits, next)"
			       " VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT (kind) DO UPDATE SET"
			       " first = ?2, last = ?3, bits = ?4, next = ?5");
	if (!stmt)
		return USERS_FAILED;
	if (sqlite3_bind_int(stmt, 1, (int)pool->kind) != SQLITE_OK ||
	    users_bind_address(stmt, 2, &pool->range.addr) != SQLITE_OK ||
	    users_bind_address(stmt, 3, &last) != SQLITE_OK ||
	    sqlite3_bind_int(stmt, 4, pool->len) != SQLITE_OK ||
	    (next && users_bind_address(stmt, 5, next) != SQLITE_OK)) {
		users_release(stmt);
		return users_fail(users);
	}
	return users_run(users, stmt);
}

/*
 * How far the pool has been assigned: USERS_OK with the address, USERS_FULL: to its end.
 * USERS_NOT_FOUND: leases of this kind came from another pool so far.
 */
static enum users_result users_get_next(struct users *users, const struct users_pool *pool,
					struct in6_addr *next)
{
	struct in6_addr last = prefix6_last(&pool->range);
	enum users_result result = USERS_OK;
	sqlite3_stmt *stmt;
	int code = SQLITE_ERROR;

	stmt = users_statement(users, USERS_POOL_NEXT,
			       "SELECT next FROM pool"
			       " WHERE kind = ?1 AND first = ?2 AND last = ?3 AND bits = ?4");
	if (!stmt)
		return USERS_FAILED;
	if (sqlite3_bind_int(stmt, 1, (int)pool->kind) == SQLITE_OK &&
	    users_bind_address(stmt, 2, &pool->range.addr) == SQLITE_OK &&
	    users_bind_address(stmt, 3, &last) == SQLITE_OK &&
	    sqlite3_bind_int(stmt, 4, pool->len) == SQLITE_OK)
		code = sqlite3_step(stmt);
	if (code == SQLITE_DONE)
		result = USERS_NOT_FOUND;
	else if (code != SQLITE_ROW)
		result = users_fail(users);
	else if (sqlite3_column_type(stmt, 0) == SQLITE_NULL)
		result = USERS_FULL;
	else if (!users_column_address(stmt, 0, next))
		result = users_fail_text(users, USERS_DAMAGED);
	users_release(stmt);
	return result;
}

/* Runs a statement on freed leases, whose parameter ?1 is number. */
static enum users_result users_change_freed(struct users *users, enum users_statement which,
					    const char *sql, int64_t number)
{
	sqlite3_stmt *stmt = users_statement(users, which, sql);

	if (!stmt)
		return USERS_FAILED;
	if (sqlite3_bind_int64(stmt, 1, number) != SQLITE_OK) {
		users_release(stmt);
		return users_fail(users);
	}
	return users_run(users, stmt);
}

/* Takes a lease that has never been assigned, or not since the pool was configured. */
static enum users_result users_take_unused(struct users *users, const struct users_pool *pool,
					   struct prefix6 *out)
{
	struct in6_addr last = prefix6_last(&pool->range);
	struct in6_addr next = pool->start;
	enum users_result result = users_get_next(users, pool, &next);
	enum users_result noted;
	bool more;

	/* Leases freed in another pool are found on the way through this one, if they are in it. */
	if (result == USERS_NOT_FOUND)
		result = users_change_freed(users, USERS_FREED_CLEAR,
					    "DELETE FROM freed WHERE kind = ?1",
					    (int64_t)pool->kind);
	if (result != USERS_OK)
		return result;
	result = users_search(users, pool, &next, &last, out);
	if (result != USERS_OK && result != USERS_FULL)
		return result;
	if (result == USERS_OK)
		next = out->addr;
	more = result == USERS_OK && users_pool_advance(&next, pool->len);
	noted = users_set_next(users, pool, more ? &next : NULL);
	return noted == USERS_OK ? result : noted;
}

/* The lease free for longest: USERS_FULL if there is none. */
static enum users_result users_first_freed(struct users *users, const struct users_pool *pool,
					   int64_t *number, struct in6_addr *first,
					   struct in6_addr *last)
{
	enum users_result result = USERS_OK;
	sqlite3_stmt *stmt;
	int code;

	stmt = users_statement(users, USERS_FREED_FIRST,
			       "SELECT number, first, last FROM freed WHERE kind = ?1"
			       " ORDER BY number LIMIT 1");
	if (!stmt)
		return USERS_FAILED;
	code = sqlite3_bind_int(stmt, 1, (int)pool->kind);
	if (code == SQLITE_OK)
		code = sqlite3_step(stmt);
	if (code == SQLITE_DONE) {
		result = USERS_FULL;
	} else if (code != SQLITE_ROW) {
		result = users_fail(users);
	} else {
		*number = sqlite3_column_int64(stmt, 0);
		if (!users_column_address(stmt, 1, first) || !users_column_address(stmt, 2, last))
			result = users_fail_text(users, USERS_DAMAGED);
	}
	users_release(stmt);
	return result;
}

/* The rest after the assigned part is still free, and comes before what was freed later. */
static enum users_result users_cut_freed(struct users *users, int64_t number,
					 const struct in6_addr *first)
{
	sqlite3_stmt *stmt = users_statement(users, USERS_FREED_CUT,
					     "UPDATE freed SET first = ?2 WHERE number = ?1");

	if (!stmt)
		return USERS_FAILED;
	if (sqlite3_bind_int64(stmt, 1, number) != SQLITE_OK ||
	    users_bind_address(stmt, 2, first) != SQLITE_OK) {
		users_release(stmt);
		return users_fail(users);
	}
	return users_run(users, stmt);
}

/* Takes a freed lease. Entries without a usable lease are deleted. */
static enum users_result users_take_freed(struct users *users, const struct users_pool *pool,
					  struct prefix6 *out)
{
	for (;;) {
		struct in6_addr first, last, next;
		enum users_result result, noted;
		int64_t number = 0;

		result = users_first_freed(users, pool, &number, &first, &last);
		if (result != USERS_OK)
			return result;
		result = users_search(users, pool, &first, &last, out);
		if (result != USERS_OK && result != USERS_FULL)
			return result;
		if (result == USERS_OK)
			next = out->addr;
		if (result == USERS_OK && users_pool_advance(&next, pool->len) &&
		    users_compare(&next, &last) <= 0)
			noted = users_cut_freed(users, number, &next);
		else
			noted = users_change_freed(users, USERS_FREED_DROP,
						   "DELETE FROM freed WHERE number = ?1", number);
		if (noted != USERS_OK || result == USERS_OK)
			return noted;
	}
}

enum users_result users_pool_take(struct users *users, const struct users_pool *pool,
				  struct prefix6 *out)
{
	bool *searched = &users->searched[pool->kind];
	enum users_result result = users_take_unused(users, pool, out);

	if (result == USERS_FULL)
		result = users_take_freed(users, pool, out);
	if (result != USERS_FULL || *searched)
		return result;
	/* Manual changes of the file may have freed leases without a trigger. */
	*searched = true;
	result = users_set_next(users, pool, &pool->start);
	return result == USERS_OK ? users_take_unused(users, pool, out) : result;
}
