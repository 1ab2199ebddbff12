/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How many connections there may be, and which one has to go when there are too many.
 *
 * A connection is pending until its login has succeeded, and again when its session is over. A
 * newcomer is not turned away while there is a pending one to be dropped for it:
 *
 * - one from the same address, if that has too many;
 * - else one from the address that has most of them, so that who floods displaces themselves;
 * - else, if no address has more than a few, one whose login has failed, so that guessing from
 *   everywhere does not displace those who know their password;
 * - of all that are alike the oldest, so that who is quick gets through: a login takes less time
 *   than a flood needs to go round.
 *
 * Connections with a session are never dropped, nor are those whose login is being looked into: to
 * drop one of these for a newcomer would be to do the same work twice and nothing of it in the end.
 * Nor, unless its address has more than a few, one that has not had the time to say anything yet.
 * If only such connections are there, newcomers wait in the kernel until one of them is through.
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
	uint32_t connections;	     /* in all */
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
	bool working;  /* its login is looked into */
	int64_t since; /* milliseconds, when it came */
	TAILQ_ENTRY(connection_limits_place)
	next; /* of its source, spoiled or not; unless working */
	TAILQ_ENTRY(connection_limits_place) next_spoiled; /* of all that are */
};

enum connection_limits_answer {
	CONNECTION_LIMITS_ENTER,  /* let it in */
	CONNECTION_LIMITS_DROP,	  /* drop the one named, and ask again */
	CONNECTION_LIMITS_REFUSE, /* there is none that could be dropped */
};

struct connection_limits;

/*
 * config must stay valid and may change. sources: how many addresses can be there at a time, which
 * is the largest number of connections that there will ever be. key is secret. NULL if memory
 * is short.
 */
struct connection_limits *connection_limits_new(const struct connection_limits_config *config,
						uint32_t sources, const uint64_t key[static 2]);
void connection_limits_free(struct connection_limits *limits);

/*
 * Milliseconds until a connection may be let in, wherever it comes from: 0 if one may now, or will
 * be refused.
 */
int64_t connection_limits_wait(const struct connection_limits *limits, int64_t now);

/*
 * Is there room for a connection from there? *drop: the place to be left first. *why: the limit in
 * the way, as the operator knows it.
 */
enum connection_limits_answer connection_limits_ask(const struct connection_limits *limits,
						    struct in_addr addr,
						    struct connection_limits_place **drop,
						    const char **why);

/* Counts a connection, pending; its place must be left again. After CONNECTION_LIMITS_ENTER only.
 */
void connection_limits_enter(struct connection_limits *limits,
			     struct connection_limits_place *place, struct in_addr addr,
			     void *owner, int64_t now);
void connection_limits_leave(struct connection_limits *limits,
			     struct connection_limits_place *place);

/* It has a session now, or no longer. */
void connection_limits_settle(struct connection_limits *limits,
			      struct connection_limits_place *place);
void connection_limits_unsettle(struct connection_limits *limits,
				struct connection_limits_place *place);

/* Its login is looked into now, or no longer. One with a session is not changed. */
void connection_limits_work(struct connection_limits *limits,
			    struct connection_limits_place *place);
void connection_limits_rest(struct connection_limits *limits,
			    struct connection_limits_place *place);

/* A login has failed on it. It stays what it is otherwise; one with a session is not changed. */
void connection_limits_spoil(struct connection_limits *limits,
			     struct connection_limits_place *place);

/* The pending connection that is the first to go, NULL for none. */
struct connection_limits_place *connection_limits_worst(const struct connection_limits *limits);

uint32_t connection_limits_count(const struct connection_limits *limits);
uint32_t connection_limits_pending(const struct connection_limits *limits);

#endif
