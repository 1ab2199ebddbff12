/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The tables of the user database.
 *
 * Two of them matter. "user" has one row for each user; ids are never reused, so that a user who
 * was deleted and added again is known to be a different one. "block" has all address space of
 * users, each block with its first and last address. No two blocks overlap, whoever has them.
 * Therefore the only block that can overlap a given range is the one with the greatest first
 * address not above the range's end: one index look-up, however many users there are.
 *
 * Of each kind a user has at most one active lease, that of the last login, and none if there are
 * fixed prefixes. Leases that did not fit the settings then are dormant. They still belong to their
 * users, so nobody else can get any part of them, and they are used again when their pool is
 * configured again (leases.c).
 *
 * Two more tables serve to find a free lease in as few steps. "pool" has, for the pool of each kind
 * of lease, how far it has been assigned; "freed" has freed leases below that, in the order in
 * which they were freed. They can be lost without harm: a pool without its row is assigned from its
 * beginning, skipping what is taken.
 *
 * "change" has the users that were changed or deleted, each once, in the order of the last change
 * (changes.c).
 *
 * "session" has past sessions, and "had" their prefixes and addresses, to find out later who had an
 * address (history.c). A session that is up has no end. Names stay when their users are deleted.
 *
 * A user's limits are in the user's row, as in struct users_limits; zero, the value for users of
 * earlier versions, means no limits.
 *
 * Invariants are enforced by triggers, so that they hold for other programs that change the file,
 * too.
 */
#include "users/database.h"

#include <stdio.h>

#define USERS_APPLICATION_ID 0x64746370 /* "dtcp" */
#define USERS_SCHEMA_VERSION 3

#define TEXT_OF(x)  TEXT_OF_(x)
#define TEXT_OF_(x) #x

static const char users_user[] = "CREATE TABLE user ("
				 " id INTEGER PRIMARY KEY AUTOINCREMENT,"
				 " name TEXT NOT NULL UNIQUE,"
				 " password TEXT NOT NULL,"
				 " created INTEGER NOT NULL"
				 ") STRICT;"
				 "PRAGMA application_id = " TEXT_OF(USERS_APPLICATION_ID);

static const char users_block[] =
	"CREATE TABLE block ("
	" user INTEGER NOT NULL REFERENCES user (id) ON DELETE CASCADE,"
	" kind INTEGER NOT NULL CHECK (kind IN (1, 2)),"
	" fixed INTEGER NOT NULL CHECK (fixed IN (0, 1)),"
	" first BLOB NOT NULL CHECK (length(first) = 16),"
	" last BLOB NOT NULL CHECK (length(last) = 16 AND last >= first),"
	" bits INTEGER NOT NULL CHECK (bits BETWEEN 1 AND 128),"
	" active INTEGER NOT NULL DEFAULT 1 CHECK (active IN (0, 1) AND active >= fixed),"
	" PRIMARY KEY (user, kind, first)"
	") STRICT, WITHOUT ROWID";

/*
 * In version 1 a user had one block of each kind. A running server of that version continues: what
 * it adds is active. The old table's triggers and indexes go with it.
 */
static const char users_rename_1[] = "ALTER TABLE block RENAME TO block_1";
static const char users_copy_1[] = "INSERT INTO block (user, kind, fixed, first, last, bits)"
				   " SELECT user, kind, fixed, first, last, bits FROM block_1"
				   " WHERE user IN (SELECT id FROM user);"
				   "DROP TABLE block_1";

/* Added in version 3; a running server of an earlier version does not use it. */
static const char users_limits[] =
	"ALTER TABLE user ADD COLUMN types INTEGER NOT NULL DEFAULT 0 CHECK (types >= 0);"
	"ALTER TABLE user ADD COLUMN transports INTEGER NOT NULL DEFAULT 0"
	" CHECK (transports >= 0);"
	"ALTER TABLE user ADD COLUMN expires INTEGER NOT NULL DEFAULT 0 CHECK (expires >= 0);"
	"ALTER TABLE user ADD COLUMN disabled INTEGER NOT NULL DEFAULT 0"
	" CHECK (disabled IN (0, 1));"
	"ALTER TABLE user ADD COLUMN note TEXT NOT NULL DEFAULT '';"
	"DROP INDEX block_active;"
	"CREATE UNIQUE INDEX block_active ON block (user, kind) WHERE active AND NOT fixed;"
	"CREATE TRIGGER block_sleeps AFTER INSERT ON block WHEN NEW.fixed "
	"BEGIN UPDATE block SET active = 0"
	" WHERE user = NEW.user AND kind = NEW.kind AND active AND NOT fixed; END;"
	"CREATE INDEX user_expires ON user (expires) WHERE expires > 0";

