/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One client's TCP connection: lines in and out, its timers, and its state machine
 * (server/control/conn.h). What the machine asks for beyond the connection goes to control.
 */
#ifndef DTCP_SERVER_CONTROL_CLIENT_H
#define DTCP_SERVER_CONTROL_CLIENT_H

#include "server/control/conn.h"
#include "server/control/connection_limits.h"
#include "server/control/login_limits.h"
#include "server/control/sessions.h"

#include <event2/event.h>
#include <sys/queue.h>

/* What a client needs of control. */
struct client_owner {
	struct event_base *base;
	struct conn_config conn;
	uint32_t output_max;	  /* octets of answers that may wait to be read */
	struct timeval word_wait; /* after which a bare "ping" or "quit" counts as a line */
	/* The machine's actions LOGIN, ADD, UP and DENIED. */
	void (*act)(struct client *client, unsigned int what, void *arg);
	/* The connection ends: its session, if any, is over. Called once, before the last write. */
	void (*ended)(struct client *client, void *arg);
	/* The connection is closed and client about to be freed. */
	void (*gone)(struct client *client, void *arg);
	void *arg;
};

struct client {
	TAILQ_ENTRY(client) next; /* admission's list */
	const struct client_owner *owner;
	struct server_session *session;	      /* NULL: none yet, or over; control's */
	struct connection_limits_place place; /* admission's */
	enum login_limits_account account;    /* of the login that is looked into; the broker's */
	bool waiting;			      /* login_queue's */
	TAILQ_ENTRY(client) next_waiting;
	uint64_t asked; /* microseconds, when the last request came; the broker's */
	struct conn conn;
	char peer_text[INET_ADDRSTRLEN];
	/* private */
	struct bufferevent *stream;
	struct event *timer;
	struct event *word_timer; /* NULL before it is needed; few clients ever do */
	bool closing;
	bool lingering; /* all is said; waiting for the other side to close */
	bool failed;	/* nothing can be written any more */
	unsigned int busy;
};

/*
 * Takes over an accepted socket and greets. Returns NULL, with fd closed, if memory is short or
 * the connection is gone already.
 */
struct client *client_new(const struct client_owner *owner, int fd, struct in_addr peer);

/* Feeds an event that came from elsewhere: a verdict, the end of the session. */
void client_feed(struct client *client, const struct conn_event *event);

/* Closes now; reason is told if that needs no waiting. Nothing of client's may be on the stack. */
void client_drop(struct client *client, enum dtcp_reason reason);

/* Says "-ERR" and the reason to a connection that closes. False if that would have to wait. */
bool client_tell(int fd, enum dtcp_reason reason);

/* Closes now, without ended() and gone(), and frees. */
void client_free(struct client *client);

#endif
