/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Leases: the prefix and the address that a user gets at the first login and keeps. Both are
 * handled alike here, as a block of a certain length from a pool (pool.c).
 *
 * If the settings change, also by mistake, users get other leases, and those that do not fit become
 * dormant: they still belong to their users, and each is active again at the first login at which
 * it fits and the other one does not.
 */
#include "users/pool.h"

#include <string.h>

/* The active lease of this kind; length 0: none. USERS_NOT_FOUND: the user was deleted. */
static enum users_result users_read_block(struct users *users, int64_t id, enum users_kind kind,
					  struct prefix6 *block, bool *fixed)
{
	enum users_result result = USERS_OK;
	sqlite3_stmt *stmt;
	int code = SQLITE_ERROR;

	block->len = 0;
	stmt = users_statement(users, USERS_READ_BLOCK,
			       "SELECT b.first, b.bits, b.fixed FROM user u"
			       " LEFT JOIN block b ON b.user = u.id AND b.kind = ?2 AND b.active"
			       " WHERE u.id = ?1");
	if (!stmt)
		return USERS_FAILED;
	if (sqlite3_bind_int64(stmt, 1, id) == SQLITE_OK &&
	    sqlite3_bind_int(stmt, 2, (int)kind) == SQLITE_OK)
		code = sqlite3_step(stmt);
	*fixed = code == SQLITE_ROW && sqlite3_column_int(stmt, 2) != 0;
	if (code == SQLITE_DONE)
		result = USERS_NOT_FOUND;
	else if (code != SQLITE_ROW)
		result = users_fail(users);
	else if (sqlite3_column_type(stmt, 0) != SQLITE_NULL &&
		 !users_column_prefix(stmt, 0, 1, block))
		result = users_fail_text(users, USERS_DAMAGED);
	users_release(stmt);
	return result;
}

/* Whether a lease is in the pool, and not reserved. */
static bool users_keeps(const struct users *users, const struct users_pool *pool,
			const struct prefix6 *lease)
{
	return users_pool_fits(pool, lease) && !users_pool_reserved(users, lease);
}

/* A dormant lease of the user that can be used now; USERS_NOT_FOUND if there is none. */
static enum users_result users_find_dormant(struct users *users, int64_t id,
					    const struct users_pool *pool, struct prefix6 *out)
{
	struct in6_addr last = prefix6_last(&pool->range);
	sqlite3_stmt *stmt = users_statement(users, USERS_DORMANT,
					     "SELECT first, bits FROM block WHERE user = ?1"
					     " AND kind = ?2 AND first BETWEEN ?3 AND ?4"
					     " AND NOT active ORDER BY first");
	enum users_result result = USERS_NOT_FOUND;

	if (!stmt)
		return USERS_FAILED;
	if (sqlite3_bind_int64(stmt, 1, id) != SQLITE_OK ||
	    sqlite3_bind_int(stmt, 2, (int)pool->kind) != SQLITE_OK ||
	    users_bind_address(stmt, 3, &pool->start) != SQLITE_OK ||
	    users_bind_address(stmt, 4, &last) != SQLITE_OK)
		result = users_fail(users);
	while (result == USERS_NOT_FOUND && users_step(users, stmt, &result)) {
		if (!users_column_prefix(stmt, 0, 1, out))
			result = users_fail_text(users, USERS_DAMAGED);
		else if (users_keeps(users, pool, out))
			result = USERS_OK;
	}
	users_release(stmt);
	return result;
}

/* Makes the active lease of this kind, if any, dormant. */
static enum users_result users_sleep(struct users *users, int64_t id, enum users_kind kind)
{
	sqlite3_stmt *stmt = users_statement(users, USERS_SLEEP,
					     "UPDATE block SET active = 0"
					     " WHERE user = ?1 AND kind = ?2 AND active");

	if (!stmt)
		return USERS_FAILED;
	if (sqlite3_bind_int64(stmt, 1, id) != SQLITE_OK ||
	    sqlite3_bind_int(stmt, 2, (int)kind) != SQLITE_OK) {
		users_release(stmt);
		return users_fail(users);
	}
	return users_run(users, stmt);
}

/* Makes a dormant lease active. */
static enum users_result users_wake(struct users *users, int64_t id, enum users_kind kind,
				    const struct prefix6 *lease)
{
	sqlite3_stmt *stmt = users_statement(users, USERS_WAKE,
					     "UPDATE block SET active = 1"
					     " WHERE user = ?1 AND kind = ?2 AND first = ?3");

	if (!stmt)
		return USERS_FAILED;
	if (sqlite3_bind_int64(stmt, 1, id) != SQLITE_OK ||
	    sqlite3_bind_int(stmt, 2, (int)kind) != SQLITE_OK ||
	    users_bind_address(stmt, 3, &lease->addr) != SQLITE_OK) {
		users_release(stmt);
		return users_fail(users);
	}
	return users_run(users, stmt);
}

