/* SPDX-License-Identifier: BSD-2-Clause */
/* Administration of accounts: adding, changing, deleting, expiry. */
#include "users/database.h"

#include <string.h>
#include <time.h>

static enum users_result users_insert(struct users *users, const struct users_record *record)
{
	sqlite3_stmt *stmt =
		users_statement(users, USERS_INSERT,
				"INSERT INTO user (name, password, created) VALUES (?1, ?2, ?3)");

	if (!stmt)
		return USERS_FAILED;
	if (sqlite3_bind_text(stmt, 1, record->name, -1, SQLITE_STATIC) != SQLITE_OK ||
	    sqlite3_bind_text(stmt, 2, record->password, -1, SQLITE_STATIC) != SQLITE_OK ||
	    sqlite3_bind_int64(stmt, 3, (int64_t)time(NULL)) != SQLITE_OK) {
		users_release(stmt);
		return users_fail(users);
	}
	return users_run(users, stmt);
}

/* Writes the user's row from user. */
static enum users_result users_update(struct users *users, const struct user *user)
{
	const struct users_limits *limits = &user->limits;
	sqlite3_stmt *stmt = users_statement(
		users, USERS_UPDATE,
		"UPDATE user SET password = ?2, types = ?3, transports = ?4, expires = ?5,"
		" disabled = ?6, note = ?7 WHERE id = ?1");

	if (!stmt)
		return USERS_FAILED;
	if (sqlite3_bind_int64(stmt, 1, user->id) != SQLITE_OK ||
	    sqlite3_bind_text(stmt, 2, user->password, -1, SQLITE_STATIC) != SQLITE_OK ||
	    sqlite3_bind_int(stmt, 3, (int)limits->types) != SQLITE_OK ||
	    sqlite3_bind_int(stmt, 4, (int)limits->transports) != SQLITE_OK ||
	    sqlite3_bind_int64(stmt, 5, limits->expires) != SQLITE_OK ||
	    sqlite3_bind_int(stmt, 6, limits->disabled) != SQLITE_OK ||
	    sqlite3_bind_text(stmt, 7, user->note, -1, SQLITE_STATIC) != SQLITE_OK) {
		users_release(stmt);
		return users_fail(users);
	}
	return users_run(users, stmt);
}

/* Copies a record's values into a user; true if that changes the row. */
static bool users_merge(struct user *user, const struct users_record *record)
{
	const struct users_limits old = user->limits;
	struct users_limits *limits = &user->limits;
	bool text = false;

	if (record->parts & USERS_PASSWORD) {
		/* Both are set by the administrator. */
		text |= strcmp(user->password, record->password) != 0;
		(void)strlcpy(user->password, record->password, sizeof(user->password));
	}
	if (record->parts & USERS_NOTE) {
		text |= strcmp(user->note, record->note) != 0;
		(void)strlcpy(user->note, record->note, sizeof(user->note));
	}
	if (record->parts & USERS_TYPES)
		limits->types = record->limits.types;
	if (record->parts & USERS_TRANSPORTS)
		limits->transports = record->limits.transports;
	if (record->parts & USERS_EXPIRES)
		limits->expires = record->limits.expires;
	if (record->parts & USERS_DISABLED)
		limits->disabled = record->limits.disabled;
	return text || limits->types != old.types || limits->transports != old.transports ||
	       limits->expires != old.expires || limits->disabled != old.disabled;
}

/* Deletes the user's fixed prefixes. */
static enum users_result users_unfix(struct users *users, int64_t id)
{
	sqlite3_stmt *stmt =
		users_statement(users, USERS_UNFIX, "DELETE FROM block WHERE user = ?1 AND fixed");

	if (!stmt)
		return USERS_FAILED;
	if (sqlite3_bind_int64(stmt, 1, id) != SQLITE_OK) {
		users_release(stmt);
		return users_fail(users);
	}
	return users_run(users, stmt);
}

/* Deletes the user's leases that overlap a prefix. */
static enum users_result users_give_way(struct users *users, int64_t id,
					const struct prefix6 *prefix)
{
	struct in6_addr last = prefix6_last(prefix);
	sqlite3_stmt *stmt = users_statement(users, USERS_GIVE_WAY,
					     "DELETE FROM block WHERE user = ?1 AND NOT fixed"
					     " AND first <= ?3 AND last >= ?2");

	if (!stmt)
		return USERS_FAILED;
	if (sqlite3_bind_int64(stmt, 1, id) != SQLITE_OK ||
	    users_bind_address(stmt, 2, &prefix->addr) != SQLITE_OK ||
	    users_bind_address(stmt, 3, &last) != SQLITE_OK) {
		users_release(stmt);
		return users_fail(users);
	}
	return users_run(users, stmt);
}

