/* SPDX-License-Identifier: BSD-2-Clause */
/* The records of the user database: who is there, with which password and which addresses. */
#include "users/database.h"

#include <string.h>
#include <time.h>

/*
 * One query for the whole of a user, so that all of it is of the same moment. The columns have
 * their numbers below.
 */
#define SELECT_USERS(password)                                                                     \
	"SELECT u.id, u.name, u.created, n.fixed, n.first, n.bits, h.first, h.bits, " password     \
	" FROM user u"                                                                             \
	" LEFT JOIN block n ON n.user = u.id AND n.kind = 1 AND n.active"                          \
	" LEFT JOIN block h ON h.user = u.id AND h.kind = 2 AND h.active"

enum {
	COLUMN_ID,
	COLUMN_NAME,
	COLUMN_CREATED,
	COLUMN_FIXED,
	COLUMN_NETWORK,
	COLUMN_NETWORK_BITS,
	COLUMN_HOST,
	COLUMN_HOST_BITS,
	COLUMN_PASSWORD,
};

_Static_assert(USERS_KIND_NETWORK == 1 && USERS_KIND_HOST == 2, "SELECT_USERS has the numbers");

/* False where the row does not hold what this program writes. */
static bool users_read_row(sqlite3_stmt *stmt, struct user *user)
{
	struct prefix6 host;

	memset(user, 0, sizeof(*user));
	user->id = sqlite3_column_int64(stmt, COLUMN_ID);
	user->created = sqlite3_column_int64(stmt, COLUMN_CREATED);
	user->has_network = sqlite3_column_type(stmt, COLUMN_NETWORK) != SQLITE_NULL;
	user->has_fixed = user->has_network && sqlite3_column_int(stmt, COLUMN_FIXED);
	user->has_host = sqlite3_column_type(stmt, COLUMN_HOST) != SQLITE_NULL;
	if (user->has_network &&
	    !users_column_prefix(stmt, COLUMN_NETWORK, COLUMN_NETWORK_BITS, &user->network))
		return false;
	if (user->has_host) {
		if (!users_column_prefix(stmt, COLUMN_HOST, COLUMN_HOST_BITS, &host))
			return false;
		user->host = host.addr;
	}
	return users_column_text(stmt, COLUMN_NAME, user->name, sizeof(user->name)) &&
	       users_column_text(stmt, COLUMN_PASSWORD, user->password, sizeof(user->password));
}

static enum users_result users_fail_row(struct users *users)
{
	return users_fail_text(users, USERS_DAMAGED);
}

enum users_result users_find(struct users *users, const char *name, struct user *user)
{
	enum users_result result = users_ready(users);
	sqlite3_stmt *stmt;

	if (result != USERS_OK)
		return result;
	stmt = users_statement(users, USERS_FIND, SELECT_USERS("u.password") " WHERE u.name = ?1");
	if (!stmt)
		return USERS_FAILED;
	if (sqlite3_bind_text(stmt, 1, name, -1, SQLITE_STATIC) != SQLITE_OK) {
		result = users_fail(users);
		goto done;
	}
	switch (sqlite3_step(stmt)) {
	case SQLITE_ROW:
		result = USERS_OK;
		if (!users_read_row(stmt, user)) {
			explicit_bzero(user, sizeof(*user));
			result = users_fail_row(users);
		}
		break;
	case SQLITE_DONE:
		result = USERS_NOT_FOUND;
		break;
	default:
		result = users_fail(users);
	}
done:
	users_release(stmt);
	return result;
}

enum users_result users_each(struct users *users, bool (*each)(const struct user *user, void *arg),
			     void *arg)
{
	enum users_result result = users_ready(users);
	sqlite3_stmt *stmt;
	struct user user;
	int code;

	if (result != USERS_OK)
		return result;
	stmt = users_prepare(users, SELECT_USERS("''") " ORDER BY u.name");
	if (!stmt)
		return USERS_FAILED;
	while ((code = sqlite3_step(stmt)) == SQLITE_ROW) {
		if (!users_read_row(stmt, &user)) {
			result = users_fail_row(users);
			goto done;
		}
		if (!each(&user, arg))
			goto done;
	}
	if (code != SQLITE_DONE)
		result = users_fail(users);
done:
	(void)sqlite3_finalize(stmt);
	return result;
}

enum users_result users_overlaps(struct users *users, const struct prefix6 *prefix,
				 char other[static DTCP_USER_MAX + 1])
{
	struct in6_addr last = prefix6_last(prefix);
	enum users_result result = users_ready(users);
	sqlite3_stmt *stmt;

	if (result != USERS_OK)
		return result;
	stmt = users_statement(users, USERS_OVERLAPS,
			       "SELECT u.name FROM (SELECT user, last FROM block"
			       "  WHERE first <= ?2 ORDER BY first DESC LIMIT 1) b"
			       " JOIN user u ON u.id = b.user WHERE b.last >= ?1");
	if (!stmt)
		return USERS_FAILED;
	if (users_bind_address(stmt, 1, &prefix->addr) != SQLITE_OK ||
	    users_bind_address(stmt, 2, &last) != SQLITE_OK) {
		result = users_fail(users);
		goto done;
	}
	switch (sqlite3_step(stmt)) {
	case SQLITE_ROW:
		result = USERS_OVERLAP;
		if (!users_column_text(stmt, 0, other, DTCP_USER_MAX + 1))
			result = users_fail_row(users);
		break;
	case SQLITE_DONE:
		result = USERS_OK;
		break;
	default:
		result = users_fail(users);
	}
done:
	users_release(stmt);
	return result;
}

