/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How many connections there may be, and which one has to go when there are too many.
 *
 * A connection is pending until its login has succeeded, and again when its session is over. A
 * newcomer is not turned away while there is a pending one to be dropped for it: of those from the
 * same address if that has too many, else of the address that has most of them; in either case the
 * oldest. So whoever floods displaces themselves, and who is quick gets through, since a login
 * takes less time than a flood needs to go round. Connections with a session are never dropped.
 *
 * Pure: keeps lists of connections that the caller owns.
 */
#ifndef DTCP_SERVER_LIMITS_H
#define DTCP_SERVER_LIMITS_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

struct limits_config {
	uint32_t connections;	     /* in all */
	uint32_t pending;	     /* of these */
	uint32_t source_connections; /* from one address */
	uint32_t source_pending;     /* of these */
};

struct limits_source;

/* A connection's place; the caller's memory, as long as the connection is counted. */
struct limits_place {
	void *owner;
	/* private */
	struct limits_source *source;
	bool pending;
	TAILQ_ENTRY(limits_place) next;
};

enum limits_answer {
	LIMITS_ENTER,  /* let it in */
	LIMITS_DROP,   /* drop the one named, and ask again */
	LIMITS_REFUSE, /* only sessions are there */
};

struct limits;

/*
 * config must stay valid and may change. sources: how many addresses can be there at a time, which
 * is the largest number of connections that there will ever be. key is secret. NULL where memory
 * is short.
 */
struct limits *limits_new(const struct limits_config *config, uint32_t sources,
			  const uint64_t key[static 2]);
void limits_free(struct limits *limits);

/*
 * Is there room for a connection from there? *drop: the place to be left first. *why: the limit in
 * the way, as the operator knows it.
 */
enum limits_answer limits_ask(const struct limits *limits, struct in_addr addr,
			      struct limits_place **drop, const char **why);

/* Counts a connection, pending; its place must be left again. After LIMITS_ENTER only. */
void limits_enter(struct limits *limits, struct limits_place *place, struct in_addr addr,
		  void *owner);
void limits_leave(struct limits *limits, struct limits_place *place);

/* It has a session now, or no longer. */
void limits_settle(struct limits *limits, struct limits_place *place);
void limits_unsettle(struct limits *limits, struct limits_place *place);

/* The pending connection that is the first to go, NULL for none. */
struct limits_place *limits_worst(const struct limits *limits);

uint32_t limits_count(const struct limits *limits);
uint32_t limits_pending(const struct limits *limits);

#endif
