/* SPDX-License-Identifier: BSD-2-Clause */
/* The user database: error texts, statements, transactions, columns. */
#include "users/database.h"

#include "base/text.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum users_result users_fail_text(struct users *users, const char *text)
{
	(void)snprintf(users->error, sizeof(users->error), "%s: %s", users->path, text);
	return USERS_FAILED;
}

enum users_result users_fail(struct users *users)
{
	int code = users->db ? sqlite3_extended_errcode(users->db) : SQLITE_NOMEM;
	int error = users->db ? sqlite3_system_errno(users->db) : 0;

	if (code == SQLITE_READONLY_DBMOVED)
		return users_fail_text(users, "was moved or removed while in use");
	switch (code & 0xff) {
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return users_fail_text(users, "locked by another program");
	case SQLITE_NOTADB:
		users->damaged = true;
		return users_fail_text(users, "not a user database");
	case SQLITE_CORRUPT:
		users->damaged = true;
		return users_fail_text(users, USERS_DAMAGED);
	case SQLITE_READONLY:
		return users_fail_text(users, "cannot be written");
	case SQLITE_FULL:
		return users_fail_text(users, strerror(ENOSPC));
	case SQLITE_NOMEM:
		return users_fail_text(users, strerror(ENOMEM));
	case SQLITE_CANTOPEN:
	case SQLITE_IOERR:
		return users_fail_text(users, strerror(error ? error : EIO));
	default:
		return users_fail_text(users, sqlite3_errmsg(users->db));
	}
}

enum users_result users_exec(struct users *users, const char *sql)
{
	if (sqlite3_exec(users->db, sql, NULL, NULL, NULL) != SQLITE_OK)
		return users_fail(users);
	return USERS_OK;
}

sqlite3_stmt *users_prepare(struct users *users, const char *sql)
{
	sqlite3_stmt *stmt = NULL;

	if (sqlite3_prepare_v2(users->db, sql, -1, &stmt, NULL) != SQLITE_OK) {
		(void)users_fail(users);
		return NULL;
	}
	return stmt;
}

sqlite3_stmt *users_statement(struct users *users, enum users_statement which, const char *sql)
{
	sqlite3_stmt **kept = &users->statements[which];

	if (!*kept && sqlite3_prepare_v3(users->db, sql, -1, SQLITE_PREPARE_PERSISTENT, kept,
					 NULL) != SQLITE_OK) {
		(void)users_fail(users);
		*kept = NULL;
	}
	return *kept;
}

void users_release(sqlite3_stmt *stmt)
{
	if (!stmt)
		return;
	/* Returns the error of the last step once more. */
	(void)sqlite3_reset(stmt);
	(void)sqlite3_clear_bindings(stmt);
}

bool users_step(struct users *users, sqlite3_stmt *stmt, enum users_result *result)
{
	int code = sqlite3_step(stmt);

	if (code != SQLITE_ROW && code != SQLITE_DONE)
		*result = users_fail(users);
	return code == SQLITE_ROW;
}

enum users_result users_run(struct users *users, sqlite3_stmt *stmt)
{
	enum users_result result = USERS_OK;

	if (sqlite3_step(stmt) != SQLITE_DONE)
		result = users_fail(users);
	users_release(stmt);
	return result;
}

static enum users_result users_commit(struct users *users)
{
	sqlite3_stmt *stmt = users_statement(users, USERS_COMMIT, "COMMIT");

	return stmt ? users_run(users, stmt) : USERS_FAILED;
}

bool users_snapshot_begin(struct users *users)
{
	sqlite3_stmt *stmt;

	if (users->snapshot)
		return false;
	if (users_ready(users) != USERS_OK || !sqlite3_get_autocommit(users->db))
		return true;
	/* If this fails, each call reads in a transaction of its own, and reports the error. */
	stmt = users_statement(users, USERS_SNAPSHOT, "BEGIN");
	users->snapshot = stmt && users_run(users, stmt) == USERS_OK;
	return true;
}

void users_snapshot_end(struct users *users)
{
	if (users->snapshot)
		(void)users_end(users, USERS_OK);
	users->snapshot = false;
}

enum users_result users_begin(struct users *users)
{
	/* Takes the lock now, so that what is read stays valid until it is written. */
	sqlite3_stmt *stmt = users_statement(users, USERS_BEGIN, "BEGIN IMMEDIATE");

	users_snapshot_end(users);
	return stmt ? users_run(users, stmt) : USERS_FAILED;
}

enum users_result users_end(struct users *users, enum users_result result)
{
	if (result == USERS_OK)
		result = users_commit(users);
	/*
	 * SQLite rolls some failed transactions back by itself. A failure here loses nothing: an
	 * uncommitted transaction has no effect.
	 */
	if (result != USERS_OK && !sqlite3_get_autocommit(users->db))
		(void)sqlite3_exec(users->db, "ROLLBACK", NULL, NULL, NULL);
	return result;
}

bool users_column_text(sqlite3_stmt *stmt, int column, char *buf, size_t size)
{
	const unsigned char *text = sqlite3_column_text(stmt, column);
	size_t len = (size_t)sqlite3_column_bytes(stmt, column);

	if (!text || len >= size || memchr(text, '\0', len))
		return false;
	memcpy(buf, text, len);
	buf[len] = '\0';
	return true;
}

bool users_column_shown(sqlite3_stmt *stmt, int column, char *buf, size_t size)
{
	/* The file's owner could insert terminal control characters. */
	return users_column_text(stmt, column, buf, size) && text_is_plain(buf);
}

bool users_column_address(sqlite3_stmt *stmt, int column, struct in6_addr *addr)
{
	const void *blob = sqlite3_column_blob(stmt, column);

	if (!blob || sqlite3_column_bytes(stmt, column) != (int)sizeof(*addr))
		return false;
	memcpy(addr, blob, sizeof(*addr));
	return true;
}

bool users_column_prefix(sqlite3_stmt *stmt, int first, int len, struct prefix6 *prefix)
{
	int bits = sqlite3_column_int(stmt, len);

	if (bits < 1 || bits > 128 || !users_column_address(stmt, first, &prefix->addr))
		return false;
	prefix->len = (uint8_t)bits;
	return true;
}

int users_bind_address(sqlite3_stmt *stmt, int parameter, const struct in6_addr *addr)
{
	return sqlite3_bind_blob(stmt, parameter, addr, sizeof(*addr), SQLITE_STATIC);
}

enum users_result users_verify(struct users *users)
{
	enum users_result result = users_ready(users);
	sqlite3_stmt *stmt;
	char said[8] = "";

	if (result != USERS_OK)
		return result;
	stmt = users_prepare(users, "PRAGMA quick_check(1)");
	if (!stmt)
		return USERS_FAILED;
	if (sqlite3_step(stmt) != SQLITE_ROW)
		result = users_fail(users);
	else if (!users_column_text(stmt, 0, said, sizeof(said)) || strcmp(said, "ok") != 0)
		result = users_fail_text(users, USERS_DAMAGED);
	(void)sqlite3_finalize(stmt);
	return result;
}
