/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Verifies the logins that control passes on, and assigns addresses. Granted logins are checked
 * again when their user's account changes.
 */
#ifndef DTCP_SERVER_ACCOUNTS_LOGINS_H
#define DTCP_SERVER_ACCOUNTS_LOGINS_H

#include "server/msg.h"
#include "server/options.h"
#include "users/users.h"

struct logins;

struct logins_owner {
	const struct server_options *options;
	struct users *users;
	/* The result of a login, with a key that is wiped afterwards. */
	void (*answer)(const struct server_grant *grant, void *arg);
	/*
	 * The user of a granted login could no longer log in this way, or its addresses have come
	 * into use elsewhere.
	 */
	void (*revoked)(uint32_t id, enum server_why why, void *arg);
	void *arg;
};

/* owner is copied. NULL if memory is short. */
struct logins *logins_new(const struct logins_owner *owner);
void logins_free(struct logins *logins);

/*
 * Checks a login; answer() is called at once, or by logins_flush() if leases have to be written
 * before. Until logins_flush(), all logins see the database as it is now. Returns false if the
 * request is invalid (an id in use or out of range, text without an
 * end): then nothing was done.
 */
bool logins_ask(struct logins *logins, const struct server_login *login);

/*
 * Writes all leases assigned since the last call in one transaction, and calls answer(). To be
 * called before the loop waits again.
 */
void logins_flush(struct logins *logins);

/* What a login was assigned. */
struct logins_granted {
	int64_t user; /* its number in the database */
	bool numbered;
	struct in6_addr me6; /* if numbered */
	struct prefix6_set prefixes;
};

/* The request of a granted login, and what it was assigned; false if there is no such login. */
bool logins_granted(const struct logins *logins, uint32_t id, const struct server_login **asked,
		    struct logins_granted *said);

/*
 * An answered login is over; *granted tells whether it was granted. False if there is no such
 * login.
 */
bool logins_end(struct logins *logins, uint32_t id, bool *granted);

/*
 * From now on users get nothing of these prefixes, and logins that have a part of one are revoked,
 * unless an administrator fixed it. Cheap if none of them is new. False if memory is short: then
 * nothing is changed.
 */
bool logins_reserve(struct logins *logins, const struct prefix6 reserved[], size_t n);

/*
 * Checks whether users' accounts have changed or expired, and revokes the logins of those; cheap if
 * none has. To be called every second.
 */
void logins_recheck(struct logins *logins);

/* Durations from request to result. */
void logins_measured(const struct logins *logins, struct histogram *out);

/* The last error of the database that a login has met; NULL: none. */
const char *logins_trouble(const struct logins *logins);

#endif
