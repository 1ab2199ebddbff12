/* SPDX-License-Identifier: BSD-2-Clause */
/* Changes of the user database by other programs. */
#include "users/database.h"

/* Changes read in one batch; no statement is in use while they are reported. */
enum { USERS_CHANGES_BATCH = 64 };

struct users_batch {
	size_t count;
	int64_t ids[USERS_CHANGES_BATCH];
	int64_t number; /* number of the last of them */
};

/* The number that a statement returns; -1 after users_fail(). */
static int64_t users_number(struct users *users, enum users_statement which, const char *sql)
{
	sqlite3_stmt *stmt = users_statement(users, which, sql);
	int64_t number = -1;

	if (!stmt)
		return -1;
	if (sqlite3_step(stmt) == SQLITE_ROW)
		number = sqlite3_column_int64(stmt, 0);
	else
		(void)users_fail(users);
	users_release(stmt);
	return number;
}

/* The number of the last change ever made, 0: none; -1 after users_fail(). */
static int64_t users_last_change(struct users *users)
{
	return users_number(users, USERS_LAST_CHANGE,
			    "SELECT max(seq) FROM sqlite_sequence WHERE name = 'change'");
}

/* Reads the next changes that have not been reported yet. */
static enum users_result users_read_changes(struct users *users, struct users_batch *batch)
{
	int64_t last = users_last_change(users);
	sqlite3_stmt *stmt;
	enum users_result result = USERS_OK;

	batch->count = 0;
	batch->number = last;
	if (last == -1)
		return USERS_FAILED;
	/* Checked first: changes may have been removed, even if more come now. */
	if (users->seen_change == -1 || last - users->seen_change > USERS_CHANGES_MAX / 2) {
		batch->ids[batch->count++] = USERS_EVERYBODY;
		return USERS_OK;
	}
	stmt = users_statement(users, USERS_CHANGES,
			       "SELECT number, user FROM change WHERE number > ?1"
			       " ORDER BY number LIMIT ?2");
	if (!stmt)
		return USERS_FAILED;
	if (sqlite3_bind_int64(stmt, 1, users->seen_change) != SQLITE_OK ||
	    sqlite3_bind_int(stmt, 2, USERS_CHANGES_BATCH) != SQLITE_OK)
		result = users_fail(users);
	while (result == USERS_OK && batch->count < USERS_CHANGES_BATCH &&
	       users_step(users, stmt, &result)) {
		batch->number = sqlite3_column_int64(stmt, 0);
		batch->ids[batch->count++] = sqlite3_column_int64(stmt, 1);
	}
	users_release(stmt);
	return result;
}

enum users_result users_changes(struct users *users, bool (*each)(int64_t id, void *arg), void *arg)
{
	struct users_batch batch;
	enum users_result result;
	int64_t version;

	result = users_ready(users);
	if (result != USERS_OK)
		return result;
	/* It changes with each transaction of another connection. */
	version = users_number(users, USERS_DATA_VERSION, "PRAGMA data_version");
	if (version == -1)
		return USERS_FAILED;
	if (version == users->seen_version)
		return USERS_OK;
	do {
		result = users_read_changes(users, &batch);
		if (result != USERS_OK)
			return result;
		for (size_t i = 0; i < batch.count; i++) {
			if (!each(batch.ids[i], arg))
				return USERS_OK;
		}
		users->seen_change = batch.number;
	} while (batch.count > 0);
	users->seen_version = version;
	return USERS_OK;
}
