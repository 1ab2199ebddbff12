/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dtcpclient --check: the order of the steps, and the result of each. Pure: events and the time go
 * in, actions come out; control_check.c carries them out.
 *
 * It logs in up to three times: over protocol 41, over UDP, and, for the path MTU and connectivity
 * behind the server, once more over the one of them that the settings prefer, unless that is UDP.
 */
#ifndef DTCP_CLIENT_CONTROL_CHECK_H
#define DTCP_CLIENT_CONTROL_CHECK_H

#include "client/control/session.h"
#include "client/msg.h"
#include "client/options.h"
#include "forward/msg.h"

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Milliseconds: timeout of the far end's first answer, and of a trial, which forward reports
 * earlier. */
#define CHECK_PATH_MS  5000
#define CHECK_TRIAL_MS 3000

/*
 * Attempts without an answer before it is taken for silence; the same for a packet of a different
 * size than one that has passed.
 */
#define CHECK_TRIES	 3
#define CHECK_TRIES_SIZE 2

/* Size of a server's text, and of the reason why it is invalid. */
#define CHECK_SAID 200

enum check_phase {
	CHECK_LOGIN,  /* the session's state machine is working */
	CHECK_PATH,   /* logged in, waiting for the far end */
	CHECK_SIZE,   /* measuring how large packets pass */
	CHECK_BEYOND, /* whether an address behind the server answers */
	CHECK_LEAVE,  /* ending the session */
};

struct check {
	const struct client_options *options;
	const struct session *session; /* the session's state machine */
	struct client_check given;
	enum check_phase phase;
	bool udp;	  /* of this login */
	bool last;	  /* it is for the path MTU and the address behind the server */
	uint32_t next;	  /* the present step; CLIENT_STEPS: all are done */
	int64_t began;	  /* when it began */
	int64_t deadline; /* of the phase; -1: none */
	enum client_step_result results[CLIENT_STEPS];
	enum client_exit statuses[CLIENT_STEPS]; /* of those that failed */
	/*
	 * Why a login over protocol 41 is impossible, although one over UDP may be possible, which
	 * is then used for the remaining steps; "": it is not.
	 */
	char refused[CHECK_SAID];
	enum client_exit refused_status;
	struct forward_trial trial; /* the last one */
	unsigned int tries;	    /* attempts of it without an answer */
	/* Octets of IPv6 packets: the largest that has passed, the smallest that has not. */
	uint32_t passed;
	uint32_t failed;
};

/* What to do, in this order. */
enum check_action {
	CHECK_DO_TRIAL = 1 << 0, /* have forward make check.trial */
	CHECK_DO_LEAVE = 1 << 1, /* feed SESSION_STOP */
	CHECK_DO_START = 1 << 2, /* feed SESSION_START, for UDP if check.udp */
	CHECK_DO_END = 1 << 3,	 /* everything is done */
};

struct check_actions {
	unsigned int what;
	size_t n_steps; /* steps to print first */
	struct client_step steps[CLIENT_STEPS];
};

/* options and session must stay valid. */
void check_init(struct check *check, const struct client_options *options,
		const struct session *session);

/* All of these overwrite actions; now in milliseconds. First of all: */
void check_begin(struct check *check, const struct client_check *given, int64_t now,
		 struct check_actions *actions);

/* The server's name has these addresses, 1 or more. */
void check_on_found(struct check *check, const struct in_addr *addresses, size_t count, int64_t now,
		    struct check_actions *actions);

/*
 * True for an event that the session's state machine must not get, since it would log in; call
 * check_on_withheld() instead.
 */
bool check_withholds(const struct check *check, const struct session_event *event);
void check_on_withheld(struct check *check, const struct session_event *event, int64_t now,
		       struct check_actions *actions);

/* The session's state machine has handled the event, in state before. */
void check_on_session(struct check *check, enum session_state before,
		      const struct session_event *event, int64_t now,
		      struct check_actions *actions);

/* Forward's report about the path; rtt_us: the round-trip time, 0 if unknown. */
void check_on_path(struct check *check, bool alive, uint32_t rtt_us, int64_t now,
		   struct check_actions *actions);

/* The result of a trial. */
void check_on_result(struct check *check, const struct forward_result *result, int64_t now,
		     struct check_actions *actions);

/* check.deadline is reached. */
void check_on_time(struct check *check, int64_t now, struct check_actions *actions);

/* The session is over (SESSION_DO_EXIT). */
void check_on_over(struct check *check, int64_t now, struct check_actions *actions);

/* The exit status: that of the first relevant failure. */
enum client_exit check_status(const struct check *check);

#endif
