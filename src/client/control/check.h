/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dtcpclient --check: which step comes after which, and what each of them has shown. Pure: events
 * and the time go in, actions come out; control_check.c does what they say.
 *
 * It logs in up to three times: over protocol 41, over UDP, and, for the path MTU and what is
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

/* Milliseconds: the far end's first answer; the result of a trial, which forward knows earlier. */
#define CHECK_PATH_MS  5000
#define CHECK_TRIAL_MS 3000

/* So often is asked before silence means something; the same with a packet of another size than one
 * that has passed. */
#define CHECK_TRIES	 3
#define CHECK_TRIES_SIZE 2

/* Room for what a server says, and for why it cannot have said it. */
#define CHECK_SAID 200

enum check_phase {
	CHECK_LOGIN,  /* the session's machine is at work */
	CHECK_PATH,   /* logged in, waiting for the far end */
	CHECK_SIZE,   /* how large packets pass */
	CHECK_BEYOND, /* whether something behind the server answers */
	CHECK_LEAVE,  /* the session ends */
};

struct check {
	const struct client_options *options;
	const struct session *session; /* what its machine knows */
	struct client_check given;
	enum check_phase phase;
	bool udp;	  /* of this login */
	bool last;	  /* it is for the path MTU and what is behind */
	uint32_t next;	  /* the step that comes now; CLIENT_STEPS: all are done */
	int64_t began;	  /* when it did */
	int64_t deadline; /* of the phase; -1: none */
	enum client_step_result results[CLIENT_STEPS];
	enum client_exit statuses[CLIENT_STEPS]; /* of those that failed */
	/* Why there is no login for protocol 41, though there may be one for UDP, which then shows
	 * the rest; "": none of it. */
	char refused[CHECK_SAID];
	enum client_exit refused_status;
	struct forward_trial trial; /* the last one */
	unsigned int tries;	    /* of it, without an answer */
	/* Octets of IPv6 packets: the largest that has passed, the smallest that has not. */
	uint32_t passed;
	uint32_t failed;
};

/* What is to be done, in this order. */
enum check_action {
	CHECK_DO_TRIAL = 1 << 0, /* have forward make check.trial */
	CHECK_DO_LEAVE = 1 << 1, /* feed SESSION_STOP */
	CHECK_DO_START = 1 << 2, /* feed SESSION_START, for UDP if check.udp */
	CHECK_DO_END = 1 << 3,	 /* all is over */
};

struct check_actions {
	unsigned int what;
	size_t n_steps; /* that are to be shown, before all else */
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
 * True for an event that the session's machine is not to be fed with, since it would log in;
 * check_on_withheld() follows in its place.
 */
bool check_withholds(const struct check *check, const struct session_event *event);
void check_on_withheld(struct check *check, const struct session_event *event, int64_t now,
		       struct check_actions *actions);

/* The session's machine was fed with the event, in state before. */
void check_on_session(struct check *check, enum session_state before,
		      const struct session_event *event, int64_t now,
		      struct check_actions *actions);

/* Forward's word about the path; rtt_us: the round-trip time, 0 if it is not known. */
void check_on_path(struct check *check, bool alive, uint32_t rtt_us, int64_t now,
		   struct check_actions *actions);

/* What became of a trial. */
void check_on_result(struct check *check, const struct forward_result *result, int64_t now,
		     struct check_actions *actions);

/* check.deadline has come. */
void check_on_time(struct check *check, int64_t now, struct check_actions *actions);

/* The session is over (SESSION_DO_EXIT). */
void check_on_over(struct check *check, int64_t now, struct check_actions *actions);

/* The exit status: why the first step failed that matters. */
enum client_exit check_status(const struct check *check);

#endif
