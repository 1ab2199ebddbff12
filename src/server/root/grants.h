/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What monitor has granted: who may log in, with which addresses, and the interfaces and routes
 * that belong to the sessions. Root's side.
 */
#ifndef DTCP_SERVER_ROOT_GRANTS_H
#define DTCP_SERVER_ROOT_GRANTS_H

#include "server/msg.h"
#include "server/options.h"
#include "server/root/links.h"
#include "users/users.h"

struct grants;

/* What a grant needs of monitor. */
struct grants_owner {
	const struct server_options *options;
	struct links *links;
	struct users *users;
	/* The session's user is gone, or has another password or other addresses. */
	void (*revoked)(uint32_t id, void *arg);
	/* The verdict on a login that had to wait. NULL: none waits. */
	void (*decided)(const struct server_verdict *verdict, void *arg);
	void *arg;
};

/* The result of a verdict that is told by decided(), at the next grants_flush(). */
enum { GRANTS_LATER = 0 };

/* owner is copied. NULL where memory is short. */
struct grants *grants_new(const struct grants_owner *owner);
void grants_free(struct grants *grants);

/*
 * Decides on a login and makes what it needs. Returns false where control has asked for something
 * that cannot be (an id in use or out of range, text without an end): then nothing was done.
 */
bool grants_login(struct grants *grants, const struct server_login *login,
		  struct server_verdict *verdict);

/*
 * Waits for the disk, once for all the leases that were given out since the last call, and tells
 * the verdicts on these logins.
 */
void grants_flush(struct grants *grants);

/* Takes back what a session had. False where there is no such session. */
bool grants_logout(struct grants *grants, uint32_t id);

/* How many sessions have been granted and not ended. */
uint32_t grants_count(const struct grants *grants);

/*
 * Looks whether users' accounts have changed, and revokes the sessions of those that have; cheap if
 * none has.
 */
void grants_recheck(struct grants *grants);

#endif
