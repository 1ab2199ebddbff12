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

/* Id of the only session in forward. */
enum { CONTROL_SESSION = 0 };

/* A lookup of a server's name. control_lookup.c */
struct control_lookup {
	struct control *control;
	struct ipc *channel; /* to the lookup process; NULL: none */
	bool asked;	     /* root's process has been asked for a lookup process */
	bool stale;	     /* the network has changed since its start */
	int64_t began;
	struct client_addresses late; /* addresses that came too late for a connection attempt */
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
	struct event *rest; /* pending: further reconnects are delayed */
	bool again;	    /* a reconnect was requested meanwhile */
	bool keep;	    /* all these requests were to keep the tunnel */
	struct session session;
	/* Forward's counters; NULL: none. */
	const struct counters_page *counters;
	struct counters_kernel kernel;
	struct client_session told;  /* as last reported to root's process */
	int64_t since;		     /* when its state last changed */
	struct client_tunnel raised; /* as last requested from root's process */
	struct client_interface interface;
	struct client_ctl self; /* of the program, for clients of the control socket */
	struct ctl *ctl;	/* NULL: no control socket */
	struct dialog dialog;	/* with forward about the session */
	bool forwards_udp;	/* the session goes over UDP */
	uint16_t udp_port;	/* bound for a tunnel over UDP */
	struct control_lookup lookups[CLIENT_SERVERS_MAX];
	struct log_limit wrong;	     /* invalid messages of processes */
	struct control_check *check; /* NULL: no --check */
	int status;
};

/* Ends the process with that exit status. */
void control_end(struct control *control, int status);

/* Sends a message without a descriptor; if that fails, control ends. */
void control_tell(struct control *control, struct ipc *channel, uint32_t type, const void *body,
		  size_t size);

/* Feeds an event to the session's state machine, and acts on the result; arg is the control. */
void control_feed(const struct session_event *event, void *arg);
void control_feed_input(struct control *control, enum session_input input);

/* Reconnects, for SIGHUP and, with keep, SIGUSR2. */
void control_reconnect(struct control *control, bool keep);

/* The session's tunnel, for root's process. */
struct client_tunnel control_tunnel(const struct control *control);

/* Logs a message that is invalid in the session's state, and was ignored. */
void control_wrong(struct control *control, const char *who, const char *message);

/* A channel has been closed: for ipc_new(). */
void control_on_closed(struct ipc *ipc, bool violated, void *arg);

/* Sets our UDP port, which the server sees without NAT; the next login may contain it. */
void control_set_port(struct control *control, uint16_t port);

/*
 * --check, control_check.c. NULL if memory is short. It begins once the account is known, ends the
 * process once all is done and control_check_stop() has been called, and observes: events, which it
 * may take instead of the session's state machine; events fed to that one, with the state before
 * and whether the session is over; the addresses of the server's name; and forward's reports.
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

/* Handler of a message of root's process. */
void control_check_on_given(const void *body, void *arg);

/* The channel to root's process; NULL if memory is short. control_root.c */
struct ipc *control_root_open(struct control *control, int fd);

/* The channel to forward; NULL if memory is short. control_forward.c */
struct ipc *control_forward_open(struct control *control, int fd);

/*
 * Tells forward to add the session, replacing the one before; with the addresses that the server
 * assigned.
 */
void control_forward_add(struct control *control);
void control_forward_remove(struct control *control);

/* Tells forward to probe the far end now, if it has the session. */
void control_forward_hello(struct control *control);

/* Connects to the session's current server, after looking up its name. control_lookup.c */
void control_lookup_connect(struct control *control);

/* The network has changed: restarts lookups older than some seconds, or all. */
void control_lookup_outdated(struct control *control, bool all);

/* Fills in the present status, whose pointers stay valid as long as control. control_status.c */
struct client_status;
void control_status(const struct control *control, struct client_status *out);

/*
 * Handlers of messages of root's process: the control socket, and what its clients want to know.
 * control_ctl.c
 */
void control_ctl_on_socket(const void *body, int fd, void *arg);
void control_ctl_on_interface(const void *body, void *arg);

/* Notifies clients of the control socket that wait for changes. */
void control_ctl_changed(struct control *control);
void control_ctl_free(struct control *control);

void control_lookup_init(struct control *control);
void control_lookup_free(struct control *control);

/* Handler of root's answers. */
void control_lookup_on_resolver(const void *body, int fd, void *arg);
void control_lookup_on_no_resolver(const void *body, void *arg);

#endif