/* Adds a fixed prefix. */
static enum users_result users_fix_one(struct users *users, const struct user *user,
				       const struct prefix6 *prefix,
				       char other[static DTCP_USER_MAX + 1])
{
	enum users_result result = users_give_way(users, user->id, prefix);

	if (result == USERS_OK)
		result = users_overlaps(users, prefix, other);
	return result == USERS_OK
		       ? users_add_block(users, user->id, USERS_KIND_NETWORK, true, prefix)
		       : result;
}

/* Replaces the fixed prefixes. */
static enum users_result users_fix(struct users *users, const struct user *user,
				   const struct prefix6_set *prefixes,
				   char other[static DTCP_USER_MAX + 1])
{
	enum users_result result = USERS_OK;

	if (user->has_fixed)
		result = users_unfix(users, user->id);
	/* A trigger makes an active lease dormant. */
	for (uint32_t i = 0; i < prefixes->n && result == USERS_OK; i++)
		result = users_fix_one(users, user, &prefixes->list[i], other);
	return result;
}

static bool users_has_fixed(const struct user *user, const struct prefix6_set *prefixes)
{
	static const struct prefix6_set none;

	return prefix6_set_equal(user->has_fixed ? &user->networks : &none, prefixes);
}

/* Applies a record to a user; inside a transaction. */
static enum users_result users_apply(struct users *users, struct user *user,
				     const struct users_record *record, bool *changed,
				     char other[static DTCP_USER_MAX + 1])
{
	enum users_result result = USERS_OK;

	*changed = users_merge(user, record);
	if (*changed)
		result = users_update(users, user);
	if (result == USERS_OK && record->parts & USERS_PREFIX &&
	    !users_has_fixed(user, &record->prefixes)) {
		*changed = true;
		result = users_fix(users, user, &record->prefixes, other);
	}
	return result;
}

/* Stored values must fit the structures that they are read into, and the lines that carry them. */
static enum users_result users_check_record(struct users *users, const struct users_record *record)
{
	if (!dtcp_user_valid(record->name))
		return users_fail_text(users, "not a possible user name");
	if (record->parts & USERS_PASSWORD && !dtcp_password_valid(record->password))
		return users_fail_text(users, "not a possible password");
	if (record->parts & USERS_NOTE && strlen(record->note) > USERS_NOTE_MAX)
		return users_fail_text(users, "the note is too long");
	return USERS_OK;
}

enum users_result users_together(struct users *users)
{
	enum users_result result = users_ready(users);

	if (result == USERS_OK)
		result = users_begin(users);
	if (result != USERS_OK || !users->old)
		return result;
	result = users_take_over(users);
	return result == USERS_OK ? USERS_OK : users_end(users, result);
}

enum users_result users_together_end(struct users *users, bool keep)
{
	enum users_result result = users_end(users, keep ? USERS_OK : USERS_FAILED);

	users->old &= !keep || result != USERS_OK;
	return keep ? result : USERS_OK;
}

enum users_result users_put(struct users *users, const struct users_record *record,
			    enum users_put *did, char other[static DTCP_USER_MAX + 1])
{
	enum users_result result = users_check_record(users, record);
	struct user user = {.id = 0};
	bool changed = false;
	bool added = false;

	if (result == USERS_OK)
		result = users_find(users, record->name, &user);
	if (result == USERS_NOT_FOUND && record->parts & USERS_PASSWORD) {
		added = true;
		result = users_insert(users, record);
		if (result == USERS_OK)
			result = users_find(users, record->name, &user);
	}
	if (result == USERS_OK)
		result = users_apply(users, &user, record, &changed, other);
	explicit_bzero(&user, sizeof(user));
	if (added)
		*did = USERS_ADDED;
	else
		*did = changed ? USERS_CHANGED : USERS_UNCHANGED;
	return result;
}

