/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The session table: who is where, outside and inside. All knowledge of sessions goes through
 * these functions, so that a second data plane can be fed from here as well.
 *
 * Inside, the longest matching prefix counts, and of several sessions that have it the newest. The
 * prefixes of sessions on a device of their own are no routes: those devices have one session each.
 * On the server prefixes are remembered when their session goes, as assigned but down.
 */
#ifndef DTCP_FORWARD_TABLE_H
#define DTCP_FORWARD_TABLE_H

#include "base/hash.h"
#include "base/rate.h"
#include "forward/icmp6.h"
#include "forward/msg.h"
#include "forward/pmtu.h"
#include "forward/proof.h"

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

struct device;
struct keepalive;
struct probing;
struct table;

/*
 * Where a peer's packets come from. The port is 0 where the transport has none, and with UDP where
 * it has not been learned: then the session is unlearned, and no packet goes to it.
 */
struct table_peer {
	enum forward_transport transport;
	struct in_addr address;
	uint16_t port; /* host byte order */
};

/* A session that has a route's prefix. */
struct table_claim {
	TAILQ_ENTRY(table_claim) next;
	struct session *session;
};

struct session {
	struct forward_session config;
	struct table_peer peer;
	struct pmtu pmtu;
	/* The room's: */
	struct device *device;
	TAILQ_ENTRY(session) on_device;
	uint64_t added;		     /* when, in milliseconds */
	struct rate reports;	     /* of moves, to control */
	struct icmp6_limit icmp6;    /* about packets to it */
	bool announced;		     /* control knows that it is up */
	struct probing *probing;     /* on a client only */
	struct keepalive *keepalive; /* protocol 41, if the ends of its link are known */
	/* On the server, UDP: counters of its probes, 0 before the first; and when that came. */
	uint64_t hello_counter;
	uint64_t answer_counter;
	uint64_t hello_at; /* milliseconds */
	struct proof proof;
	/* The table's: */
	uint64_t settled; /* the higher, the later it came to its peer, or said that it is there */
	struct hash_node by_peer;
	struct hash_node by_name;
	struct table_claim claims[FORWARD_PREFIXES_MAX]; /* one for each of its prefixes */
};

enum table_match {
	TABLE_UNKNOWN, /* never assigned */
	TABLE_DOWN,    /* assigned to somebody who is not here */
	TABLE_UP,
};

/* NULL where memory is short. On a client no prefix is a route and none is remembered. */
struct table *table_new(bool server, uint32_t sessions_max, const uint64_t key[static 2]);
void table_free(struct table *table);

/*
 * Adds a session. Its prefixes lead to it at once, also those that an older session still has;
 * when it goes, they go back to the newest that is left. Returns 0, -EINVAL (a field out of range),
 * -EEXIST (id or session number in use), -EADDRINUSE (peer in use) or -ENOMEM; on failure no
 * session has changed.
 *
 * On the server several UDP sessions can have one peer: the older session of a user who has logged
 * in again, one whose NAT mapping has gone to another client, or one that somebody has moved there
 * with a forged source address.
 */
int table_add(struct table *table, const struct forward_session *config, struct session **out);

/*
 * A UDP session of the server has this peer, and is the newest that has it. True where it had
 * another one before.
 */
bool table_change_peer(struct table *table, struct session *session, const struct table_peer *peer);

/* Removes and frees it. */
void table_remove(struct table *table, struct session *session);

/* A prefix of somebody who has no session now. Returns 0, -EINVAL or -ENOMEM. */
int table_assign(struct table *table, const struct prefix6 *prefix);

/* NULL where there is none. */
struct session *table_by_id(const struct table *table, uint32_t id);
struct session *table_by_name(const struct table *table, uint64_t name);

/*
 * The newest session of this peer. NULL for the peer of unlearned sessions: a datagram can come
 * from port 0, but not from one of those.
 */
struct session *table_by_peer(const struct table *table, const struct table_peer *peer);

/*
 * All sessions of this peer one after the other, in no order, the first with after NULL. With UDP
 * and port 0: the unlearned ones of this address.
 */
struct session *table_at_peer(const struct table *table, const struct table_peer *peer,
			      const struct session *after);

/* *out is set with TABLE_UP only. */
enum table_match table_by_address(const struct table *table, const struct in6_addr *address,
				  struct session **out);

#endif
