/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The server's state machine of one connection. Pure: events and the time go in, actions come out;
 * control carries them out.
 */
#ifndef DTCP_SERVER_CONTROL_CONN_H
#define DTCP_SERVER_CONTROL_CONN_H

#include "base/rate.h"
#include "proto/message.h"
#include "server/msg.h"

#include <netinet/in.h>
#include <stdint.h>

enum conn_state {
	CONN_LOGIN, /* waiting for a request */
	CONN_CHECK, /* the login is being checked */
	CONN_HOLD,  /* it has failed; the answer is delayed, to slow guessing down */
	CONN_ADD,   /* forward adds the session */
	CONN_UP,
	CONN_END, /* pending output is written, then the connection closes */
};

struct conn_config {
	uint32_t timeout_login; /* seconds */
	uint32_t timeout_idle;
	uint32_t attempts;	/* failed logins after which the connection ends */
	uint32_t lines;		/* accepted a second */
	struct in_addr address; /* far end of tunnels; 0: the address a client connected to */
	uint16_t udp_port;	/* of tunnels over UDP */
	unsigned int types;	/* offered to all users, 1 << enum tunnel_type each */
};

enum conn_input {
	CONN_START,   /* accepted */
	CONN_LINE,    /* line and len; only while conn_listens() */
	CONN_BAD,     /* too long a line, or one with a NUL */
	CONN_VERDICT, /* verdict */
	CONN_ADDED,   /* packets pass */
	CONN_REFUSED, /* reason: there is no session; failed: counts as a failed login */
	CONN_FINISH,  /* reason: the server ends the session */
	CONN_TIME,    /* the time of conn_wake() is reached */
};

struct conn_event {
	enum conn_input input;
	const char *line;
	size_t len;
	const struct server_verdict *verdict;
	enum dtcp_reason reason;
	const char *why; /* for CONN_FINISH: the reason in more detail; NULL: none */
	bool failed;
	uint32_t delay; /* of the answer to a failed login, milliseconds since the request */
};

/* What to do, in this order. */
enum conn_action {
	CONN_DO_SEND = 1 << 0,	 /* actions.send with a line end */
	CONN_DO_LOGIN = 1 << 1,	 /* ask accounts, with request */
	CONN_DO_ADD = 1 << 2,	 /* ask forward, with reply's addresses */
	CONN_DO_UP = 1 << 3,	 /* the session is up: log it */
	CONN_DO_DENIED = 1 << 4, /* log the failed login */
	CONN_DO_CLOSE =
		1 << 5, /* end the session if there is one; close when everything is written */
};

struct conn_actions {
	unsigned int what;
	char send[DTCP_LINE_SIZE];
};

struct conn {
	const struct conn_config *config;
	enum conn_state state;
	enum dtcp_reason answer; /* in CONN_HOLD */
	int64_t deadline;	 /* milliseconds */
	int64_t last_heard;	 /* milliseconds */
	int64_t asked;		 /* milliseconds, when the last request came */
	int64_t answer_at;	 /* milliseconds, in CONN_HOLD */
	struct rate lines;	 /* budget of lines */
	char challenge[DTCP_CHALLENGE_OUR + 1];
	struct in_addr peer, local;
	struct dtcp_request request; /* the last tunnel request */
	struct dtcp_reply reply;     /* as granted */
	uint32_t failed;	     /* logins */
	const char *ending;	     /* why it ended, for the log */
};

/* challenge is DTCP_CHALLENGE_OUR characters, new for every connection. */
void conn_init(struct conn *conn, const struct conn_config *config, const char *challenge,
	       struct in_addr peer, struct in_addr local);

/*
 * True if a line may be fed: in other states, and when lines come too fast, they wait in the
 * buffer.
 */
bool conn_listens(const struct conn *conn, int64_t now);

/* When to feed CONN_TIME, and when conn_listens() may have changed; negative: never. */
int64_t conn_wake(const struct conn *conn, int64_t now);

/* The connection is closed; events have no effect from now on. why must stay valid. */
void conn_lost(struct conn *conn, const char *why);

/* Feeds one event; now in milliseconds. actions is overwritten. */
void conn_feed(struct conn *conn, const struct conn_event *event, int64_t now,
	       struct conn_actions *actions);

#endif
