/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The session table: the outer and inner addresses of all sessions. It decides by which session
 * packets are forwarded, and an observer can keep an exact copy of it, such as for a second data
 * plane.
 *
 * For inner addresses the longest matching prefix counts, and of several sessions with it the
 * newest. Prefixes of sessions on a device of their own are no routes, since such a device leads to
 * one session. On the server, prefixes stay known after the end of their session, as assigned but
 * down.
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
 * has been learned: until then the session is unlearned, and gets no packets.
 */
struct table_peer {
	enum forward_transport transport;
	struct in_addr address;
	uint16_t port; /* host byte order */
};

enum table_match {
	TABLE_UNKNOWN, /* never assigned */
	TABLE_DOWN,    /* assigned to a user without a session */
	TABLE_UP,
};

/* NULL if memory is short. On a client, prefixes are neither routes nor remembered. */
struct table *table_new(bool server, uint32_t sessions_max, const uint64_t key[static 2]);

/* Also frees the sessions, without telling the observer. */
void table_free(struct table *table);

/* --- the observer ------------------------------------------------------------------------- */

/*
 * Gets, once a change is complete, each key whose answer may have changed, and queries the table
 * for the new one. It must not change the table. The number of keys per change does not grow with
 * the number of sessions, nor does the cost of an answer, except that table_by_peer() walks all
 * sessions of that peer.
 *
 * An observer that keeps the answers for all these keys has a copy of the table:
 * - A packet from outside belongs to the newest session of its peer. If its inner source is not
 *   that session's, it may belong to another session with this peer, or to one still to be learned:
 *   decap.c decides.
 * - A packet from the shared device goes to the session of the longest prefix that contains its
 *   destination, or is dropped if that prefix is down.
 * - A packet from any other device, and on a client from its only one, goes to the newest session
 *   of that device (device.h), which is not part of the table.
 */
struct table_observer {
	/*
	 * table_by_id() and the facts below: the session has been added or removed, or some of its
	 * facts have changed. An id's removal is reported before it is used again.
	 */
	void (*session)(const struct table *table, uint32_t id, void *arg);
	/*
	 * table_by_peer() and table_at_peer(): also if a session other than the newest comes or
	 * goes. Never for the peer of unlearned sessions.
	 */
	void (*peer)(const struct table *table, const struct table_peer *peer, void *arg);
	/* table_by_prefix(). */
	void (*prefix)(const struct table *table, const struct prefix6 *prefix, void *arg);
};

/* Sets the observer, which first gets all existing keys. The caller owns it. NULL: none. */
void table_observe(struct table *table, const struct table_observer *observer, void *arg);

/* --- changes ------------------------------------------------------------------------------ */

/*
 * Adds a session, which is not up yet. Its prefixes are routed to it at once, even if an older
 * session has them; after its removal they are routed to the newest remaining one. Returns 0,
 * -EINVAL (a field out of range), -EEXIST (id or session number in use), -EADDRINUSE (peer in use)
 * or -ENOMEM; on failure no session has changed.
 *
 * On the server several UDP sessions can have one peer: the older session of a user who has logged
 * in again, one whose NAT mapping has passed to another client, or one that was moved there with a
 * forged source address.
 */
int table_add(struct table *table, const struct forward_session *config, struct session **out);

/* The session is up: control knows of it, and its packets pass. */
void table_set_up(struct table *table, struct session *session);

/*
 * Sets the peer of a UDP session of the server, and makes it the newest there; proven: the peer's
 * address has been verified. The path MTU of a new peer is unknown. True if the session had another
 * peer before.
 */
bool table_change_peer(struct table *table, struct session *session, const struct table_peer *peer,
		       bool proven);

/* Lowers the path MTU to the session's peer: pmtu_lower(). */
void table_lower_pmtu(struct table *table, struct session *session, uint32_t mtu, uint64_t now);

/* Removes and frees it. */
void table_remove(struct table *table, struct session *session);

/* Adds an assigned prefix without a session, as down. Returns 0, -EINVAL or -ENOMEM. */
int table_assign(struct table *table, const struct prefix6 *prefix);

/* --- the facts of a session --------------------------------------------------------------- */

/* The configuration as added: never changes. */
const struct forward_session *session_config(const struct session *session);

const struct table_peer *session_peer(const struct session *session);

/* Whether packets pass, in both directions. */
bool session_is_up(const struct session *session);

/* False with UDP until the port is known: then nothing can be sent. */
bool session_is_learned(const struct session *session);

/*
 * Whether the peer's address is proven. Until then, octets sent to it are limited by octets
 * received from it (proof.h): a data plane that does not count both must neither send to it nor
 * accept its packets.
 */
bool session_is_proven(const struct session *session);

/* The path MTU; the caller handles its expiry by pmtu_get(). */
const struct pmtu *session_pmtu(const struct session *session);

/* The data plane's state of the session (plane_session.h), which is not part of the table. */
struct plane_session *session_plane(struct session *session);

/* --- looking up --------------------------------------------------------------------------- */

/* NULL if there is none. */
struct session *table_by_id(const struct table *table, uint32_t id);
struct session *table_by_name(const struct table *table, uint64_t name);

/*
 * The newest session of this peer. NULL for the peer of unlearned sessions: a datagram can come
 * from port 0, but not from one of those.
 */
struct session *table_by_peer(const struct table *table, const struct table_peer *peer);

/*
 * Iterates over all sessions of this peer, in no order; start with after NULL. With UDP and port 0:
 * the unlearned ones of this address.
 */
struct session *table_at_peer(const struct table *table, const struct table_peer *peer,
			      const struct session *after);

/* Looks up an address by the longest prefix. *out is set only with TABLE_UP, here and below. */
enum table_match table_by_address(const struct table *table, const struct in6_addr *address,
				  struct session **out);

/* Looks up exactly this prefix. */
enum table_match table_by_prefix(const struct table *table, const struct prefix6 *prefix,
				 struct session **out);

#endif
