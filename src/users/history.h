/* SPDX-License-Identifier: BSD-2-Clause */
/* The sessions that were, and those that are up. */
#ifndef DTCP_USERS_HISTORY_H
#define DTCP_USERS_HISTORY_H

#include "users/users.h"

#include <netinet/in.h>

/* Room for why a session has ended. */
enum { USERS_REASON_SIZE = 48 };

/* Prefixes and an address of the link, the latter as one of length 128. */
enum { USERS_HAD_MAX = DTCP_PREFIXES_MAX + 1 };

struct users_session {
	int64_t number; /* its own for good; 0: not noted yet */
	int64_t user;	/* the user's number */
	char name[DTCP_USER_MAX + 1];
	uint32_t type; /* enum tunnel_type */
	bool udp;
	struct in_addr peer; /* the IPv4 address of the client's connection */
	size_t n_had;
	struct prefix6 had[USERS_HAD_MAX];
	int64_t began; /* seconds since 1970 */
	bool up;
	int64_t ended; /* the rest is not valid before */
	char reason[USERS_REASON_SIZE];
	uint64_t in_octets; /* from the client */
	uint64_t out_octets;
};

/* A session has begun, or, with ended, has ended. */
struct users_event {
	struct users_session session;
	uint32_t id; /* the caller's */
	bool ended;
	/*
	 * Of one that has ended: the place, before this one, of the event of its beginning; none if
	 * session.number is not 0.
	 */
	size_t beginning;
};

/* Closes what is still open, which nobody can end any more since the server did, at that time. */
enum users_result users_history_close(struct users *users, int64_t now);

/*
 * Notes n events as one, in their order; sessions that have begun get their numbers. If that fails
 * nothing was done, whatever the numbers are. For a lock it waits so many milliseconds, whoever has
 * waited in vain before.
 */
enum users_result users_history_note(struct users *users, struct users_event events[], size_t n,
				     unsigned int patience);

/*
 * Forgets sessions that have ended before that time, the oldest first and so many at most; *more is
 * set if as many were there.
 */
enum users_result users_history_forget(struct users *users, int64_t before, int most, bool *more);

/* Which sessions are looked for; each of them must be so. */
struct users_search {
	const char *name; /* NULL: anybody's */
	bool has_prefix;
	struct prefix6 prefix; /* had a part of it, or it was a part of what they had */
	bool has_peer;
	struct in_addr peer;
	bool has_time; /* were up at some time from first to last */
	int64_t first;
	int64_t last;
};

/* Calls each() for the sessions that were found, the oldest first, until it returns false. */
enum users_result users_history_search(struct users *users, const struct users_search *search,
				       bool (*each)(const struct users_session *session, void *arg),
				       void *arg);

/* The last session of a user as users_find() has filled it; USERS_NOT_FOUND if there is none. */
enum users_result users_history_last(struct users *users, const struct user *user,
				     struct users_session *session);

#endif
