/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Leases: the prefix and the address that a user gets at the first login and keeps for good. Both
 * are the same thing here, a block of a certain length out of a pool (pool.c).
 */
#include "users/pool.h"

#include <string.h>

static enum users_result users_drop_block(struct users *users, int64_t id, enum users_kind kind)
{
	sqlite3_stmt *stmt = users_statement(users, USERS_DROP_BLOCK,
					     "DELETE FROM block WHERE user = ?1 AND kind = ?2");

	if (!stmt)
		return USERS_FAILED;
	if (sqlite3_bind_int64(stmt, 1, id) != SQLITE_OK ||
	    sqlite3_bind_int(stmt, 2, (int)kind) != SQLITE_OK) {
		users_release(stmt);
		return users_fail(users);
	}
	return users_run(users, stmt);
}

/* What a user has of this kind; length 0: nothing. USERS_NOT_FOUND: the user is gone. */
static enum users_result users_read_block(struct users *users, int64_t id, enum users_kind kind,
					  struct prefix6 *block, bool *fixed)
{
	enum users_result result = USERS_OK;
	sqlite3_stmt *stmt;
	int code = SQLITE_ERROR;

	block->len = 0;
	stmt = users_statement(users, USERS_READ_BLOCK,
			       "SELECT b.first, b.bits, b.fixed FROM user u"
			       " LEFT JOIN block b ON b.user = u.id AND b.kind = ?2"
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

/* One that lies in the pool, and is nobody else's. */
static bool users_keeps(const struct users *users, const struct users_pool *pool,
			const struct prefix6 *lease)
{
	return users_pool_fits(pool, lease) && !users_pool_reserved(users, lease);
}

/* Inside a transaction. Nothing has to be taken back after USERS_FULL. */
static enum users_result users_new_lease(struct users *users, int64_t id,
					 const struct users_pool *pool, struct prefix6 *out)
{
	enum users_result result, kept;
	struct prefix6 old;
	bool fixed;

	/* Another program may have been here since the user was looked up. */
	result = users_read_block(users, id, pool->kind, &old, &fixed);
	if (result != USERS_OK)
		return result;
	if (old.len > 0 && (fixed || users_keeps(users, pool, &old))) {
		*out = old;
		return USERS_OK;
	}
	if (old.len > 0)
		result = users_drop_block(users, id, pool->kind);
	if (result == USERS_OK)
		result = users_pool_take(users, pool, out);
	if (result == USERS_OK)
		return users_add_block(users, id, pool->kind, false, out);
	if (result != USERS_FULL || old.len == 0)
		return result;
	kept = users_add_block(users, id, pool->kind, false, &old);
	return kept == USERS_OK ? USERS_FULL : kept;
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
	/* That the pool is full has been found out once and for all, and is kept. */
	ended = users_end(users, result == USERS_FULL ? USERS_OK : result);
	return ended == USERS_OK ? result : ended;
}

/* The same in one that others share. */
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

/* held is what the user was found to have, length 0: nothing; becomes the lease. */
static enum users_result users_lease(struct users *users, int64_t id, bool fixed,
				     const struct users_pool *pool, struct prefix6 *held)
{
	enum users_result result;
	struct prefix6 lease;

	/* Nearly every login ends here, and asks the database nothing. */
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
	struct users_pool from = {.kind = USERS_KIND_NETWORK, .len = length};
	struct prefix6 held = {.len = 0};
	enum users_result result;
	/* A pool that is only as long as one lease is the server's own prefix and no more. */
	bool usable = pool && length > pool->len && length <= 128;

	if (usable) {
		from.range = *pool;
		from.start = pool->addr;
		(void)users_pool_advance(&from.start, length);
	}
	if (user->has_network)
		held = user->network;
	result = users_lease(users, user->id, user->has_fixed, usable ? &from : NULL, &held);
	if (result == USERS_OK) {
		user->has_network = true;
		user->network = held;
	}
	return result;
}

enum users_result users_lease_host(struct users *users, struct user *user,
				   const struct prefix6 *host_prefix)
{
	struct users_pool from = {.kind = USERS_KIND_HOST, .range = *host_prefix, .len = 128};
	struct prefix6 held = {.len = 0};
	enum users_result result;

	if (host_prefix->len > 126)
		return USERS_FULL;
	from.start = host_prefix->addr;
	from.start.s6_addr[15] |= 2;
	if (user->has_host)
		held = (struct prefix6){.addr = user->host, .len = 128};
	result = users_lease(users, user->id, false, &from, &held);
	if (result == USERS_OK) {
		user->has_host = true;
		user->host = held.addr;
	}
	return result;
}
