/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The logins that control has asked about: who it is, and which addresses that user gets. Those
 * that were granted are looked at again when their user's account changes.
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
	/* The answer to a login, with a key that is wiped afterwards. */
	void (*answer)(const struct server_grant *grant, void *arg);
	/* The user of a login that was granted could not log in like that any more, or what it has
	 * is somebody's now. */
	void (*revoked)(uint32_t id, enum server_why why, void *arg);
	void *arg;
};

/* owner is copied. NULL if memory is short. */
struct logins *logins_new(const struct logins_owner *owner);
void logins_free(struct logins *logins);

/*
 * Looks into a login; answer() is called at once, or by logins_flush() if there are leases to be
 * noted before. Until logins_flush(), all logins see the database as it is now. Returns false if
 * control has asked for something that cannot be (an id in use or out of range, text without an
 * end): then nothing was done.
 */
bool logins_ask(struct logins *logins, const struct server_login *login);

/*
 * Waits for the disk, once for all leases that were given out since the last call, and answers. To
 * be called before the loop waits again.
 */
void logins_flush(struct logins *logins);

/* What a login was given. */
struct logins_granted {
	int64_t user; /* its number in the database */
	bool numbered;
	struct in6_addr me6; /* if it is */
	struct prefix6_set prefixes;
};

/* What a login asked for that was granted, and what it got; false if there is no such login. */
bool logins_granted(const struct logins *logins, uint32_t id, const struct server_login **asked,
		    struct logins_granted *said);

/*
 * A login that was answered is over; *granted says whether it was granted. False if there is no
 * such login.
 */
bool logins_end(struct logins *logins, uint32_t id, bool *granted);

/*
 * From here on users get nothing of these prefixes, and logins that have been given a part of one
 * are revoked, unless an administrator fixed it. Cheap if there is nothing new among them. False if
 * memory is short: then it is as before.
 */
bool logins_reserve(struct logins *logins, const struct prefix6 reserved[], size_t n);

/*
 * Looks whether users' accounts have changed or expired, and revokes the logins of those that have;
 * cheap if none has. To be called every second.
 */
void logins_recheck(struct logins *logins);

/* How long answers took, from the question on. */
void logins_measured(const struct logins *logins, struct histogram *out);

/* What is wrong with the database, as logins have found lately; NULL: nothing. */
const char *logins_trouble(const struct logins *logins);

#endif