/* Inside a transaction. USERS_FULL needs no rollback. */
static enum users_result users_new_lease(struct users *users, int64_t id,
					 const struct users_pool *pool, struct prefix6 *out)
{
	enum users_result result;
	struct prefix6 old;
	bool dormant, fixed;

	/* Another program may have changed the user since the look-up. */
	result = users_read_block(users, id, pool->kind, &old, &fixed);
	if (result != USERS_OK)
		return result;
	if (old.len > 0 && (fixed || users_keeps(users, pool, &old))) {
		*out = old;
		return USERS_OK;
	}
	result = users_find_dormant(users, id, pool, out);
	dormant = result == USERS_OK;
	if (result == USERS_NOT_FOUND)
		result = users_pool_take(users, pool, out);
	if (result == USERS_OK && old.len > 0)
		result = users_sleep(users, id, pool->kind);
	if (result != USERS_OK)
		return result;
	return dormant ? users_wake(users, id, pool->kind, out)
		       : users_add_block(users, id, pool->kind, false, out);
}

/* The same in a transaction of its own. */
static enum users_result users_lease_now(struct users *users, int64_t id,
					 const struct users_pool *pool, struct prefix6 *out)
{
	enum users_result result = users_begin(users);
	enum users_result ended;

	if (result != USERS_OK)
		return result;
	result = users_new_lease(users, id, pool, out);
	/* That the pool is full is stored, so that the search is not repeated. */
	ended = users_end(users, result == USERS_FULL ? USERS_OK : result);
	return ended == USERS_OK ? result : ended;
}

/* The same in the transaction of gathered leases. */
static enum users_result users_lease_together(struct users *users, int64_t id,
					      const struct users_pool *pool, struct prefix6 *out)
{
	enum users_result result = USERS_OK;

	if (users->spoilt)
		return USERS_FAILED;
	if (!users->gathered)
		result = users_begin(users);
	if (result != USERS_OK)
		return result;
	users->gathered = true;
	result = users_new_lease(users, id, pool, out);
	users->spoilt = result == USERS_FAILED;
	return result;
}

void users_gather(struct users *users)
{
	users->gathering = true;
}

bool users_gathered(const struct users *users)
{
	return users->gathered;
}

enum users_result users_flush(struct users *users)
{
	bool spoilt = users->spoilt;

	if (!users->gathered)
		return USERS_OK;
	users->gathered = false;
	users->spoilt = false;
	return users_end(users, spoilt ? USERS_FAILED : USERS_OK);
}

/* held is the user's present lease, length 0: none; becomes the assigned lease. */
static enum users_result users_lease(struct users *users, int64_t id, bool fixed,
				     const struct users_pool *pool, struct prefix6 *held)
{
	enum users_result result;
	struct prefix6 lease;

	/* Nearly every login returns here, without a query. */
	if (held->len > 0 && (fixed || (pool && users_keeps(users, pool, held))))
		return USERS_OK;
	if (!pool)
		return USERS_FULL;
	result = users_ready(users);
	if (result == USERS_OK)
		result = users->gathering ? users_lease_together(users, id, pool, &lease)
					  : users_lease_now(users, id, pool, &lease);
	if (result == USERS_OK)
		*held = lease;
	return result;
}

enum users_result users_lease_network(struct users *users, struct user *user,
				      const struct prefix6 *pool, uint8_t length)
{
	struct users_pool from;
	struct prefix6 held = {.len = 0};
	enum users_result result;
	bool usable = users_pool_network(pool, length, &from);

	if (user->networks.n > 0)
		held = user->networks.list[0];
	result = users_lease(users, user->id, user->has_fixed, usable ? &from : NULL, &held);
	if (result == USERS_OK && !user->has_fixed) {
		user->networks.n = 1;
		user->networks.list[0] = held;
	}
	return result;
}

enum users_result users_lease_host(struct users *users, struct user *user,
				   const struct prefix6 *host_prefix)
{
	struct users_pool from;
	struct prefix6 held = {.len = 0};
	enum users_result result;

	if (!users_pool_host(host_prefix, &from))
		return USERS_FULL;
	if (user->has_host)
		held = (struct prefix6){.addr = user->host, .len = 128};
	result = users_lease(users, user->id, false, &from, &held);
	if (result == USERS_OK) {
		user->has_host = true;
		user->host = held.addr;
	}
	return result;
}
