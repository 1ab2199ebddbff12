/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which sessions there are: one slot an id, from the moment a login is being checked until accounts
 * has been told of the end. Control's own table; forward's is another one, of addresses.
 */
#ifndef DTCP_SERVER_CONTROL_SESSIONS_H
#define DTCP_SERVER_CONTROL_SESSIONS_H

#include "base/hash.h"
#include "forward/dialog.h"
#include "proto/message.h"

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

struct client; /* a connection, server/control/client.h */

enum slot_state {
	SLOT_CHECK, /* accounts looks at the login */
	SLOT_ADD,   /* monitor holds resources for it; forward takes it in */
	SLOT_UP,
};

struct server_session {
	uint32_t id;
	enum slot_state state;
	uint64_t number;       /* of its login: the higher, the newer */
	struct client *client; /* NULL: its connection went while the login was being checked */
	int64_t user;	       /* not valid before SLOT_ADD */
	struct in_addr peer;   /* the connection's; over UDP packets can come from elsewhere */
	bool udp;
	uint8_t type;	/* enum tunnel_type */
	bool path_dead; /* protocol 41: forward has said so */
	int64_t since;	/* milliseconds, when it came up */
	/* What only those who ask want to know. */
	bool path_alive;	       /* the same */
	uint16_t port;		       /* over UDP, where the client was found; 0: not yet */
	struct in_addr place;	       /* the same: its address; not valid without a port */
	struct prefix6_packed *routed; /* tunnelonly: the prefixes that are led to it; owned */
	uint64_t kernel_before; /* octets that the kernel has counted for this id until then */
	/* private, from sessions_grant() on */
	struct hash_node by_user;
	struct hash_node by_peer; /* protocol 41 only */
};

struct sessions;

/* Room for max ids. key is secret. NULL where memory is short. */
struct sessions *sessions_new(uint32_t max, const uint64_t key[static 2]);
void sessions_free(struct sessions *sessions);

/* A slot with a free id, otherwise zero; NULL where there is none. */
struct server_session *sessions_take(struct sessions *sessions);

/* The login was good: SLOT_ADD for that user. peer and udp have been set, and stay. */
void sessions_grant(struct sessions *sessions, struct server_session *session, int64_t user);

/* Gives the slot back. */
void sessions_release(struct sessions *sessions, struct server_session *session);

/* The slot in use with that id, or NULL. */
struct server_session *sessions_get(struct sessions *sessions, uint32_t id);

/* What forward has been told of that id, by whichever session has or had it; NULL: out of range. */
struct dialog *sessions_dialog(struct sessions *sessions, uint32_t id);

/* A session of the same user whose login came before, NULL for none. Of those that are granted. */
struct server_session *sessions_older(const struct sessions *sessions,
				      const struct server_session *session);

/* The granted session with protocol 41 from that address, other than except; NULL for none. */
struct server_session *sessions_by_peer(const struct sessions *sessions, struct in_addr peer,
					const struct server_session *except);

/* Ids at and above it have never been used. */
uint32_t sessions_top(const struct sessions *sessions);

/* How many are granted: in SLOT_ADD and SLOT_UP. */
uint32_t sessions_count(const struct sessions *sessions);

#endif
