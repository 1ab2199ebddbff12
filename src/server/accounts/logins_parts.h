/* SPDX-License-Identifier: BSD-2-Clause */
/* What the parts of logins share. Private to server/accounts/logins*.c. */
#ifndef DTCP_SERVER_ACCOUNTS_LOGINS_PARTS_H
#define DTCP_SERVER_ACCOUNTS_LOGINS_PARTS_H

#include "base/hash.h"
#include "server/accounts/logins.h"

#include <stdbool.h>
#include <stdint.h>

/* Logins whose leases are noted together; so many does control ask about at a time. */
enum { LOGINS_BATCH = 64 };

enum login_state { LOGIN_NONE, LOGIN_ASKED, LOGIN_REFUSED, LOGIN_GRANTED };

struct login {
	enum login_state state;
	bool numbered; /* me6 was granted */
	bool fixed;    /* its prefixes, by an administrator */
	bool revoked;
	struct hash_node by_user;  /* LOGIN_GRANTED */
	struct server_login asked; /* its digest proves the password again */
	/* What it was granted; the database must still say so. */
	int64_t user;
	struct in6_addr me6;
	struct prefix6_packed *prefixes; /* owned */
	uint64_t asked_at;		 /* microseconds */
};

struct logins {
	struct logins_owner owner;
	struct login *list;  /* by id */
	struct hash by_user; /* user numbers are the database's: nobody outside can choose them */
	uint32_t top;	     /* ids at and above it have never been used */
	uint64_t changes;    /* of users, that were found */
	bool complained;     /* about the database, that it cannot be read */
	int64_t complain_at; /* ms: not before then about a lease that cannot be noted */
	int64_t looked_at;   /* seconds since 1970: what has expired by then was ended */
	int64_t next_expiry; /* and then comes the next one, 0: never */
	bool expiry_stale;   /* next_expiry is to be looked up */
	char trouble[256];   /* the last that was complained of */
	struct histogram measured;
	size_t n_later;
	struct server_grant later[LOGINS_BATCH]; /* until their leases are noted */
};

/* True if the response proves that its sender knows the password. */
bool logins_response_right(const struct server_login *login, const char *password);

/* How its tunnel is carried. */
enum users_transport logins_transport(const struct server_login *login);

/* Says once what is wrong with the database, until it is well again. */
void logins_complain(struct logins *logins);

#endif
