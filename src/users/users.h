/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The user database: names, passwords, and the addresses and prefixes that belong to each user for
 * good. SQLite; every call sees at once what another process has changed. Passwords are kept as
 * they are, because the login's digest needs them; the file has mode 0600.
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
	USERS_EXISTS,	 /* a user of that name is there already */
	USERS_OVERLAP,	 /* another user has (part of) that prefix */
	USERS_FULL,	 /* no free address or prefix is left */
	USERS_NO_LEASE,	 /* the user has no such lease */
	USERS_FAILED,	 /* the database cannot be used: users_error() */
};

/* Most bytes of a note. */
#define USERS_NOTE_MAX 200

/* Ways that a tunnel's packets can go. */
enum users_transport {
	USERS_PROTO41 = 1 << 0,
	USERS_UDP = 1 << 1,
};

/* What an administrator allows a user; zero: everything, for ever. */
struct users_limits {
	unsigned int types;	 /* 1 << enum tunnel_type of each that is allowed; 0: all are */
	unsigned int transports; /* enum users_transport of each; 0: all */
	int64_t expires;	 /* seconds since 1970, from then on nothing is; 0: never */
	bool disabled;
};

struct user {
	int64_t id;
	char name[DTCP_USER_MAX + 1];
	char password[DTCP_PASSWORD_MAX + 1];
	bool has_fixed;		     /* prefixes were fixed for this user by the administrator */
	bool has_host;		     /* an address was leased at the last login */
	struct prefix6_set networks; /* fixed, or one that was leased from the pool at that login */
	struct in6_addr host;
	int64_t created; /* seconds since 1970 */
	struct users_limits limits;
	char note[USERS_NOTE_MAX + 1]; /* UTF-8, no control characters */
};

enum users_mode {
	USERS_WRITE,  /* a file of an earlier version is made one of this version */
	USERS_CREATE, /* the same; makes file (0600) and directory (0755) if they are not there */
	USERS_READ,   /* the file stays as it is, of whatever version; calls that write fail */
	USERS_TRY,    /* as USERS_WRITE, but one of an earlier version stays so until it is written
			 with users_together(), which comes before any other call, and kept */
};

/* What is said of a file that is not there. */
#define USERS_MISSING "no such database; add a user with dtcpauth first"

/*
 * Opens the database. On failure *out is NULL and error has one line that names the file. What is
 * opened must not be carried across a fork().
 */
enum users_result users_open(const char *path, enum users_mode mode, struct users **out,
			     char *error, size_t error_size);

/*
 * The same for a process whose root directory is the folder that the file is in; path is how
 * messages call it.
 */
enum users_result users_open_in_root(const char *path, enum users_mode mode, struct users **out,
				     char *error, size_t error_size);

/* An empty database that is in memory only, to try things out. */
enum users_result users_open_memory(struct users **out, char *error, size_t error_size);
void users_close(struct users *users);

/* True of a file of an earlier version that is open with USERS_READ or USERS_TRY. */
bool users_is_old(const struct users *users);

/*
 * How long a call waits for another program that has locked the database (5,000 ms unless told).
 * After one that waited in vain, calls do not wait at all for ten times as long.
 */
void users_set_patience(struct users *users, unsigned int ms);

/* Reads all of the file; USERS_FAILED where it is damaged. */
enum users_result users_verify(struct users *users);

/* Why the last call failed: one line that names the file. */
const char *users_error(const struct users *users);

/* Fills *user; its password is to be wiped by the caller (explicit_bzero). */
enum users_result users_find(struct users *users, const char *name, struct user *user);

/*
 * Adds a user; fixed may be NULL. With USERS_OVERLAP other gets the name of the user who has the
 * prefix. Nothing is left half-made on any failure.
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

/* What an account is to have; of what is not in parts, an account that is there keeps its own. */
struct users_record {
	const char *name;
	unsigned int parts;
	const char *password;
	struct prefix6_set prefixes; /* to be fixed */
	struct users_limits limits;
	const char *note;
};

/* What users_put() came to. */
enum users_put { USERS_UNCHANGED, USERS_CHANGED, USERS_ADDED };

/*
 * Changes a user who is there. Prefixes that are fixed take the place of those before; the lease
 * that was active becomes dormant, and what the user has of them as leases becomes free.
 * USERS_OVERLAP as for users_add().
 */
enum users_result users_set(struct users *users, const struct users_record *record,
			    char other[static DTCP_USER_MAX + 1]);

/*
 * Between users_together() and users_together_end(), which notes all or, if not keep, nothing: adds
 * a user, who needs a password (USERS_NOT_FOUND without one), or changes one who is there. After
 * USERS_FAILED there is nothing to keep.
 */
enum users_result users_together(struct users *users);
enum users_result users_put(struct users *users, const struct users_record *record,
			    enum users_put *did, char other[static DTCP_USER_MAX + 1]);
enum users_result users_together_end(struct users *users, bool keep);

