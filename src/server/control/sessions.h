/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The table of sessions: one slot for each id, from the moment a login is being checked until
 * accounts has been told of the end. It belongs to control; forward has another table, of
 * addresses.
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
	SLOT_CHECK, /* accounts checks the login */
	SLOT_ADD,   /* the root process has set it up; forward adds it */
	SLOT_UP,
};

struct server_session {
	uint32_t id;
	enum slot_state state;
	uint64_t number;       /* of its login: higher is newer */
	struct client *client; /* NULL: its connection closed while the login was being checked */
	int64_t user;	       /* not valid before SLOT_ADD */
	struct in_addr peer;   /* of the connection; over UDP packets can have another source */
	bool udp;
	uint8_t type;	/* enum tunnel_type */
	bool path_dead; /* protocol 41: reported by forward */
	int64_t since;	/* milliseconds, when it came up */
	/* For the control socket only: */
	bool path_alive;	       /* the same */
	uint16_t port;		       /* over UDP, the client's port; 0: not found yet */
	struct in_addr place;	       /* over UDP, the client's address; valid only with a port */
	struct prefix6_packed *routed; /* tunnelonly: the prefixes routed to it; owned */
	uint64_t kernel_before;	       /* the kernel's octet count of this id before the session */
	/* private, from sessions_grant() on */
	struct hash_node by_user;
	struct hash_node by_peer; /* protocol 41 only */
};

struct sessions;

/* max: number of ids. key is secret. NULL if memory is short. */
struct sessions *sessions_new(uint32_t max, const uint64_t key[static 2]);
void sessions_free(struct sessions *sessions);

/* A zeroed slot with a free id; NULL if there is none. */
struct server_session *sessions_take(struct sessions *sessions);

/* The login has succeeded: SLOT_ADD for that user. peer and udp must have been set, and stay. */
void sessions_grant(struct sessions *sessions, struct server_session *session, int64_t user);

/* Frees the slot. */
void sessions_release(struct sessions *sessions, struct server_session *session);

/* The slot in use with that id, or NULL. */
struct server_session *sessions_get(struct sessions *sessions, uint32_t id);

/* The state of the dialog with forward about this id, whichever session has it; NULL: out of range.
 */
struct dialog *sessions_dialog(struct sessions *sessions, uint32_t id);

/* A granted session of the same user with an earlier login; NULL: none. */
struct server_session *sessions_older(const struct sessions *sessions,
				      const struct server_session *session);

/* The granted session over protocol 41 from that address, other than except; NULL: none. */
struct server_session *sessions_by_peer(const struct sessions *sessions, struct in_addr peer,
					const struct server_session *except);

/* Ids at and above it have never been used. */
uint32_t sessions_top(const struct sessions *sessions);

/* Number of granted sessions: in SLOT_ADD and SLOT_UP. */
uint32_t sessions_count(const struct sessions *sessions);

#endif
