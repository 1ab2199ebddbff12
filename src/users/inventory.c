/* SPDX-License-Identifier: BSD-2-Clause */
/* Users' prefixes and addresses, for administrators. */
#include "users/pool.h"

#include <string.h>

static bool users_read_inventory(sqlite3_stmt *stmt, struct users_block *block)
{
	*block = (struct users_block){
		.host = sqlite3_column_int(stmt, 1) == USERS_KIND_HOST,
		.fixed = sqlite3_column_int(stmt, 2) != 0,
		.active = sqlite3_column_int(stmt, 3) != 0,
	};
	return users_column_shown(stmt, 0, block->user, sizeof(block->user)) &&
	       users_column_prefix(stmt, 4, 5, &block->prefix);
}

enum users_result users_each_block(struct users *users, const char *name,
				   bool (*each)(const struct users_block *block, void *arg),
				   void *arg)
{
	enum users_result result = users_ready(users);
	sqlite3_stmt *stmt;

	if (result != USERS_OK)
		return result;
	stmt = users_prepare(users, "SELECT u.name, b.kind, b.fixed, b.active, b.first, b.bits"
				    " FROM user u JOIN block b ON b.user = u.id"
				    " WHERE ?1 IS NULL OR u.name = ?1"
				    " ORDER BY u.name, b.kind, b.active DESC, b.first");
	if (!stmt)
		return USERS_FAILED;
	if (name && sqlite3_bind_text(stmt, 1, name, -1, SQLITE_STATIC) != SQLITE_OK)
		result = users_fail(users);
	while (result == USERS_OK && users_step(users, stmt, &result)) {
		struct users_block block;

		if (!users_read_inventory(stmt, &block))
			result = users_fail_text(users, USERS_DAMAGED);
		else if (!each(&block, arg))
			break;
	}
	(void)sqlite3_finalize(stmt);
	return result;
}

/* Inside a transaction; released in any case. */
static enum users_result users_run_drop(struct users *users, sqlite3_stmt *stmt, int64_t id,
					const struct prefix6 *lease)
{
	enum users_result result;

	if (sqlite3_bind_int64(stmt, 1, id) != SQLITE_OK ||
	    (lease && (users_bind_address(stmt, 2, &lease->addr) != SQLITE_OK ||
		       sqlite3_bind_int(stmt, 3, lease->len) != SQLITE_OK))) {
		result = users_fail(users);
		users_release(stmt);
		return result;
	}
	result = users_run(users, stmt);
	if (result == USERS_OK && sqlite3_changes(users->db) == 0)
		result = USERS_NO_LEASE;
	return result;
}

enum users_result users_drop_lease(struct users *users, const char *name,
				   const struct prefix6 *lease)
{
	enum users_result result = users_ready(users);
	struct user user = {.id = 0};
	sqlite3_stmt *stmt;

	if (result == USERS_OK)
		result = users_begin(users);
	if (result != USERS_OK)
		return result;
	result = users_find(users, name, &user);
	explicit_bzero(user.password, sizeof(user.password));
	if (result != USERS_OK)
		return users_end(users, result);
	stmt = users_statement(users, USERS_DROP_LEASE,
			       "DELETE FROM block WHERE user = ?1 AND NOT fixed"
			       " AND (?2 IS NULL OR (first = ?2 AND bits = ?3))");
	result = stmt ? users_run_drop(users, stmt, user.id, lease) : USERS_FAILED;
	return users_end(users, result);
}

/* Counts the leases outside of the pools. */
struct users_outside {
	struct users_pool network;
	struct users_pool host;
	bool has_network;
	bool has_host;
	size_t count;
};

static bool users_count_block(const struct users_block *block, void *arg)
{
	struct users_outside *outside = arg;
	bool has_pool = block->host ? outside->has_host : outside->has_network;
	const struct users_pool *pool = block->host ? &outside->host : &outside->network;

	if (!block->fixed && !(has_pool && users_pool_fits(pool, &block->prefix)))
		outside->count++;
	return true;
}

enum users_result users_count_outside(struct users *users, const struct prefix6 *pool,
				      uint8_t length, const struct prefix6 *host_prefix,
				      size_t *count)
{
	struct users_outside outside = {.count = 0};
	enum users_result result;

	outside.has_network = users_pool_network(pool, length, &outside.network);
	outside.has_host = users_pool_host(host_prefix, &outside.host);
	result = users_each_block(users, NULL, users_count_block, &outside);
	*count = outside.count;
	return result;
}
