/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A client's TCP connection: lines in and out, its timers, and its state machine
 * (server/control/conn.h). Actions of the state machine beyond the connection are passed to the
 * owner.
 */
#ifndef DTCP_SERVER_CONTROL_CLIENT_H
#define DTCP_SERVER_CONTROL_CLIENT_H

#include "server/control/conn.h"
#include "server/control/connection_limits.h"
#include "server/control/login_limits.h"
#include "server/control/sessions.h"

#include <event2/event.h>
#include <sys/queue.h>

/* What a client needs from control. */
struct client_owner {
	struct event_base *base;
	struct conn_config conn;
	uint32_t output_max;	  /* octets of answers that may wait to be read */
	struct timeval word_wait; /* after which a bare "ping" or "quit" counts as a line */
	/* The state machine's actions LOGIN, ADD, UP and DENIED. */
	void (*act)(struct client *client, unsigned int what, void *arg);
	/* The connection ends: its session, if any, is over. Called once, before the last write. */
	void (*ended)(struct client *client, void *arg);
	/* The connection is closed and the client about to be freed. */
	void (*gone)(struct client *client, void *arg);
	void *arg;
};

struct client {
	TAILQ_ENTRY(client) next; /* admission's list */
	const struct client_owner *owner;
	struct server_session *session;	      /* NULL: none yet, or over; set by control */
	struct connection_limits_place place; /* used by admission */
	enum login_limits_account account;    /* for the login being checked; used by the broker */
	bool waiting;			      /* for its login to be checked; used by login_queue */
	TAILQ_ENTRY(client) next_waiting;
	uint64_t asked; /* microseconds, when the last request came; used by the broker */
	struct conn conn;
	char peer_text[INET_ADDRSTRLEN];
	/* private */
	struct bufferevent *stream;
	struct event *timer;
	struct event *word_timer; /* NULL until it is needed, which is rare */
	bool closing;
	bool lingering; /* everything is sent; waiting for the peer to close */
	bool failed;	/* nothing can be written any more */
	unsigned int busy;
};

/*
 * Takes over an accepted socket and sends the greeting. Returns NULL, with fd closed, if memory is
 * short or the connection has been closed already.
 */
struct client *client_new(const struct client_owner *owner, int fd, struct in_addr peer);

/* Feeds an event from another process: a verdict, the end of the session. */
void client_feed(struct client *client, const struct conn_event *event);

/*
 * Closes now; sends the reason if that does not block. No function of the client may be on the
 * stack.
 */
void client_drop(struct client *client, enum dtcp_reason reason);

/* Sends "-ERR" and the reason on a connection that is about to close. False if it would block. */
bool client_tell(int fd, enum dtcp_reason reason);

/* Closes now, without calling ended() and gone(), and frees. */
void client_free(struct client *client);

#endif
