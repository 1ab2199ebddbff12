/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The user database: names, passwords, and the addresses and prefixes that belong to each user
 * permanently. SQLite; every call sees the changes of other processes at once. Passwords are stored
 * in plain text, because the login's digest needs them; the file has mode 0600.
 */
#ifndef DTCP_USERS_USERS_H
#define DTCP_USERS_USERS_H

#include "proto/message.h"
#include "proto/prefix.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct users;

enum users_result {
	USERS_OK,
	USERS_NOT_FOUND, /* no such user, or no such file */
	USERS_EXISTS,	 /* a user of that name exists already */
	USERS_OVERLAP,	 /* another user has (part of) that prefix */
	USERS_FULL,	 /* no free address or prefix is left */
	USERS_NO_LEASE,	 /* the user has no such lease */
	USERS_FAILED,	 /* the database cannot be used: users_error() */
};

/* Largest size of a note, in bytes. */
#define USERS_NOTE_MAX 200

/* Transports of a tunnel. */
enum users_transport {
	USERS_PROTO41 = 1 << 0,
	USERS_UDP = 1 << 1,
};

/* Limits set by an administrator; zero: none. */
struct users_limits {
	unsigned int types;	 /* 1 << enum tunnel_type of each allowed type; 0: all */
	unsigned int transports; /* enum users_transport of each; 0: all */
	int64_t expires;	 /* seconds since 1970; 0: never */
	bool disabled;
};

struct user {
	int64_t id;
	char name[DTCP_USER_MAX + 1];
	char password[DTCP_PASSWORD_MAX + 1];
	bool has_fixed;		     /* prefixes were fixed for this user by the administrator */
	bool has_host;		     /* an address was leased at the last login */
	struct prefix6_set networks; /* fixed, or one leased from the pool at that login */
	struct in6_addr host;
	int64_t created; /* seconds since 1970 */
	struct users_limits limits;
	char note[USERS_NOTE_MAX + 1]; /* UTF-8, no control characters */
};

enum users_mode {
	USERS_WRITE,  /* upgrades a file of an earlier version */
	USERS_CREATE, /* the same; makes missing file (0600) and directory (0755) */
	USERS_READ,   /* leaves the file unchanged, whatever its version; calls that write fail */
	USERS_TRY, /* as USERS_WRITE, but upgrades only in a transaction of users_together(), which
		      must be the first call, and only if that is committed */
};

/* The error for a missing file. */
#define USERS_MISSING "no such database; add a user with dtcpauth first"

/*
 * Opens the database. On failure *out is NULL and error has one line that names the file. The
 * database must not be used across a fork().
 */
enum users_result users_open(const char *path, enum users_mode mode, struct users **out,
			     char *error, size_t error_size);

/*
 * The same for a process whose root directory is the folder of the file; path is its name in
 * messages.
 */
enum users_result users_open_in_root(const char *path, enum users_mode mode, struct users **out,
				     char *error, size_t error_size);

/* An empty database in memory, for tests. */
enum users_result users_open_memory(struct users **out, char *error, size_t error_size);
void users_close(struct users *users);

/* True for a file of an earlier version that is open with USERS_READ or USERS_TRY. */
bool users_is_old(const struct users *users);

/*
 * How long a call waits for a lock of another program (default 5,000 ms). After a call that waited
 * in vain, calls do not wait at all for ten times as long.
 */
void users_set_patience(struct users *users, unsigned int ms);

/* Reads the whole file; USERS_FAILED if it is damaged. */
enum users_result users_verify(struct users *users);

/* Why the last call failed: one line that names the file. */
const char *users_error(const struct users *users);

/* Fills *user; the caller wipes its password (explicit_bzero). */
enum users_result users_find(struct users *users, const char *name, struct user *user);

/*
 * Adds a user; fixed may be NULL. With USERS_OVERLAP other gets the name of the user who has the
 * prefix. On failure nothing is changed.
 */
enum users_result users_add(struct users *users, const char *name, const char *password,
			    const struct prefix6 *fixed, char other[static DTCP_USER_MAX + 1]);
enum users_result users_set_password(struct users *users, const char *name, const char *password);
enum users_result users_delete(struct users *users, const char *name);

/* Parts of an account. */
enum users_part {
	USERS_PASSWORD = 1 << 0,
	USERS_PREFIX = 1 << 1,
	USERS_TYPES = 1 << 2,
	USERS_TRANSPORTS = 1 << 3,
	USERS_EXPIRES = 1 << 4,
	USERS_DISABLED = 1 << 5,
	USERS_NOTE = 1 << 6,
};

/* New values of an account; an existing account keeps its values of those not in parts. */
struct users_record {
	const char *name;
	unsigned int parts;
	const char *password;
	struct prefix6_set prefixes; /* to be fixed */
	struct users_limits limits;
	const char *note;
};

/* Result of users_put(). */
enum users_put { USERS_UNCHANGED, USERS_CHANGED, USERS_ADDED };

/*
 * Changes an existing user. Newly fixed prefixes replace the old ones; the active lease becomes
 * dormant, and leases of the user that overlap the fixed prefixes are released. USERS_OVERLAP as
 * for users_add().
 */
enum users_result users_set(struct users *users, const struct users_record *record,
			    char other[static DTCP_USER_MAX + 1]);

/*
 * Between users_together() and users_together_end(), which commits everything or, without keep,
 * nothing: adds a user, who needs a password (USERS_NOT_FOUND without one), or changes an existing
 * one. After USERS_FAILED there is nothing to keep.
 */
enum users_result users_together(struct users *users);
enum users_result users_put(struct users *users, const struct users_record *record,
			    enum users_put *did, char other[static DTCP_USER_MAX + 1]);
enum users_result users_together_end(struct users *users, bool keep);

