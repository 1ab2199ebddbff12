/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which server is tried next, and when. The servers are tried in rounds: each once, the one that
 * worked last first. A round in which none let us in is followed by a pause, which grows with every
 * such round. Pure: failures and the time go in; knows nothing of sessions.
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
 * When a session was lost, the first attempt comes after a time of its own, anything between these,
 * so that the clients of a server that was restarted do not come all at once.
 */
#define RETRY_SPREAD_MIN_MS 500
#define RETRY_SPREAD_MAX_MS 3000

/* Attempts that a change of the network brings forward are at least that far apart. */
#define RETRY_HURRY_MS 5000

struct retry_server {
	bool tried;	    /* in this round */
	int64_t rest_until; /* no attempt before: what it said last takes time to change */
};

struct retry {
	size_t n_servers;
	uint32_t (*random)(uint32_t n); /* a random number below n */
	struct retry_server servers[CLIENT_SERVERS_MAX];
	size_t current;	     /* the server of this attempt or session */
	size_t home;	     /* the one that worked last, where each round begins */
	unsigned int rounds; /* that failed since a session was last up for long */
	bool hopeless;	     /* nothing failed in this round that a quick attempt could change */
	int64_t hurried;     /* when the network last brought an attempt forward */
};

/* What an attempt or a session at the current server has ended with. */
struct retry_failure {
	enum client_exit status; /* CLIENT_LOCAL: it says nothing of the server */
	enum dtcp_reason said;	 /* by the server, else REASON_OTHER */
	int64_t up_since;	 /* of the session; -1: it was not up */
	bool otherwise;		 /* the server can be tried in another way, after those left */
};

/* What follows. */
struct retry_verdict {
	bool next;	/* the server that is current now, at once; else a pause */
	bool hopeless;	/* time alone can help */
	int64_t pause;	/* milliseconds */
	uint32_t about; /* seconds, for the user; 0: RETRY_SPREAD_MAX_MS at most */
};

void retry_init(struct retry *retry, size_t n_servers, uint32_t (*random)(uint32_t n));

/* Decides what follows a failure; current is the server of the next attempt, if that is at once. */
struct retry_verdict retry_failed(struct retry *retry, const struct retry_failure *failure,
				  int64_t now);

/* The pause is over: begins a round, with the server that worked last if it need not rest. */
void retry_begin(struct retry *retry, int64_t now);

/* A session is up: its server is the one to begin with next time. */
void retry_succeeded(struct retry *retry);

/* The machine has moved: what has failed before it failed elsewhere. */
void retry_moved(struct retry *retry);

/* Somebody asks for another attempt: everything that is known against any server is forgotten. */
void retry_forget(struct retry *retry);

/*
 * In a pause, the network has changed, which may be what was waited for. True if a round begins
 * now; else the pause may end earlier than it was to.
 */
bool retry_hurry(struct retry *retry, int64_t now, int64_t *pause_end);

#endif
