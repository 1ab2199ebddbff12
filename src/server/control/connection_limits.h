/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Limits the number of connections, and selects the one to drop when there are too many.
 *
 * A connection is pending until its login has succeeded, and again when its session is over. A new
 * connection is accepted as long as there is a pending one to drop for it:
 *
 * - one from the same address, if that has too many;
 * - otherwise one from the address that has most of them, so that a flood displaces itself;
 * - otherwise, if no address has more than a few, one whose login has failed, so that distributed
 *   guessing does not displace users who know their password;
 * - among equals the oldest, so that quick clients succeed: a login takes less time than a flood
 *   needs to cycle through all connections.
 *
 * Connections with a session are never dropped, nor are those whose login is being checked:
 * dropping one of these would waste the work, and the client would only come back. Nor, unless its
 * address has more than a few, is one that has not had the time to send anything yet. If there are
 * only such connections, new ones wait in the kernel.
 *
 * Pure: keeps lists of connections that the caller owns.
 */
#ifndef DTCP_SERVER_CONTROL_CONNECTION_LIMITS_H
#define DTCP_SERVER_CONTROL_CONNECTION_LIMITS_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

struct connection_limits_config {
	uint32_t connections;	     /* in total */
	uint32_t pending;	     /* of these */
	uint32_t source_connections; /* from one address */
	uint32_t source_pending;     /* of these */
};

struct connection_limits_source;

/* A connection's place; the caller's memory, as long as the connection is counted. */
struct connection_limits_place {
	void *owner;
	/* private */
	struct connection_limits_source *source;
	bool pending;
	bool spoiled;
	bool working;  /* its login is being checked */
	int64_t since; /* milliseconds, when it was accepted */
	TAILQ_ENTRY(connection_limits_place)
	next; /* of its source, with or without a failed login; unless working */
	TAILQ_ENTRY(connection_limits_place) next_spoiled; /* of all with a failed login */
};

enum connection_limits_answer {
	CONNECTION_LIMITS_ENTER,  /* accept it */
	CONNECTION_LIMITS_DROP,	  /* drop the selected one, and ask again */
	CONNECTION_LIMITS_REFUSE, /* there is none to drop */
};

struct connection_limits;

/*
 * config must stay valid and may change. sources: largest number of addresses at a time, which is
 * the largest number of connections. key is secret. NULL if memory is short.
 */
struct connection_limits *connection_limits_new(const struct connection_limits_config *config,
						uint32_t sources, const uint64_t key[static 2]);
void connection_limits_free(struct connection_limits *limits);

/*
 * Milliseconds until the next connection may be accepted, from any address: 0 if it can be accepted
 * now, or will be refused.
 */
int64_t connection_limits_wait(const struct connection_limits *limits, int64_t now);

/*
 * Whether a connection from this address can be accepted. *drop: the one to drop first. *why: the
 * limit that was reached, as the name of its setting.
 */
enum connection_limits_answer connection_limits_ask(const struct connection_limits *limits,
						    struct in_addr addr,
						    struct connection_limits_place **drop,
						    const char **why);

/*
 * Counts a connection as pending, until connection_limits_leave(). Only after
 * CONNECTION_LIMITS_ENTER.
 */
void connection_limits_enter(struct connection_limits *limits,
			     struct connection_limits_place *place, struct in_addr addr,
			     void *owner, int64_t now);
void connection_limits_leave(struct connection_limits *limits,
			     struct connection_limits_place *place);

/* Whether it has a session. */
void connection_limits_settle(struct connection_limits *limits,
			      struct connection_limits_place *place);
void connection_limits_unsettle(struct connection_limits *limits,
				struct connection_limits_place *place);

/* Whether its login is being checked. No effect on one with a session. */
void connection_limits_work(struct connection_limits *limits,
			    struct connection_limits_place *place);
void connection_limits_rest(struct connection_limits *limits,
			    struct connection_limits_place *place);

/* A login on it has failed. No effect on one with a session. */
void connection_limits_spoil(struct connection_limits *limits,
			     struct connection_limits_place *place);

/* The pending connection to drop first; NULL: none. */
struct connection_limits_place *connection_limits_worst(const struct connection_limits *limits);

uint32_t connection_limits_count(const struct connection_limits *limits);
uint32_t connection_limits_pending(const struct connection_limits *limits);

#endif
