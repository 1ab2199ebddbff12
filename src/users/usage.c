/* SPDX-License-Identifier: BSD-2-Clause */
/* Usage of the pools: counted along the indexes, a piece at a time. */
#include "users/database.h"

/* Rows of a piece: less than a millisecond. */
#define USAGE_PIECE "500"

/* The counts, in order. */
enum { USAGE_USERS, USAGE_NETWORK, USAGE_HOST, USAGE_DONE };

/* Steps a statement that returns a count and the last key. *more: there may be more rows. */
static enum users_result usage_step(struct users *users, sqlite3_stmt *stmt, uint64_t *count,
				    bool *more)
{
	if (sqlite3_step(stmt) != SQLITE_ROW)
		return users_fail(users);
	*more = sqlite3_column_int64(stmt, 0) > 0;
	*count += (uint64_t)sqlite3_column_int64(stmt, 0);
	return USERS_OK;
}

static enum users_result usage_count_users(struct users *users, struct users_usage *usage,
					   bool *more)
{
	enum users_result result;
	sqlite3_stmt *stmt;

	stmt = users_statement(users, USERS_COUNT_USERS,
			       "SELECT count(*), max(id) FROM"
			       " (SELECT id FROM user WHERE id > ?1 ORDER BY id LIMIT " USAGE_PIECE
			       ")");
	if (!stmt)
		return USERS_FAILED;
	if (sqlite3_bind_int64(stmt, 1, usage->last_user) != SQLITE_OK)
		result = users_fail(users);
	else
		result = usage_step(users, stmt, &usage->users, more);
	if (result == USERS_OK && *more)
		usage->last_user = sqlite3_column_int64(stmt, 1);
	users_release(stmt);
	return result;
}

/* The range covers everything to count; usage->last is the end of the last piece. */
static enum users_result usage_count_blocks(struct users *users, struct users_usage *usage,
					    enum users_kind kind, const struct prefix6 *range,
					    uint64_t *count, bool *more)
{
	struct in6_addr end = prefix6_last(range);
	enum users_result result = USERS_OK;
	sqlite3_stmt *stmt;

	stmt = users_statement(users, USERS_COUNT_BLOCKS,
			       "SELECT count(*), max(first) FROM"
			       " (SELECT first FROM block WHERE first > ?1 AND first <= ?2"
			       " AND kind = ?3 ORDER BY first LIMIT " USAGE_PIECE ")");
	if (!stmt)
		return USERS_FAILED;
	if (users_bind_address(stmt, 1, &usage->last) != SQLITE_OK ||
	    users_bind_address(stmt, 2, &end) != SQLITE_OK ||
	    sqlite3_bind_int(stmt, 3, (int)kind) != SQLITE_OK)
		result = users_fail(users);
	if (result == USERS_OK)
		result = usage_step(users, stmt, count, more);
	if (result == USERS_OK && *more && !users_column_address(stmt, 1, &usage->last))
		result = users_fail_text(users, USERS_DAMAGED);
	users_release(stmt);
	return result;
}

/* The first address of a pool is the server's own: no block begins there. */
static void usage_next(struct users_usage *usage, const struct prefix6 *range)
{
	usage->step++;
	usage->last = range ? range->addr : in6addr_any;
}

void users_usage_begin(struct users_usage *usage)
{
	*usage = (struct users_usage){.step = USAGE_USERS};
}

enum users_result users_usage_go_on(struct users *users, struct users_usage *usage,
				    const struct prefix6 *pool, const struct prefix6 *host_prefix,
				    bool *done)
{
	enum users_result result = users_ready(users);
	bool more = false;

	*done = false;
	if (result == USERS_OK && usage->step == USAGE_USERS)
		result = usage_count_users(users, usage, &more);
	else if (result == USERS_OK && usage->step == USAGE_NETWORK && pool)
		result = usage_count_blocks(users, usage, USERS_KIND_NETWORK, pool, &usage->network,
					    &more);
	else if (result == USERS_OK && usage->step == USAGE_HOST && host_prefix)
		result = usage_count_blocks(users, usage, USERS_KIND_HOST, host_prefix,
					    &usage->host, &more);
	if (result == USERS_OK && !more)
		usage_next(usage, usage->step == USAGE_USERS ? pool : host_prefix);
	*done = usage->step == USAGE_DONE;
	return result;
}
