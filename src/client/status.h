/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The state of the client as one record, which the log, the service manager and the control socket
 * present in their formats. The root process fills in what it knows by itself and from control;
 * control fills in everything. Pure.
 */
#ifndef DTCP_CLIENT_STATUS_H
#define DTCP_CLIENT_STATUS_H

#include "base/log_record.h"
#include "client/exits.h"
#include "client/msg.h"
#include "client/options.h"
#include "client/tunnel.h"
#include "forward/counters.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct client_status {
	const struct client_options *options;
	const char *user;      /* login name; "": not known yet */
	const char *interface; /* its present name */
	enum tunnel_phase phase;
	struct client_tunnel tunnel; /* valid if there is a tunnel */
	struct client_session session;
	/* Set by control only. Times are in clock_ms(), -1 for none. */
	pid_t pid;			 /* of the process that handles signals */
	const char *name;		 /* of the configuration; "": none */
	int64_t since;			 /* of the state */
	size_t server;			 /* of this attempt or session, or the last one */
	struct in_addr address;		 /* its address, last connected to; 0: none yet */
	bool udp;			 /* over UDP */
	const char *why;		 /* reason for this transport */
	bool kernel;			 /* the kernel carries packets */
	int64_t heard;			 /* last granted login, or answer through the tunnel */
	int64_t next_try;		 /* time of the next attempt */
	const char *error;		 /* why the last session or attempt failed */
	int64_t error_at;		 /* -1: none */
	bool counted;			 /* the following are valid */
	struct session_counters traffic; /* since the last login */
	uint64_t drops[DROP_REASONS];	 /* since the start */
};

/* The root process's check of control's message about its session. */
bool status_check(const struct client_session *session);

/* Why there is no session, in a few words; the log has details. NULL for CLIENT_OK. */
const char *status_reason(enum client_exit status);

/* One line, for the log and for a service manager. */
void status_describe(const struct client_status *status, char *buf, size_t size);

/* Adds the same as fields. */
void status_record(const struct client_status *status, struct log_record *record);

#endif
