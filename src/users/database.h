/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the files of the user database share among themselves; everybody else includes
 * users/users.h only.
 */
#ifndef DTCP_USERS_DATABASE_H
#define DTCP_USERS_DATABASE_H

#include "users/users.h"

#include <limits.h>
#include <sqlite3.h>
#include <sys/types.h>

/* What a row of the table "block" is; the numbers are in the files, so they never change. */
enum users_kind {
	USERS_KIND_NETWORK = 1, /* the prefix of a network tunnel, fixed or leased */
	USERS_KIND_HOST = 2,	/* the address of a host tunnel */
	USERS_KINDS
};

/* Statements that are kept ready, each prepared when it is first needed. */
enum users_statement {
	USERS_BEGIN,
	USERS_SNAPSHOT,
	USERS_COMMIT,
	USERS_FIND,
	USERS_OVERLAPS,
	USERS_ADD_BLOCK,
	USERS_READ_BLOCK,
	USERS_DORMANT,
	USERS_SLEEP,
	USERS_WAKE,
	USERS_DROP_LEASE,
	USERS_BLOCK_UNDER,
	USERS_POOL_NEXT,
	USERS_POOL_SET,
	USERS_FREED_FIRST,
	USERS_FREED_CUT,
	USERS_FREED_DROP,
	USERS_FREED_CLEAR,
	USERS_INSERT,
	USERS_UPDATE,
	USERS_DELETE,
	USERS_UNFIX,
	USERS_GIVE_WAY,
	USERS_NEXT_EXPIRY,
	USERS_SESSION_BEGAN,
	USERS_SESSION_HAD,
	USERS_SESSION_ENDED,
	USERS_SESSION_FORGET,
	USERS_SESSION_READ,
	USERS_SESSION_READ_HAD,
	USERS_SESSION_LAST,
	USERS_DATA_VERSION,
	USERS_LAST_CHANGE,
	USERS_CHANGES,
	USERS_COUNT_USERS,
	USERS_COUNT_BLOCKS,
	USERS_STATEMENTS
};

struct users {
	sqlite3 *db;
	enum users_mode mode;
	bool usable; /* db is a database of ours */
	bool old;    /* of an earlier version, and is not to be changed, or not yet */
	sqlite3_stmt *statements[USERS_STATEMENTS];
	bool snapshot; /* a transaction that only reads is open */
	bool gathering;
	bool gathered;		    /* a transaction is open */
	bool spoilt;		    /* that cannot be kept */
	bool searched[USERS_KINDS]; /* a pool that seemed full, once more from its beginning */
	int64_t seen_version;	    /* -1 before the first users_changes() */
	int64_t seen_change;	  /* the last of "change" that was told; -1: everybody's is next */
	struct prefix6 *reserved; /* users_reserve() */
	size_t n_reserved;
	char path[PATH_MAX];   /* as the administrator named it, for messages */
	char real[PATH_MAX];   /* the same from the root, without symbolic links; "": in memory */
	unsigned int patience; /* ms to wait for a lock */
	int64_t wait_since;    /* ms: when the wait for a lock began */
	int64_t no_wait_until; /* ms: until then it is not waited for again */
	bool damaged;	       /* what was read before may be wrong as well: open it anew */
	dev_t device;	       /* which file that was when it was opened */
	ino_t inode;
	char error[PATH_MAX + 256];
};

/* Writes the reason of SQLite's last failure into users->error; returns USERS_FAILED. */
enum users_result users_fail(struct users *users);

/* The same with a reason of our own. */
enum users_result users_fail_text(struct users *users, const char *text);

/*
 * Every call from outside begins with this. Where the file was deleted, and perhaps made anew, it
 * is opened again: to go on with the old one would be to talk to nobody. So it is after it was
 * found damaged, for somebody may have put it right in its place. USERS_FAILED where that does not
 * succeed; then the next call tries once more.
 */
enum users_result users_ready(struct users *users);

/* Makes the tables in an empty database (tables.c). */
enum users_result users_make_tables(struct users *users);

/*
 * Whether the tables are ours; those of an earlier version are made what they are now. With
 * USERS_READ they only look so, and nothing can be written from here on; with USERS_TRY that is
 * left for later.
 */
enum users_result users_check_tables(struct users *users);

/* Makes tables of an earlier version what they are now; inside a transaction. */
enum users_result users_take_over(struct users *users);

/* So many changes are noted, at least. */
#define USERS_CHANGES_MAX 10000

/* Runs statements that have no parameters and no rows. */
enum users_result users_exec(struct users *users, const char *sql);

/* A statement, to be finalized by the caller; NULL after users_fail(). */
sqlite3_stmt *users_prepare(struct users *users, const char *sql);

/*
 * A statement that is kept; sql is the same at every call. To be given back with users_release()
 * before it is asked for again. NULL after users_fail().
 */
sqlite3_stmt *users_statement(struct users *users, enum users_statement which, const char *sql);

/* Resets a statement of users_statement() and forgets what was bound. NULL is allowed. */
void users_release(sqlite3_stmt *stmt);

/* True with the next row of a statement; false at its end, or when *result is USERS_FAILED. */
bool users_step(struct users *users, sqlite3_stmt *stmt, enum users_result *result);

/* Steps and releases a statement that returns no row. */
enum users_result users_run(struct users *users, sqlite3_stmt *stmt);

/*
 * A transaction that writes. Every users_begin() that returned USERS_OK is followed by a
 * users_end(), which commits where result is USERS_OK, else takes everything back, and returns
 * what the whole came to.
 */
enum users_result users_begin(struct users *users);
enum users_result users_end(struct users *users, enum users_result result);

/* Read one column of a row; false where it does not hold such a value. */
bool users_column_text(sqlite3_stmt *stmt, int column, char *buf, size_t size);
bool users_column_shown(sqlite3_stmt *stmt, int column, char *buf, size_t size); /* can be shown */
bool users_column_address(sqlite3_stmt *stmt, int column, struct in6_addr *addr);
bool users_column_prefix(sqlite3_stmt *stmt, int first, int len, struct prefix6 *prefix);

/* Binds an address, which must stay valid until the statement is released; an SQLite code. */
int users_bind_address(sqlite3_stmt *stmt, int parameter, const struct in6_addr *addr);

/* The reason where a row does not hold what this program writes. */
#define USERS_DAMAGED "the database is damaged"

/* Adds a block that overlaps none; inside a transaction. */
enum users_result users_add_block(struct users *users, int64_t id, enum users_kind kind, bool fixed,
				  const struct prefix6 *prefix);

#endif