/* Whether the limits of a user allow it. */
bool users_allows_type(const struct users_limits *limits, enum tunnel_type type);
bool users_allows_transport(const struct users_limits *limits, enum users_transport transport);
bool users_is_expired(const struct users_limits *limits, int64_t now);

/*
 * Sets *when to the first time after that one, in seconds since 1970, at which an account expires;
 * 0: none does.
 */
enum users_result users_next_expiry(struct users *users, int64_t after, int64_t *when);

/* Calls each() for every user whose account expires from first to last, until it returns false. */
enum users_result users_each_expiring(struct users *users, int64_t first, int64_t last,
				      bool (*each)(int64_t id, void *arg), void *arg);

/* Calls each() for every user by name, until it returns false. Passwords are left empty. */
enum users_result users_each(struct users *users, bool (*each)(const struct user *user, void *arg),
			     void *arg);

/*
 * Whether a user has (part of) this prefix: USERS_OVERLAP with the name in other, USERS_OK if
 * nobody has.
 */
enum users_result users_overlaps(struct users *users, const struct prefix6 *prefix,
				 char other[static DTCP_USER_MAX + 1]);

/* A prefix or address of a user. At most one lease of each kind is active. */
struct users_block {
	char user[DTCP_USER_MAX + 1];
	bool host;   /* an address of a host tunnel; otherwise a prefix of a network tunnel */
	bool fixed;  /* by the administrator; otherwise a lease */
	bool active; /* otherwise dormant: it did not fit the settings at the last login */
	struct prefix6 prefix;
};

/*
 * Calls each() for whatever belongs to a user, NULL: to all users, by user and with the active ones
 * first, until it returns false.
 */
enum users_result users_each_block(struct users *users, const char *name,
				   bool (*each)(const struct users_block *block, void *arg),
				   void *arg);

/*
 * Releases leases of a user, active or dormant: one of them, or all if lease is NULL.
 * USERS_NO_LEASE if there is none; a fixed prefix is not a lease.
 */
enum users_result users_drop_lease(struct users *users, const char *name,
				   const struct prefix6 *lease);

/*
 * Number of leases, active or dormant, that users_lease_network() and users_lease_host() would not
 * assign with these pools (NULL: none), regardless of reservations. Reads all of them.
 */
enum users_result users_count_outside(struct users *users, const struct prefix6 *pool,
				      uint8_t length, const struct prefix6 *host_prefix,
				      size_t *count);

/*
 * From now on no lease overlaps these prefixes, which are copied, and an overlapping lease is
 * replaced when its user next asks for it. False if memory is short: then nothing is changed.
 */
bool users_reserve(struct users *users, const struct prefix6 reserved[], size_t n);

/* Whether the whole prefix is within a reserved one. */
bool users_is_reserved(const struct users *users, const struct prefix6 *prefix);

/*
 * Assigns the prefixes of a user from users_find() for a network tunnel: the fixed ones; otherwise
 * the active lease if that still fits pool and length; otherwise a dormant one that does; otherwise
 * a new one from pool that overlaps nobody's and is not the pool's first (which is the server's
 * own). The previously active lease becomes dormant. A released prefix is assigned again as late as
 * possible. pool may be NULL: then only fixed prefixes are possible.
 *
 * USERS_OK: they are in user->networks. USERS_FULL: none is left, or there is no pool.
 * USERS_NOT_FOUND: the user was deleted meanwhile.
 */
enum users_result users_lease_network(struct users *users, struct user *user,
				      const struct prefix6 *pool, uint8_t length);

/*
 * The same for the address of a user, in user->host, from the /64 host_prefix: not ::0 and not ::1
 * (which is the server's own).
 */
enum users_result users_lease_host(struct users *users, struct user *user,
				   const struct prefix6 *host_prefix);

/*
 * Counts how much is in use, in pieces of some hundred rows, so that logins do not have to wait.
 * Changes meanwhile may or may not be counted.
 */
struct users_usage {
	uint64_t users;
	/* Prefixes in the pool, and addresses in the host prefix: active, dormant or fixed. */
	uint64_t network;
	uint64_t host;
	/* private */
	unsigned int step;
	int64_t last_user;
	struct in6_addr last;
};

/* Starts over; continues until *done. pool and host_prefix may be NULL: none. */
void users_usage_begin(struct users_usage *usage);
enum users_result users_usage_go_on(struct users *users, struct users_usage *usage,
				    const struct prefix6 *pool, const struct prefix6 *host_prefix,
				    bool *done);

/*
 * Until users_snapshot_end() or a call that writes, all calls see the database as of the first of
 * them, and check, lock and unlock the file only once. False without effect if a snapshot is
 * already open: then nothing can have changed.
 */
bool users_snapshot_begin(struct users *users);
void users_snapshot_end(struct users *users);

/*
 * Waits for the disk once for many leases: from now on new leases are gathered in one transaction,
 * and are valid only after users_flush() has returned USERS_OK. Until then other programs cannot
 * write.
 */
void users_gather(struct users *users);

/* Whether there are leases that are not committed yet. */
bool users_gathered(const struct users *users);

/* Commits them. USERS_FAILED: none of them is valid. Gathering continues. */
enum users_result users_flush(struct users *users);

/*
 * Calls each() for every user that other programs have changed or deleted since the last call:
 * password or addresses, but not a new lease of its own. USERS_EVERYBODY stands for all users: at
 * the first call, for a file that was replaced, and after more changes than are recorded. Cheap if
 * nothing has changed: reads no table. If each() returns false, or the database cannot be read
 * (USERS_FAILED), the rest is reported by the next call.
 */
enum { USERS_EVERYBODY = 0 };
enum users_result users_changes(struct users *users, bool (*each)(int64_t id, void *arg),
				void *arg);

#endif