enum users_result users_add_block(struct users *users, int64_t id, enum users_kind kind, bool fixed,
				  const struct prefix6 *prefix)
{
	struct in6_addr last = prefix6_last(prefix);
	sqlite3_stmt *stmt;

	stmt = users_statement(users, USERS_ADD_BLOCK,
			       "INSERT INTO block (user, kind, fixed, first, last, bits)"
			       " VALUES (?1, ?2, ?3, ?4, ?5, ?6)");
	if (!stmt)
		return USERS_FAILED;
	if (sqlite3_bind_int64(stmt, 1, id) != SQLITE_OK ||
	    sqlite3_bind_int(stmt, 2, (int)kind) != SQLITE_OK ||
	    sqlite3_bind_int(stmt, 3, fixed) != SQLITE_OK ||
	    users_bind_address(stmt, 4, &prefix->addr) != SQLITE_OK ||
	    users_bind_address(stmt, 5, &last) != SQLITE_OK ||
	    sqlite3_bind_int(stmt, 6, prefix->len) != SQLITE_OK) {
		users_release(stmt);
		return users_fail(users);
	}
	return users_run(users, stmt);
}

/* USERS_EXISTS, USERS_NOT_FOUND or USERS_FAILED. */
static enum users_result users_exists(struct users *users, const char *name)
{
	struct user user;
	enum users_result result = users_find(users, name, &user);

	if (result == USERS_OK) {
		explicit_bzero(&user, sizeof(user));
		return USERS_EXISTS;
	}
	return result;
}

static enum users_result users_insert(struct users *users, const char *name, const char *password)
{
	sqlite3_stmt *stmt =
		users_statement(users, USERS_INSERT,
				"INSERT INTO user (name, password, created) VALUES (?1, ?2, ?3)");

	if (!stmt)
		return USERS_FAILED;
	if (sqlite3_bind_text(stmt, 1, name, -1, SQLITE_STATIC) != SQLITE_OK ||
	    sqlite3_bind_text(stmt, 2, password, -1, SQLITE_STATIC) != SQLITE_OK ||
	    sqlite3_bind_int64(stmt, 3, (int64_t)time(NULL)) != SQLITE_OK) {
		users_release(stmt);
		return users_fail(users);
	}
	return users_run(users, stmt);
}

enum users_result users_add(struct users *users, const char *name, const char *password,
			    const struct prefix6 *fixed, char other[static DTCP_USER_MAX + 1])
{
	enum users_result result;

	/* What is stored must fit the structures that read it, and the lines that carry it. */
	if (!dtcp_user_valid(name))
		return users_fail_text(users, "not a possible user name");
	if (!dtcp_password_valid(password))
		return users_fail_text(users, "not a possible password");
	result = users_ready(users);
	if (result == USERS_OK)
		result = users_begin(users);
	if (result != USERS_OK)
		return result;
	result = users_exists(users, name);
	if (result != USERS_NOT_FOUND)
		return users_end(users, result);
	result = fixed ? users_overlaps(users, fixed, other) : USERS_OK;
	if (result == USERS_OK)
		result = users_insert(users, name, password);
	if (result == USERS_OK && fixed)
		result = users_add_block(users, sqlite3_last_insert_rowid(users->db),
					 USERS_KIND_NETWORK, true, fixed);
	return users_end(users, result);
}

/* Runs a statement that changes one user, whose name is its parameter ?1. */
static enum users_result users_change(struct users *users, sqlite3_stmt *stmt, const char *name)
{
	enum users_result result = users_begin(users);

	if (result != USERS_OK) {
		users_release(stmt);
		return result;
	}
	if (sqlite3_bind_text(stmt, 1, name, -1, SQLITE_STATIC) != SQLITE_OK) {
		result = users_fail(users);
		users_release(stmt);
	} else {
		result = users_run(users, stmt);
	}
	if (result == USERS_OK && sqlite3_changes(users->db) == 0)
		result = USERS_NOT_FOUND;
	return users_end(users, result);
}

enum users_result users_set_password(struct users *users, const char *name, const char *password)
{
	sqlite3_stmt *stmt;

	if (!dtcp_password_valid(password))
		return users_fail_text(users, "not a possible password");
	if (users_ready(users) != USERS_OK)
		return USERS_FAILED;
	stmt = users_statement(users, USERS_SET_PASSWORD,
			       "UPDATE user SET password = ?2 WHERE name = ?1");
	if (!stmt)
		return USERS_FAILED;
	if (sqlite3_bind_text(stmt, 2, password, -1, SQLITE_STATIC) != SQLITE_OK) {
		users_release(stmt);
		return users_fail(users);
	}
	return users_change(users, stmt, name);
}

enum users_result users_delete(struct users *users, const char *name)
{
	sqlite3_stmt *stmt;

	if (users_ready(users) != USERS_OK)
		return USERS_FAILED;
	/* What belongs to the user goes with the row (ON DELETE CASCADE). */
	stmt = users_statement(users, USERS_DELETE, "DELETE FROM user WHERE name = ?1");
	return stmt ? users_change(users, stmt, name) : USERS_FAILED;
}
