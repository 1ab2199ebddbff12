/* SPDX-License-Identifier: BSD-2-Clause */
/* The records of the user database: users with their passwords and addresses. */
#include "users/database.h"

#include <string.h>

/*
 * One query for everything about a user, so that it is consistent; a user with several prefixes has
 * as many rows. The enum below has the columns.
 */
#define SELECT_USERS(password)                                                                     \
	"SELECT u.id, u.name, u.created, n.fixed, n.first, n.bits, h.first, h.bits, u.types,"      \
	" u.transports, u.expires, u.disabled, u.note, " password " FROM user u"                   \
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
	COLUMN_TYPES,
	COLUMN_TRANSPORTS,
	COLUMN_EXPIRES,
	COLUMN_DISABLED,
	COLUMN_NOTE,
	COLUMN_PASSWORD,
};

_Static_assert(USERS_KIND_NETWORK == 1 && USERS_KIND_HOST == 2, "SELECT_USERS has the numbers");

/* Adds the prefix of a row, if it has one. */
static bool users_read_network(sqlite3_stmt *stmt, struct user *user)
{
	struct prefix6 network;

	if (sqlite3_column_type(stmt, COLUMN_NETWORK) == SQLITE_NULL)
		return true;
	return users_column_prefix(stmt, COLUMN_NETWORK, COLUMN_NETWORK_BITS, &network) &&
	       prefix6_set_add(&user->networks, &network);
}

/* False if the row has values that this program does not write. */
static bool users_read_row(sqlite3_stmt *stmt, struct user *user)
{
	struct prefix6 host;

	memset(user, 0, sizeof(*user));
	user->id = sqlite3_column_int64(stmt, COLUMN_ID);
	user->created = sqlite3_column_int64(stmt, COLUMN_CREATED);
	user->limits = (struct users_limits){
		.types = (unsigned int)sqlite3_column_int(stmt, COLUMN_TYPES),
		.transports = (unsigned int)sqlite3_column_int(stmt, COLUMN_TRANSPORTS),
		.expires = sqlite3_column_int64(stmt, COLUMN_EXPIRES),
		.disabled = sqlite3_column_int(stmt, COLUMN_DISABLED) != 0,
	};
	user->has_fixed = sqlite3_column_int(stmt, COLUMN_FIXED) != 0;
	user->has_host = sqlite3_column_type(stmt, COLUMN_HOST) != SQLITE_NULL;
	if (!users_read_network(stmt, user))
		return false;
	if (user->has_host) {
		if (!users_column_prefix(stmt, COLUMN_HOST, COLUMN_HOST_BITS, &host))
			return false;
		user->host = host.addr;
	}
	return users_column_shown(stmt, COLUMN_NAME, user->name, sizeof(user->name)) &&
	       users_column_shown(stmt, COLUMN_NOTE, user->note, sizeof(user->note)) &&
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
	bool good;
	int code;

	if (result != USERS_OK)
		return result;
	stmt = users_statement(users, USERS_FIND,
			       SELECT_USERS("u.password") " WHERE u.name = ?1 ORDER BY n.first");
	if (!stmt)
		return USERS_FAILED;
	if (sqlite3_bind_text(stmt, 1, name, -1, SQLITE_STATIC) != SQLITE_OK) {
		result = users_fail(users);
		goto done;
	}
	code = sqlite3_step(stmt);
	if (code == SQLITE_DONE) {
		result = USERS_NOT_FOUND;
		goto done;
	}
	good = code != SQLITE_ROW || users_read_row(stmt, user);
	while (good && code == SQLITE_ROW && (code = sqlite3_step(stmt)) == SQLITE_ROW)
		good = users_read_network(stmt, user);
	if (!good)
		result = users_fail_row(users);
	else if (code != SQLITE_DONE)
		result = users_fail(users);
	if (result != USERS_OK)
		explicit_bzero(user, sizeof(*user));
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
	bool more;

	if (result != USERS_OK)
		return result;
	stmt = users_prepare(users, SELECT_USERS("''") " ORDER BY u.name, n.first");
	if (!stmt)
		return USERS_FAILED;
	more = users_step(users, stmt, &result);
	while (result == USERS_OK && more) {
		bool good = users_read_row(stmt, &user);

		while (good && (more = users_step(users, stmt, &result)) &&
		       sqlite3_column_int64(stmt, COLUMN_ID) == user.id)
			good = users_read_network(stmt, &user);
		if (!good)
			result = users_fail_row(users);
		else if (result == USERS_OK && !each(&user, arg))
			break;
	}
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
		if (!users_column_shown(stmt, 0, other, DTCP_USER_MAX + 1))
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