static const char users_history[] =
	"CREATE TABLE session ("
	" number INTEGER PRIMARY KEY AUTOINCREMENT,"
	" user INTEGER NOT NULL,"
	" name TEXT NOT NULL,"
	" type INTEGER NOT NULL,"
	" udp INTEGER NOT NULL CHECK (udp IN (0, 1)),"
	" peer BLOB NOT NULL CHECK (length(peer) = 4)," /* IPv4 address */
	" began INTEGER NOT NULL,"
	" ended INTEGER,"
	" reason TEXT NOT NULL DEFAULT '',"
	" in_octets INTEGER NOT NULL DEFAULT 0,"
	" out_octets INTEGER NOT NULL DEFAULT 0"
	") STRICT;"
	"CREATE INDEX session_name ON session (name, began);"
	"CREATE INDEX session_peer ON session (peer, began);"
	"CREATE INDEX session_ended ON session (ended);"
	"CREATE TABLE had ("
	" session INTEGER NOT NULL REFERENCES session (number) ON DELETE CASCADE,"
	" bits INTEGER NOT NULL CHECK (bits BETWEEN 1 AND 128),"
	" first BLOB NOT NULL CHECK (length(first) = 16),"
	" PRIMARY KEY (session, bits, first)"
	") STRICT, WITHOUT ROWID;"
	"CREATE INDEX had_prefix ON had (bits, first)";

static const char users_version[] = "PRAGMA user_version = " TEXT_OF(USERS_SCHEMA_VERSION);

/* For USERS_READ: the present columns, in temporary views of this connection. */
static const char users_view_blocks[] =
	"CREATE TEMP VIEW block AS SELECT *, 1 AS active FROM main.block";
static const char users_view_limits[] =
	"CREATE TEMP VIEW user AS SELECT *, 0 AS types, 0 AS transports, 0 AS expires,"
	" 0 AS disabled, '' AS note FROM main.user";

static const char users_view_history[] =
	"CREATE TEMP VIEW session AS SELECT 0 AS number, 0 AS user, '' AS name, 0 AS type, 0 AS "
	"udp,"
	" x'' AS peer, 0 AS began, 0 AS ended, '' AS reason, 0 AS in_octets, 0 AS out_octets"
	" WHERE 0;"
	"CREATE TEMP VIEW had AS SELECT 0 AS session, 0 AS bits, x'' AS first WHERE 0";

/* The other tables; later files of version 1 have some of them. */
static const char users_rest[] =
	"CREATE UNIQUE INDEX block_range ON block (first, last);"
	"CREATE UNIQUE INDEX block_active ON block (user, kind) WHERE active;"
	"CREATE TRIGGER block_overlap BEFORE INSERT ON block"
	" WHEN (SELECT last FROM block WHERE first <= NEW.last ORDER BY first DESC LIMIT 1)"
	"  >= NEW.first "
	"BEGIN SELECT RAISE(ABORT, 'prefixes overlap'); END;"
	"CREATE TABLE IF NOT EXISTS pool ("
	" kind INTEGER PRIMARY KEY CHECK (kind IN (1, 2)),"
	" first BLOB NOT NULL CHECK (length(first) = 16),"
	" last BLOB NOT NULL CHECK (length(last) = 16),"
	" bits INTEGER NOT NULL CHECK (bits BETWEEN 1 AND 128)," /* length of a lease */
	" next BLOB CHECK (length(next) = 16)"			 /* NULL: completely assigned */
	") STRICT;"
	"CREATE TABLE IF NOT EXISTS freed ("
	" number INTEGER PRIMARY KEY,"
	" kind INTEGER NOT NULL REFERENCES pool (kind),"
	" first BLOB NOT NULL CHECK (length(first) = 16),"
	" last BLOB NOT NULL CHECK (length(last) = 16)"
	") STRICT;"
	"CREATE INDEX IF NOT EXISTS freed_kind ON freed (kind, number);"
	/* A fixed prefix may have been part of any pool. */
	"CREATE TRIGGER block_freed AFTER DELETE ON block "
	"BEGIN INSERT INTO freed (kind, first, last) SELECT kind, OLD.first, OLD.last FROM pool"
	" WHERE OLD.first <= last AND OLD.last >= first AND (next IS NULL OR OLD.first < next);"
	" END;"
	"CREATE TABLE IF NOT EXISTS change ("
	" number INTEGER PRIMARY KEY AUTOINCREMENT,"
	" user INTEGER NOT NULL UNIQUE"
	") STRICT;"
	"CREATE TRIGGER IF NOT EXISTS user_changed AFTER UPDATE ON user "
	"BEGIN REPLACE INTO change (user) VALUES (OLD.id); END;"
	"CREATE TRIGGER IF NOT EXISTS user_gone AFTER DELETE ON user "
	"BEGIN REPLACE INTO change (user) VALUES (OLD.id); END;"
	"CREATE TRIGGER block_changed AFTER UPDATE ON block "
	"BEGIN REPLACE INTO change (user) VALUES (OLD.user); END;"
	"CREATE TRIGGER block_gone AFTER DELETE ON block "
	"BEGIN REPLACE INTO change (user) VALUES (OLD.user); END;"
	"CREATE TRIGGER block_fixed AFTER INSERT ON block WHEN NEW.fixed "
	"BEGIN REPLACE INTO change (user) VALUES (NEW.user); END;"
	"CREATE TRIGGER IF NOT EXISTS change_trim AFTER INSERT ON change "
	"BEGIN DELETE FROM change WHERE number <= NEW.number - " TEXT_OF(USERS_CHANGES_MAX) "; END";