/* Whether the limits of a user have room for that. */
bool users_allows_type(const struct users_limits *limits, enum tunnel_type type);
bool users_allows_transport(const struct users_limits *limits, enum users_transport transport);
bool users_is_expired(const struct users_limits *limits, int64_t now);

/*
 * *when becomes the first time after that one, in seconds since 1970, at which an account expires;
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
 * Whether somebody has (part of) this prefix: USERS_OVERLAP with the name in other, USERS_OK where
 * nobody has.
 */
enum users_result users_overlaps(struct users *users, const struct prefix6 *prefix,
				 char other[static DTCP_USER_MAX + 1]);

/* What belongs to a user. Of leases of each kind, one is active at most. */
struct users_block {
	char user[DTCP_USER_MAX + 1];
	bool host;   /* an address of a host tunnel, not a prefix of a network tunnel */
	bool fixed;  /* by the administrator, else a lease */
	bool active; /* else dormant: it did not fit the settings at the last login */
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
 * Sets leases of a user free, dormant or not: one of them, or all if lease is NULL. USERS_NO_LEASE
 * if there is none; what was fixed is not one.
 */
enum users_result users_drop_lease(struct users *users, const char *name,
				   const struct prefix6 *lease);

/*
 * How many leases there are, dormant or not, that users_lease_network() and users_lease_host()
 * would not give to anybody with these pools (NULL: none), whatever is reserved. Reads all of them.
 */
enum users_result users_count_outside(struct users *users, const struct prefix6 *pool,
				      uint8_t length, const struct prefix6 *host_prefix,
				      size_t *count);

/*
 * From here on no lease has a part of these prefixes, which are copied, and a lease that has one is
 * replaced by another when its user asks for it. False if memory is short: then it is as before.
 */
bool users_reserve(struct users *users, const struct prefix6 reserved[], size_t n);

/* Whether all of the prefix is reserved by one of them. */
bool users_is_reserved(const struct users *users, const struct prefix6 *prefix);

/*
 * The prefixes of a user, as users_find() has filled it, for a network tunnel: the fixed ones, else
 * the active lease if that still fits pool and length, else a dormant one that does, else a new one
 * out of pool that overlaps nobody's and is not the pool's first (which is the server's own). The
 * lease that was active before becomes dormant. One that others had before is given out as late as
 * possible. pool may be NULL: then only a fixed one will do.
 * USERS_OK: they are in user->networks. USERS_FULL: none is left, or there is no pool.
 * USERS_NOT_FOUND: the user was deleted meanwhile.
 */
enum users_result users_lease_network(struct users *users, struct user *user,
				      const struct prefix6 *pool, uint8_t length);

/*
 * The same for the address of a user, in user->host, out of the /64 host_prefix: not ::0 and not
 * ::1 (which is the server's own).
 */
enum users_result users_lease_host(struct users *users, struct user *user,
				   const struct prefix6 *host_prefix);

/*
 * How much is in use, counted in pieces, so that logins are not kept waiting: a piece is some
 * hundred rows. What changes meanwhile counts or does not.
 */
struct users_usage {
	uint64_t users;
	uint64_t network; /* prefixes in the pool, and addresses in the host prefix, that users */
	uint64_t host;	  /* have: active, dormant or fixed, of any length */
	/* private */
	unsigned int step;
	int64_t last_user;
	struct in6_addr last;
};

/* Begins anew; goes on until *done. pool and host_prefix may be NULL: there is none. */
void users_usage_begin(struct users_usage *usage);
enum users_result users_usage_go_on(struct users *users, struct users_usage *usage,
				    const struct prefix6 *pool, const struct prefix6 *host_prefix,
				    bool *done);

/*
 * From here on all calls see the database as it is at the first of them, and look for the file,
 * lock and unlock it once, until users_snapshot_end() or one that writes. False if that was so
 * already: then nothing can have changed.
 */
bool users_snapshot_begin(struct users *users);
void users_snapshot_end(struct users *users);

/*
 * To wait for the disk once for many leases: from here on new ones are noted together, and count
 * only when users_flush() has returned USERS_OK. Until then others cannot write.
 */
void users_gather(struct users *users);

/* Whether there are leases that do not count yet. */
bool users_gathered(const struct users *users);

/* Notes them. USERS_FAILED: none of them counts. Others are gathered from here on. */
enum users_result users_flush(struct users *users);

/*
 * Calls each() for every user that others have changed or deleted since the last call: in password
 * or addresses, not by a new lease of its own. USERS_EVERYBODY stands for all users: at the first
 * call, for a file that was replaced, after more changes than are noted. Cheap if nothing has
 * changed: reads no table. Where each() returns false, and where the database cannot be read
 * (USERS_FAILED), the rest is told by the next call.
 */
enum { USERS_EVERYBODY = 0 };
enum users_result users_changes(struct users *users, bool (*each)(int64_t id, void *arg),
				void *arg);

#endif
