/* SPDX-License-Identifier: BSD-2-Clause */
/* What the parts of the client's control process share. Private to client/control*.c. */
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

/* The one session's id in forward. */
enum { CONTROL_SESSION = 0 };

/* A look-up of one server's name. control_lookup.c */
struct control_lookup {
	struct control *control;
	struct ipc *channel; /* to the process that looks it up; NULL: none does */
	bool asked;	     /* root's process, for that */
	bool stale;	     /* the network is another one since it was begun */
	int64_t began;
	struct client_addresses late; /* those that no attempt has waited for; else none */
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
	struct event *rest; /* pending: no other reconnect begins */
	bool again;	    /* one was asked for meanwhile */
	bool keep;	    /* and all of these were to keep the tunnel */
	struct session session;
	/* Forward's; NULL: none are shown. */
	const struct counters_page *counters;
	struct counters_kernel kernel;
	struct client_session told;  /* to root's process */
	int64_t since;		     /* its state is what it is */
	struct client_tunnel raised; /* root's process was last asked for */
	struct client_interface interface;
	struct client_ctl self; /* of the program, for those who ask */
	struct ctl *ctl;	/* NULL: nobody can */
	struct dialog dialog;	/* with forward, about our session */
	bool forwards_udp;	/* the session goes over UDP */
	uint16_t udp_port;	/* bound for a tunnel over UDP */
	struct control_lookup lookups[CLIENT_SERVERS_MAX];
	struct log_limit wrong;	     /* what a process said and cannot mean */
	struct control_check *check; /* NULL: no --check */
	int status;
};

/* Ends the process with that exit status. */
void control_end(struct control *control, int status);

/* Sends a message without a descriptor by one of its channels; if that fails, control ends. */
void control_tell(struct control *control, struct ipc *channel, uint32_t type, const void *body,
		  size_t size);

/* Has the session's machine take an event, and does what it says; arg is the control. */
void control_feed(const struct session_event *event, void *arg);
void control_feed_input(struct control *control, enum session_input input);

/* What SIGHUP does, and, with keep, SIGUSR2. */
void control_reconnect(struct control *control, bool keep);

/* The tunnel of the session, as root's process is told of it. */
struct client_tunnel control_tunnel(const struct control *control);

/* A process said what it cannot mean in the session's state; nothing was done for it. */
void control_wrong(struct control *control, const char *who, const char *message);

/* A channel has been closed: for ipc_new(). */
void control_on_closed(struct ipc *ipc, bool violated, void *arg);

/* Our UDP port, as the server sees it if there is no NAT; the next login may name it. */
void control_set_port(struct control *control, uint16_t port);

/*
 * --check, control_check.c. NULL if memory is short. It begins when the account is known, ends the
 * process when all is over and control_check_stop() has come, and hears of what others do: whether
 * it takes an event in place of the session's machine; what that one was fed with, in which state,
 * and whether the session is over; the addresses of the server's name; and forward's word.
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

/* Root's word: for the table of its messages. */
void control_check_on_given(const void *body, void *arg);

/* The channel to root's process; NULL if memory is short. control_root.c */
struct ipc *control_root_open(struct control *control, int fd);

/* The channel to forward; NULL if memory is short. control_forward.c */
struct ipc *control_forward_open(struct control *control, int fd);

/*
 * Tells forward about the session, in place of the one before: its addresses are those that the
 * server gave us.
 */
void control_forward_add(struct control *control);
void control_forward_remove(struct control *control);

/* Has forward ask the far end now, if it has the session. */
void control_forward_hello(struct control *control);

/* Connects to the session's current server; its name is looked up beside that. control_lookup.c */
void control_lookup_connect(struct control *control);

/* The network has changed: look-ups begun some seconds ago, or all, are to be begun anew. */
void control_lookup_outdated(struct control *control, bool all);

/* The record of what is known now: what it points to lives as long as control. control_status.c */
struct client_status;
void control_status(const struct control *control, struct client_status *out);

/* From root's process, for the table of its messages: the control socket, and what those who ask
 * want to know. control_ctl.c */
void control_ctl_on_socket(const void *body, int fd, void *arg);
void control_ctl_on_interface(const void *body, void *arg);

/* Something has changed that somebody may wait for. */
void control_ctl_changed(struct control *control);
void control_ctl_free(struct control *control);

void control_lookup_init(struct control *control);
void control_lookup_free(struct control *control);

/* Root's answers: for the table of its messages. */
void control_lookup_on_resolver(const void *body, int fd, void *arg);
void control_lookup_on_no_resolver(const void *body, void *arg);

#endif
