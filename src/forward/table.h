/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The session table: who is where, outside and inside. Everything by which packets are forwarded is
 * asked here, and an observer can keep an exact copy of it, as for a second data plane.
 *
 * Inside, the longest matching prefix counts, and of several sessions that have it the newest. The
 * prefixes of sessions on a device of their own are no routes: those devices have one session each.
 * On the server prefixes are remembered when their session goes, as assigned but down.
 */
#ifndef DTCP_FORWARD_TABLE_H
#define DTCP_FORWARD_TABLE_H

#include "forward/msg.h"
#include "forward/pmtu.h"

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

struct plane_session;
struct session;
struct table;

/*
 * Where a peer's packets come from. The port is 0 if the transport has none, and with UDP until it
 * has been learned: the session is unlearned then, and no packet goes to it.
 */
struct table_peer {
	enum forward_transport transport;
	struct in_addr address;
	uint16_t port; /* host byte order */
};

enum table_match {
	TABLE_UNKNOWN, /* never assigned */
	TABLE_DOWN,    /* assigned to somebody who is not here */
	TABLE_UP,
};

/* NULL if memory is short. On a client no prefix is a route and none is remembered. */
struct table *table_new(bool server, uint32_t sessions_max, const uint64_t key[static 2]);

/* Also frees the sessions; the observer hears nothing. */
void table_free(struct table *table);

/* --- the observer --------------------------------------------------------------------------- */

/*
 * Hears, as soon as a change is complete, of each key whose answer it may have changed, and asks
 * the table for the new one. It must not change the table itself. How many keys a change names does
 * not grow with the number of sessions, and neither does the cost of an answer, except that
 * table_by_peer() looks at all sessions of that peer.
 *
 * Whoever keeps the answers for all keys that were named has a copy of the table:
 * - A packet from outside belongs to the newest session of its peer. If its inner source is not
 *   that session's, it may be another one's with this peer, or that of one still to be learned:
 *   decap.c decides.
 * - A packet from the shared device goes to the session of the longest prefix that has its
 *   destination, or to nobody if that prefix is down.
 * - A packet from any other device, and on a client from its only one, goes to the newest session
 *   of that device (device.h), of which the table knows nothing.
 */
struct table_observer {
	/*
	 * table_by_id() and the facts below: the session has been added or removed, or some of its
	 * facts have changed. Before an id is used again, its removal has been told.
	 */
	void (*session)(const struct table *table, uint32_t id, void *arg);
	/*
	 * table_by_peer() and table_at_peer(): also when one that is not the newest comes or goes.
	 * Never for the peer of unlearned sessions.
	 */
	void (*peer)(const struct table *table, const struct table_peer *peer, void *arg);
	/* table_by_prefix(). */
	void (*prefix)(const struct table *table, const struct prefix6 *prefix, void *arg);
};

/*
 * From now on this one hears of all changes, after it has been told of everything that is there. It
 * stays the caller's. NULL: none.
 */
void table_observe(struct table *table, const struct table_observer *observer, void *arg);

/* --- changes -------------------------------------------------------------------------------- */

/*
 * Adds a session, which is not up yet. Its prefixes lead to it at once, also those that an older
 * session still has; when it goes, they go back to the newest that is left. Returns 0, -EINVAL (a
 * field out of range), -EEXIST (id or session number in use), -EADDRINUSE (peer in use) or -ENOMEM;
 * on failure no session has changed.
 *
 * On the server several UDP sessions can have one peer: the older session of a user who has logged
 * in again, one whose NAT mapping has gone to another client, or one that somebody has moved there
 * with a forged source address.
 */
int table_add(struct table *table, const struct forward_session *config, struct session **out);

/* Control knows that the session is there, and its packets pass. */
void table_set_up(struct table *table, struct session *session);

/*
 * A UDP session of the server has this peer, and is the newest that has it; proven: nobody needs to
 * doubt that it is there. Nothing is known of the path to a new one. True if it had another peer
 * before.
 */
bool table_change_peer(struct table *table, struct session *session, const struct table_peer *peer,
		       bool proven);

/* The path to the session's peer takes no more than mtu octets: pmtu_lower(). */
void table_lower_pmtu(struct table *table, struct session *session, uint32_t mtu, uint64_t now);

/* Removes and frees it. */
void table_remove(struct table *table, struct session *session);

/* A prefix of somebody who has no session now. Returns 0, -EINVAL or -ENOMEM. */
int table_assign(struct table *table, const struct prefix6 *prefix);

/* --- the facts of a session ----------------------------------------------------------------- */

/* As it was added: never changes. */
const struct forward_session *session_config(const struct session *session);

const struct table_peer *session_peer(const struct session *session);

/* Packets pass, both ways. */
bool session_is_up(const struct session *session);

/* False with UDP as long as its port is not known: then nothing can be sent to it. */
bool session_is_learned(const struct session *session);

/*
 * The peer's address is proven. Until then what goes there is limited by what has come from there
 * (proof.h): whoever does not count both must neither send to it nor take packets from it.
 */
bool session_is_proven(const struct session *session);

/* What the path takes; the caller sees to its age, by pmtu_get(). */
const struct pmtu *session_pmtu(const struct session *session);

/* What the data plane keeps for the session besides (plane_session.h): no fact of the table. */
struct plane_session *session_plane(struct session *session);

/* --- looking up ----------------------------------------------------------------------------- */

/* NULL if there is none. */
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

/* Whose an address is, by the longest prefix. *out is set with TABLE_UP only, here and below. */
enum table_match table_by_address(const struct table *table, const struct in6_addr *address,
				  struct session **out);

/* Whose a packet is for which there is no longer prefix than this one. */
enum table_match table_by_prefix(const struct table *table, const struct prefix6 *prefix,
				 struct session **out);

#endif