/* The number that a pragma returns, or -1 after users_fail(). */
static int64_t users_pragma(struct users *users, const char *sql)
{
	sqlite3_stmt *stmt = users_prepare(users, sql);
	int64_t value = -1;

	if (!stmt)
		return -1;
	if (sqlite3_step(stmt) == SQLITE_ROW)
		value = sqlite3_column_int64(stmt, 0);
	else
		(void)users_fail(users);
	(void)sqlite3_finalize(stmt);
	return value;
}

/* Runs a list of statements, terminated by NULL, inside a transaction. */
static enum users_result users_exec_all(struct users *users, const char *const list[])
{
	enum users_result result = USERS_OK;

	for (; *list && result == USERS_OK; list++)
		result = users_exec(users, *list);
	return result;
}

enum users_result users_make_tables(struct users *users)
{
	static const char *const made[] = {users_user,	  users_block,	 users_rest, users_limits,
					   users_history, users_version, NULL};
	enum users_result result = users_begin(users);

	if (result == USERS_OK)
		result = users_end(users, users_exec_all(users, made));
	return result == USERS_OK ? users_exec(users, "PRAGMA journal_mode = WAL") : result;
}

enum users_result users_take_over(struct users *users)
{
	static const char *const from_1[] = {users_rename_1, users_block,  users_copy_1,
					     users_rest,     users_limits, users_history,
					     users_version,  NULL};
	static const char *const from_2[] = {users_limits, users_history, users_version, NULL};
	/* Another process may have done it during the wait for the lock. */
	int64_t version = users_pragma(users, "PRAGMA user_version");
	if (version == -1)
		return USERS_FAILED;
	if (version == 1)
		return users_exec_all(users, from_1);
	return version == 2 ? users_exec_all(users, from_2) : USERS_OK;
}

/* Whether the tables are ours, and of which version. */
static enum users_result users_read_version(struct users *users, int64_t *version)
{
	int64_t application = users_pragma(users, "PRAGMA application_id");
	char text[128];

	*version = application == -1 ? -1 : users_pragma(users, "PRAGMA user_version");
	if (*version == -1)
		return USERS_FAILED;
	if (application != USERS_APPLICATION_ID)
		return users_fail_text(users, "not a user database");
	if (*version >= 1 && *version <= USERS_SCHEMA_VERSION)
		return USERS_OK;
	(void)snprintf(text, sizeof(text),
		       "made by %s version of dtcp (schema %lld; this program knows %d)",
		       *version > USERS_SCHEMA_VERSION ? "a newer" : "another", (long long)*version,
		       USERS_SCHEMA_VERSION);
	return users_fail_text(users, text);
}

enum users_result users_check_tables(struct users *users)
{
	static const char *const from_1[] = {users_view_blocks, users_view_limits,
					     users_view_history, NULL};
	static const char *const from_2[] = {users_view_limits, users_view_history, NULL};
	int64_t version;
	enum users_result result = users_read_version(users, &version);

	if (result != USERS_OK)
		return result;
	users->old = version < USERS_SCHEMA_VERSION;
	if (users->mode != USERS_READ) {
		if (!users->old || users->mode == USERS_TRY)
			return USERS_OK;
		result = users_begin(users);
		if (result == USERS_OK)
			result = users_end(users, users_take_over(users));
		users->old = result != USERS_OK;
		return result;
	}
	result = users_exec(users, "PRAGMA temp_store = MEMORY");
	if (result == USERS_OK && users->old)
		result = users_exec_all(users, version == 1 ? from_1 : from_2);
	return result == USERS_OK ? users_exec(users, "PRAGMA query_only = ON") : result;
}
