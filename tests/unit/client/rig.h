/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The session's state machine on a bench: a clock that stands still until it is moved, and a model
 * of what is outside (connection, forward, tunnel, monitor), with which every action is compared.
 */
#ifndef DTCP_TESTS_UNIT_CLIENT_RIG_H
#define DTCP_TESTS_UNIT_CLIENT_RIG_H

#include "client/control/session.h"

#define RIG_SERVER    "broker.example"
#define RIG_USER      "foo"
#define RIG_PASSWORD  "bar"
#define RIG_CHALLENGE "0B1517C87D516A5FA65BED722D51A04F"
/* upper-case hex of MD5("foo" RIG_CHALLENGE "bar") */
#define RIG_RESPONSE "DAC487C8DFBBF9EE5C7F8CDCC37B62A3"

#define RIG_LOCAL    "198.51.100.2"
#define RIG_REMOTE   "192.0.2.1"
#define RIG_GREETING "+OK " RIG_CHALLENGE " KAME dtcp server"
#define RIG_REPLY    "+OK " RIG_LOCAL " " RIG_REMOTE
#define RIG_UDP	     " udp=4028 session=0123456789abcdef"
#define RIG_SESSION  0x0123456789abcdef
/* Behind a NAT this is what the server sees. */
#define RIG_NAT	      "203.0.113.7"
#define RIG_NAT_REPLY "+OK " RIG_NAT " " RIG_REMOTE

/* What is often asked for together. */
#define RIG_CLOSE_EXIT	  (SESSION_DO_CLOSE | SESSION_DO_EXIT)
#define RIG_CLOSE_CONNECT (SESSION_DO_CLOSE | SESSION_DO_CONNECT)
#define RIG_CLOSE_LOWER	  (SESSION_DO_CLOSE | SESSION_DO_LOWER)
#define RIG_ADD_RAISE	  (SESSION_DO_ADD | SESSION_DO_RAISE)

struct rig {
	struct session session;
	struct session_actions actions; /* of the last event */
	int64_t now;
	struct in_addr address; /* of this box, of the next connection */
	/* what is outside */
	bool connecting;
	bool connected;
	bool forwarded; /* forward has the session of the last reply */
	bool tunnel;
	uint16_t port;	  /* of ours over UDP */
	uint16_t told;	  /* the same when the tunnel was last asked for */
	bool raise_asked; /* monitor has not answered yet */
	bool lower_asked;
	bool hold_ended; /* by the last event */
	bool woken;	 /* that was the last event */
	bool exited;
};

/*
 * Type tunnelonly, NAT check, no -l, protocol 41, no hold, keepalive 60 s and 15 s. Starts at time
 * 1000000.
 */
void rig_init(struct rig *rig);
/* The same with another configuration, before the first event. */
void rig_configure(struct rig *rig, const struct session_config *config);
/* The same with a transport, -l, and seconds that a tunnel is kept. */
void rig_init_udp(struct rig *rig, enum session_transport transport, bool loop, uint32_t hold);

/* What the random function returns next, and the n that it was last called with. */
extern uint32_t rig_random, rig_random_below;

/* Feeds one event and checks that the actions fit what is outside and the state it leads to. */
void rig_feed(struct rig *rig, const struct session_event *event);
void rig_input(struct rig *rig, enum session_input input);
void rig_connected(struct rig *rig);
void rig_failed(struct rig *rig, enum client_exit status, const char *text);
void rig_line(struct rig *rig, const char *line);
void rig_bad_line(struct rig *rig, const char *text);
void rig_closed(struct rig *rig, const char *text);
void rig_path(struct rig *rig, bool alive);
/* Forward goes by another port of ours. */
void rig_port(struct rig *rig, uint16_t port);
/* The network has changed; address is that of this box from now on, "0.0.0.0" for none. */
void rig_network(struct rig *rig, const char *address);

/* SESSION_RECONNECT that keeps the tunnel. */
void rig_renew(struct rig *rig);

/* The machine sleeps for so long, and wakes. */
void rig_woke(struct rig *rig, uint32_t seconds);

/* Moves the clock on; nothing is fed. */
void rig_wait(struct rig *rig, int64_t milliseconds);
/* Moves the clock to the deadline, which must be that far away, and feeds TIME. */
void rig_deadline(struct rig *rig, int64_t milliseconds);

/* From a fresh rig into a state, along the shortest way. */
void rig_reach(struct rig *rig, enum session_state state);
/* Where it is connecting: connects and has the greeting, so that the request is sent. */
void rig_request(struct rig *rig);
/* Where it is connecting: all the way up, without a NAT. What is tried out works. */
void rig_come_up(struct rig *rig);

/*
 * The last event's outcome. send is NULL where nothing is sent; message "" where nothing is logged.
 */
void rig_expect(const struct rig *rig, enum session_state state, unsigned int what,
		const char *send, const char *message);
/* Of the last event: the program ends, with that status. */
void rig_expect_exit(const struct rig *rig, enum client_exit status);

#endif
