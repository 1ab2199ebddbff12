/* SPDX-License-Identifier: BSD-2-Clause */
/* Shared by the parts of logins. Private to server/accounts/logins*.c. */
#ifndef DTCP_SERVER_ACCOUNTS_LOGINS_PARTS_H
#define DTCP_SERVER_ACCOUNTS_LOGINS_PARTS_H

#include "base/hash.h"
#include "server/accounts/logins.h"

#include <stdbool.h>
#include <stdint.h>

/* Logins whose leases are written together; also the most that control passes on at a time. */
enum { LOGINS_BATCH = 64 };

enum login_state { LOGIN_NONE, LOGIN_ASKED, LOGIN_REFUSED, LOGIN_GRANTED };

struct login {
	enum login_state state;
	bool numbered; /* me6 was granted */
	bool fixed;    /* its prefixes, by an administrator */
	bool revoked;
	struct hash_node by_user;  /* LOGIN_GRANTED */
	struct server_login asked; /* its digest proves the password again */
	/* What it was granted; the database must still agree. */
	int64_t user;
	struct in6_addr me6;
	struct prefix6_packed *prefixes; /* owned */
	uint64_t asked_at;		 /* microseconds */
};

struct logins {
	struct logins_owner owner;
	struct login *list; /* by id */
	struct hash
		by_user;  /* user numbers come from the database: nobody outside can choose them */
	uint32_t top;	  /* ids at and above it have never been used */
	uint64_t changes; /* the last change of users that was handled */
	bool complained;  /* a database error was logged */
	int64_t complain_at; /* ms: next line about an unwritable lease not before then */
	int64_t looked_at;   /* seconds since 1970: accounts expired by then were handled */
	int64_t next_expiry; /* the next expiry; 0: never */
	bool expiry_stale;   /* next_expiry has to be looked up */
	char trouble[256];   /* the last error logged */
	struct histogram measured;
	size_t n_later;
	struct server_grant later[LOGINS_BATCH]; /* until their leases are written */
};

/* True if the response proves that its sender knows the password. */
bool logins_response_right(const struct server_login *login, const char *password);

/* How its tunnel is carried. */
enum users_transport logins_transport(const struct server_login *login);

/* Logs an error of the database once, until it works again. */
void logins_complain(struct logins *logins);

#endif
