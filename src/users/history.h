/* SPDX-License-Identifier: BSD-2-Clause */
/* The record of past and present sessions. */
#ifndef DTCP_USERS_HISTORY_H
#define DTCP_USERS_HISTORY_H

#include "users/users.h"

#include <netinet/in.h>

/* Size of the reason why a session has ended. */
enum { USERS_REASON_SIZE = 48 };

/* Largest number of prefixes of a session, with its address as one of length 128. */
enum { USERS_HAD_MAX = DTCP_PREFIXES_MAX + 1 };

struct users_session {
	int64_t number; /* permanent number; 0: not recorded yet */
	int64_t user;	/* the user's number */
	char name[DTCP_USER_MAX + 1];
	uint32_t type; /* enum tunnel_type */
	bool udp;
	struct in_addr peer; /* the IPv4 address of the client's connection */
	size_t n_had;
	struct prefix6 had[USERS_HAD_MAX];
	int64_t began; /* seconds since 1970 */
	bool up;
	int64_t ended; /* this and the rest are valid only if not up */
	char reason[USERS_REASON_SIZE];
	uint64_t in_octets; /* from the client */
	uint64_t out_octets;
};

/* A session has begun, or, with ended, has ended. */
struct users_event {
	struct users_session session;
	uint32_t id; /* id chosen by the caller */
	bool ended;
	/*
	 * For a session that has ended: index, before this one, of the event of its beginning;
	 * unused if session.number is not 0.
	 */
	size_t beginning;
};

/* Closes all open sessions, which a server that has ended left behind, as of that time. */
enum users_result users_history_close(struct users *users, int64_t now);

/*
 * Records n events in one transaction, in order; sessions that have begun get their numbers. On
 * failure nothing is recorded, whatever the numbers are. Waits up to patience milliseconds for a
 * lock, even if an earlier call has waited in vain.
 */
enum users_result users_history_note(struct users *users, struct users_event events[], size_t n,
				     unsigned int patience);

/*
 * Deletes up to most sessions that ended before that time, the oldest first; *more is set if there
 * may be more.
 */
enum users_result users_history_forget(struct users *users, int64_t before, int most, bool *more);

/* Search criteria, all of which must match. */
struct users_search {
	const char *name; /* NULL: all users */
	bool has_prefix;
	struct prefix6 prefix; /* overlaps the session's prefixes or address */
	bool has_peer;
	struct in_addr peer;
	bool has_time; /* was up at some time from first to last */
	int64_t first;
	int64_t last;
};

/* Calls each() for the matching sessions, the oldest first, until it returns false. */
enum users_result users_history_search(struct users *users, const struct users_search *search,
				       bool (*each)(const struct users_session *session, void *arg),
				       void *arg);

/* The last session of a user from users_find(); USERS_NOT_FOUND if there is none. */
enum users_result users_history_last(struct users *users, const struct user *user,
				     struct users_session *session);

#endif
