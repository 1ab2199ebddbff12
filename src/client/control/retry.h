/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Decides which server is tried next, and when. The servers are tried in rounds: each once, the one
 * that worked last first. A round in which none accepted the login is followed by a delay, which
 * grows with every such round. Pure: failures and the time are arguments; it knows nothing of
 * sessions.
 */
#ifndef DTCP_CLIENT_CONTROL_RETRY_H
#define DTCP_CLIENT_CONTROL_RETRY_H

#include "client/exits.h"
#include "client/msg.h"
#include "proto/reason.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Seconds between rounds of attempts: from the first, doubling, to the last. */
#define RETRY_MIN 1
#define RETRY_MAX 60

/*
 * After a lost session, the first attempt comes after a random time between these, so that the
 * clients of a restarted server do not all come at once.
 */
#define RETRY_SPREAD_MIN_MS 500
#define RETRY_SPREAD_MAX_MS 3000

/* Smallest interval between attempts that a change of the network has triggered. */
#define RETRY_HURRY_MS 5000

struct retry_server {
	bool tried;	    /* in this round */
	int64_t rest_until; /* no attempt before: a quick retry cannot change its last answer */
};

struct retry {
	size_t n_servers;
	uint32_t (*random)(uint32_t n); /* a random number below n */
	struct retry_server servers[CLIENT_SERVERS_MAX];
	size_t current;	     /* the server of this attempt or session */
	size_t home;	     /* the one that worked last, where each round begins */
	unsigned int rounds; /* failed rounds since a session was last up for long */
	bool hopeless;	     /* no failure of this round can be changed by a quick retry */
	int64_t hurried;     /* when a network change last triggered an attempt */
};

/* How an attempt or a session at the current server has ended. */
struct retry_failure {
	enum client_exit status; /* CLIENT_LOCAL: not the server's failure */
	enum dtcp_reason said;	 /* by the server, otherwise REASON_OTHER */
	int64_t up_since;	 /* of the session; -1: it was not up */
	bool otherwise; /* the server can be tried over another transport, after the remaining ones
			 */
};

/* What follows. */
struct retry_verdict {
	bool next;	/* try the current server at once; otherwise after a delay */
	bool hopeless;	/* a quick retry cannot help */
	int64_t pause;	/* milliseconds */
	uint32_t about; /* seconds, for the log; 0: RETRY_SPREAD_MAX_MS at most */
};

void retry_init(struct retry *retry, size_t n_servers, uint32_t (*random)(uint32_t n));

/* Decides what follows a failure; current is the server of the next attempt, if that is at once. */
struct retry_verdict retry_failed(struct retry *retry, const struct retry_failure *failure,
				  int64_t now);

/* The delay is over: begins a round, with the server that worked last unless it has to wait. */
void retry_begin(struct retry *retry, int64_t now);

/* A session is up: the next round begins with its server. */
void retry_succeeded(struct retry *retry);

/* The network has changed: earlier failures no longer count. */
void retry_moved(struct retry *retry);

/* On request: forgets earlier failures of all servers. */
void retry_forget(struct retry *retry);

/*
 * The network has changed during a delay, which may make an attempt succeed. True if a round begins
 * now; otherwise the delay may end earlier.
 */
bool retry_hurry(struct retry *retry, int64_t now, int64_t *pause_end);

#endif
