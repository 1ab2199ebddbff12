/* SPDX-License-Identifier: BSD-2-Clause */
/* Shared by the files of the user database; all other code includes users/users.h only. */
#ifndef DTCP_USERS_DATABASE_H
#define DTCP_USERS_DATABASE_H

#include "users/users.h"

#include <limits.h>
#include <sqlite3.h>
#include <sys/types.h>

/* Kind of a row of the table "block"; the values are stored in files, so they never change. */
enum users_kind {
	USERS_KIND_NETWORK = 1, /* the prefix of a network tunnel, fixed or leased */
	USERS_KIND_HOST = 2,	/* the address of a host tunnel */
	USERS_KINDS
};

/* Cached statements, each prepared when it is first needed. */
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
	bool usable; /* db is a user database */
	bool old;    /* of an earlier version, and not upgraded, or not yet */
	sqlite3_stmt *statements[USERS_STATEMENTS];
	bool snapshot; /* a read transaction is open */
	bool gathering;
	bool gathered;		    /* a transaction is open */
	bool spoilt;		    /* that has to be rolled back */
	bool searched[USERS_KINDS]; /* a pool that seemed full was searched again from its beginning
				     */
	int64_t seen_version;	    /* -1 before the first users_changes() */
	int64_t seen_change; /* the last row of "change" reported; -1: report USERS_EVERYBODY next
			      */
	struct prefix6 *reserved; /* users_reserve() */
	size_t n_reserved;
	char path[PATH_MAX];   /* as given by the administrator, for messages */
	char real[PATH_MAX];   /* absolute, without symbolic links; "": in memory */
	unsigned int patience; /* ms to wait for a lock */
	int64_t wait_since;    /* ms: when the wait for a lock began */
	int64_t no_wait_until; /* ms: do not wait again before then */
	bool damaged;	       /* earlier reads may be wrong as well: open it again */
	dev_t device;	       /* identity of the opened file */
	ino_t inode;
	char error[PATH_MAX + 256];
};

/* Stores the reason of SQLite's last failure in users->error; returns USERS_FAILED. */
enum users_result users_fail(struct users *users);

/* The same with a reason of our own. */
enum users_result users_fail_text(struct users *users, const char *text);

/*
 * Must begin every public call. If the file was deleted, and possibly made again, it is opened
 * again, since the old one is not used by anybody else; also after it was found damaged, since it
 * may have been repaired. USERS_FAILED if that fails; then the next call tries again.
 */
enum users_result users_ready(struct users *users);

/* Makes the tables in an empty database (tables.c). */
enum users_result users_make_tables(struct users *users);

/*
 * Whether the tables are ours; those of an earlier version are upgraded. With USERS_READ they only
 * appear upgraded, and nothing can be written from here on; with USERS_TRY that is left for later.
 */
enum users_result users_check_tables(struct users *users);

/* Upgrades tables of an earlier version; inside a transaction. */
enum users_result users_take_over(struct users *users);

/* Smallest number of changes that are recorded. */
#define USERS_CHANGES_MAX 10000

/* Runs statements that have no parameters and no rows. */
enum users_result users_exec(struct users *users, const char *sql);

/* A statement, to be finalized by the caller; NULL after users_fail(). */
sqlite3_stmt *users_prepare(struct users *users, const char *sql);

/*
 * A cached statement; sql must be the same at every call. Must be released with users_release()
 * before it is requested again. NULL after users_fail().
 */
sqlite3_stmt *users_statement(struct users *users, enum users_statement which, const char *sql);

/* Resets a statement of users_statement() and clears its parameters. NULL is allowed. */
void users_release(sqlite3_stmt *stmt);

/* True with the next row of a statement; false at its end, or when *result is USERS_FAILED. */
bool users_step(struct users *users, sqlite3_stmt *stmt, enum users_result *result);

/* Steps and releases a statement that returns no row. */
enum users_result users_run(struct users *users, sqlite3_stmt *stmt);

/*
 * A write transaction. Every users_begin() that returned USERS_OK must be followed by users_end(),
 * which commits if result is USERS_OK, otherwise rolls back, and returns the overall result.
 */
enum users_result users_begin(struct users *users);
enum users_result users_end(struct users *users, enum users_result result);

/* Read one column of a row; false if it does not have a value of that type. */
bool users_column_text(sqlite3_stmt *stmt, int column, char *buf, size_t size);
bool users_column_shown(sqlite3_stmt *stmt, int column, char *buf, size_t size); /* can be shown */
bool users_column_address(sqlite3_stmt *stmt, int column, struct in6_addr *addr);
bool users_column_prefix(sqlite3_stmt *stmt, int first, int len, struct prefix6 *prefix);

/* Binds an address, which must stay valid until the statement is released; an SQLite code. */
int users_bind_address(sqlite3_stmt *stmt, int parameter, const struct in6_addr *addr);

/* The reason if a row has a value that this program does not write. */
#define USERS_DAMAGED "the database is damaged"

/* Adds a block that overlaps no other one; inside a transaction. */
enum users_result users_add_block(struct users *users, int64_t id, enum users_kind kind, bool fixed,
				  const struct prefix6 *prefix);

#endif
