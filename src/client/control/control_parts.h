/* SPDX-License-Identifier: BSD-2-Clause */
/* Shared by the parts of the client's control process. Private to client/control/control*.c. */
#ifndef DTCP_CLIENT_CONTROL_CONTROL_PARTS_H
#define DTCP_CLIENT_CONTROL_CONTROL_PARTS_H

#include "base/log.h"
#include "client/control/connection.h"
#include "client/control/session.h"
#include "client/msg.h"
#include "client/options.h"
#include "forward/counters.h"
#include "forward/dialog.h"
#include "process/ipc.h"

#include <event2/event.h>
#include <stdbool.h>
#include <stdint.h>

/* The id of the only session in forward. */
enum { CONTROL_SESSION = 0 };

/* A look-up of one server's name. control_lookup.c */
struct control_lookup {
	struct control *control;
	struct ipc *channel; /* to its resolver; NULL: none */
	bool asked;	     /* the root process was asked for a resolver */
	bool stale;	     /* the network has changed since it began */
	int64_t began;
	struct client_addresses late; /* addresses that came after the attempt; otherwise none */
	int64_t late_at;
};

struct ctl;
struct control_check;

struct control {
	const struct client_options *options;
	struct event_base *base;
	struct ipc *root;
	struct ipc *forward; /* NULL with --tunnel none */
	struct connection *connection;
	struct event *timer;
	struct event *rest; /* pending: no other reconnect starts */
	bool again;	    /* one was requested meanwhile */
	bool keep;	    /* and all of these keep the tunnel */
	struct session session;
	/* Forward's; NULL: no counters. */
	const struct counters_page *counters;
	struct counters_kernel kernel;
	struct client_session told;  /* last sent to the root process */
	int64_t since;		     /* when that state began */
	struct client_tunnel raised; /* last requested from the root process */
	struct client_interface interface;
	struct client_ctl self; /* about the program, for the status */
	struct ctl *ctl;	/* NULL: no control socket */
	struct dialog dialog;	/* with forward, about our session */
	bool forwards_udp;	/* the session goes over UDP */
	uint16_t udp_port;	/* bound for a tunnel over UDP */
	struct control_lookup lookups[CLIENT_SERVERS_MAX];
	struct log_limit wrong;	     /* invalid messages of processes */
	struct control_check *check; /* NULL: no --check */
	int status;
};

/* Ends the process with that exit status. */
void control_end(struct control *control, int status);

/* Sends a message without a descriptor over one of its channels; if that fails, control ends. */
void control_tell(struct control *control, struct ipc *channel, uint32_t type, const void *body,
		  size_t size);

/* Feeds the session's state machine an event, and carries out its actions; arg is the control. */
void control_feed(const struct session_event *event, void *arg);
void control_feed_input(struct control *control, enum session_input input);

/* Reconnects as for SIGHUP, or, with keep, SIGUSR2. */
void control_reconnect(struct control *control, bool keep);

/* The tunnel of the session, as sent to the root process. */
struct client_tunnel control_tunnel(const struct control *control);

/* Logs a message that is invalid in the session's state; it was ignored. */
void control_wrong(struct control *control, const char *who, const char *message);

/* A channel has been closed: for ipc_new(). */
void control_on_closed(struct ipc *ipc, bool violated, void *arg);

/* Our UDP port, as the server sees it if there is no NAT; the next login may name it. */
void control_set_port(struct control *control, uint16_t port);

/*
 * --check, control_check.c. NULL if memory is short. It begins when the account is known, and ends
 * the process when everything is done and control_check_stop() was called. It is told of events: it
 * can withhold one from the session's state machine; it sees what that was fed, in which state, and
 * whether the session is over; the addresses of the server's name; and forward's messages.
 */
struct control_check *control_check_new(struct control *control);
void control_check_free(struct control_check *own);
void control_check_begin(struct control_check *own);
void control_check_stop(struct control_check *own);
bool control_check_takes(struct control_check *own, const struct session_event *event);
void control_check_fed(struct control_check *own, enum session_state before,
		       const struct session_event *event, bool over);
void control_check_on_found(struct control_check *own, const struct client_addresses *found);
void control_check_on_path(struct control_check *own, bool alive);
void control_check_on_result(struct control_check *own, const struct forward_result *result);

/* Message of the root process, for the table. */
void control_check_on_given(const void *body, void *arg);

/* The channel to root's process; NULL if memory is short. control_root.c */
struct ipc *control_root_open(struct control *control, int fd);

/* The channel to forward; NULL if memory is short. control_forward.c */
struct ipc *control_forward_open(struct control *control, int fd);

/*
 * Tells forward about the session, in place of the one before, with the addresses that the server
 * has granted.
 */
void control_forward_add(struct control *control);
void control_forward_remove(struct control *control);

/* Has forward probe the far end now, if it has the session. */
void control_forward_hello(struct control *control);

/* Connects to the session's current server, while its name is looked up. control_lookup.c */
void control_lookup_connect(struct control *control);

/* The network has changed: look-ups older than some seconds, or all, have to be restarted. */
void control_lookup_outdated(struct control *control, bool all);

/* Fills in the present status; what it points to is valid as long as control. control_status.c */
struct client_status;
void control_status(const struct control *control, struct client_status *out);

/*
 * Messages of the root process, for the table: the control socket, and data for the status.
 * control_ctl.c
 */
void control_ctl_on_socket(const void *body, int fd, void *arg);
void control_ctl_on_interface(const void *body, void *arg);

/* A state has changed for which a pending command may be waiting. */
void control_ctl_changed(struct control *control);
void control_ctl_free(struct control *control);

void control_lookup_init(struct control *control);
void control_lookup_free(struct control *control);

/* Answers of the root process, for the table. */
void control_lookup_on_resolver(const void *body, int fd, void *arg);
void control_lookup_on_no_resolver(const void *body, void *arg);

#endif
