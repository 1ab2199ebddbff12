/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How many connections there may be, and which one has to go when there are too many.
 *
 * A connection is pending until its login has succeeded, and again when its session is over. A
 * newcomer is not turned away while there is a pending one to be dropped for it:
 *
 * - one from the same address, if that has too many;
 * - else one from the address that has most of them, so that who floods displaces themselves;
 * - else, where no address has more than a few, one whose login has failed, so that guessing from
 *   everywhere does not displace those who know their password;
 * - of all that are alike the oldest, so that who is quick gets through: a login takes less time
 *   than a flood needs to go round.
 *
 * Connections with a session are never dropped.
 *
 * Pure: keeps lists of connections that the caller owns.
 */
#ifndef DTCP_SERVER_CROWD_H
#define DTCP_SERVER_CROWD_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

struct crowd_config {
	uint32_t connections;	     /* in all */
	uint32_t pending;	     /* of these */
	uint32_t source_connections; /* from one address */
	uint32_t source_pending;     /* of these */
};

struct crowd_source;

/* A connection's place; the caller's memory, as long as the connection is counted. */
struct crowd_place {
	void *owner;
	/* private */
	struct crowd_source *source;
	bool pending;
	bool spoiled;
	TAILQ_ENTRY(crowd_place) next;	       /* of its source, spoiled or not */
	TAILQ_ENTRY(crowd_place) next_spoiled; /* of all that are */
};

enum crowd_answer {
	CROWD_ENTER,  /* let it in */
	CROWD_DROP,   /* drop the one named, and ask again */
	CROWD_REFUSE, /* only sessions are there */
};

struct crowd;

/*
 * config must stay valid and may change. sources: how many addresses can be there at a time, which
 * is the largest number of connections that there will ever be. key is secret. NULL where memory
 * is short.
 */
struct crowd *crowd_new(const struct crowd_config *config, uint32_t sources,
			const uint64_t key[static 2]);
void crowd_free(struct crowd *crowd);

/*
 * Is there room for a connection from there? *drop: the place to be left first. *why: the limit in
 * the way, as the operator knows it.
 */
enum crowd_answer crowd_ask(const struct crowd *crowd, struct in_addr addr,
			    struct crowd_place **drop, const char **why);

/* Counts a connection, pending; its place must be left again. After CROWD_ENTER only. */
void crowd_enter(struct crowd *crowd, struct crowd_place *place, struct in_addr addr, void *owner);
void crowd_leave(struct crowd *crowd, struct crowd_place *place);

/* It has a session now, or no longer. */
void crowd_settle(struct crowd *crowd, struct crowd_place *place);
void crowd_unsettle(struct crowd *crowd, struct crowd_place *place);

/* A login has failed on it. It stays what it is otherwise; one with a session is not changed. */
void crowd_spoil(struct crowd *crowd, struct crowd_place *place);

/* The pending connection that is the first to go, NULL for none. */
struct crowd_place *crowd_worst(const struct crowd *crowd);

uint32_t crowd_count(const struct crowd *crowd);
uint32_t crowd_pending(const struct crowd *crowd);

#endif