/* Stores a record of a user who must exist, or must not exist. */
static enum users_result users_put_one(struct users *users, const struct users_record *record,
				       enum users_result must, char other[static DTCP_USER_MAX + 1])
{
	enum users_result result = users_check_record(users, record);
	struct user user = {.id = 0};
	enum users_put did;

	if (result == USERS_OK)
		result = users_together(users);
	if (result != USERS_OK)
		return result;
	result = users_find(users, record->name, &user);
	explicit_bzero(&user, sizeof(user));
	if (result == must)
		result = users_put(users, record, &did, other);
	else if (result == USERS_OK)
		result = USERS_EXISTS;
	return users_end(users, result);
}

enum users_result users_add(struct users *users, const char *name, const char *password,
			    const struct prefix6 *fixed, char other[static DTCP_USER_MAX + 1])
{
	struct users_record record = {.name = name, .parts = USERS_PASSWORD, .password = password};

	if (fixed) {
		record.parts |= USERS_PREFIX;
		(void)prefix6_set_add(&record.prefixes, fixed);
	}
	return users_put_one(users, &record, USERS_NOT_FOUND, other);
}

enum users_result users_set(struct users *users, const struct users_record *record,
			    char other[static DTCP_USER_MAX + 1])
{
	return users_put_one(users, record, USERS_OK, other);
}

enum users_result users_set_password(struct users *users, const char *name, const char *password)
{
	const struct users_record record = {
		.name = name, .parts = USERS_PASSWORD, .password = password};
	char other[DTCP_USER_MAX + 1];

	return users_set(users, &record, other);
}

enum users_result users_delete(struct users *users, const char *name)
{
	enum users_result result = users_together(users);
	sqlite3_stmt *stmt;

	if (result != USERS_OK)
		return result;
	/* The user's blocks go with the row (ON DELETE CASCADE). */
	stmt = users_statement(users, USERS_DELETE, "DELETE FROM user WHERE name = ?1");
	if (!stmt)
		return users_end(users, USERS_FAILED);
	if (sqlite3_bind_text(stmt, 1, name, -1, SQLITE_STATIC) == SQLITE_OK) {
		result = users_run(users, stmt);
	} else {
		result = users_fail(users);
		users_release(stmt);
	}
	if (result == USERS_OK && sqlite3_changes(users->db) == 0)
		result = USERS_NOT_FOUND;
	return users_end(users, result);
}

bool users_allows_type(const struct users_limits *limits, enum tunnel_type type)
{
	return limits->types == 0 || limits->types >> type & 1;
}

bool users_allows_transport(const struct users_limits *limits, enum users_transport transport)
{
	return limits->transports == 0 || limits->transports & transport;
}

bool users_is_expired(const struct users_limits *limits, int64_t now)
{
	return limits->expires != 0 && now >= limits->expires;
}

enum users_result users_next_expiry(struct users *users, int64_t after, int64_t *when)
{
	enum users_result result = users_ready(users);
	sqlite3_stmt *stmt;

	*when = 0;
	if (result != USERS_OK)
		return result;
	stmt = users_statement(users, USERS_NEXT_EXPIRY,
			       "SELECT min(expires) FROM user WHERE expires > 0 AND expires > ?1");
	if (!stmt)
		return USERS_FAILED;
	if (sqlite3_bind_int64(stmt, 1, after) != SQLITE_OK || sqlite3_step(stmt) != SQLITE_ROW)
		result = users_fail(users);
	else
		*when = sqlite3_column_int64(stmt, 0);
	users_release(stmt);
	return result;
}

enum users_result users_each_expiring(struct users *users, int64_t first, int64_t last,
				      bool (*each)(int64_t id, void *arg), void *arg)
{
	enum users_result result = users_ready(users);
	sqlite3_stmt *stmt;

	if (result != USERS_OK)
		return result;
	stmt = users_prepare(users, "SELECT id FROM user WHERE expires > 0"
				    " AND expires BETWEEN ?1 AND ?2");
	if (!stmt)
		return USERS_FAILED;
	if (sqlite3_bind_int64(stmt, 1, first) != SQLITE_OK ||
	    sqlite3_bind_int64(stmt, 2, last) != SQLITE_OK)
		result = users_fail(users);
	while (result == USERS_OK && users_step(users, stmt, &result)) {
		if (!each(sqlite3_column_int64(stmt, 0), arg))
			break;
	}
	(void)sqlite3_finalize(stmt);
	return result;
}
