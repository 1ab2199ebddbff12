/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is known of the client, for those who look: one record, which the log, the service manager
 * and the control socket show in their ways. Root's process fills in what it knows by itself and
 * has heard of control; control fills in all. Pure.
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
	const char *user;      /* who logs in; "": not known yet */
	const char *interface; /* as it is called now */
	enum tunnel_phase phase;
	struct client_tunnel tunnel; /* that is there; else unused */
	struct client_session session;
	/* What control alone knows. Times are in clock_ms(), -1 for none. */
	pid_t pid;		/* of the process that takes signals */
	const char *name;	/* of the configuration; "": none */
	int64_t since;		/* of the state */
	size_t server;		/* of this attempt or session, or the last one */
	struct in_addr address; /* of that, last connected to; 0: none yet */
	bool udp;		/* it is for UDP */
	const char *why;	/* for this, and not for the other one */
	bool kernel;		/* carries the packets that need no thought */
	int64_t heard;		/* a login that was granted, an answer through the tunnel */
	int64_t next_try;	/* when a pause ends */
	const char *error;	/* what ended the last session or attempt that failed */
	int64_t error_at;	/* -1: none has */
	bool counted;		/* the following are known */
	struct session_counters traffic; /* since the last login */
	uint64_t drops[DROP_REASONS];	 /* since the start */
};

/* Root's check of what control says about its session. */
bool status_check(const struct client_session *session);

/* Why there is no session, in a few words; the log has more. NULL for CLIENT_OK. */
const char *status_reason(enum client_exit status);

/* One line, for the log and for a service manager. */
void status_describe(const struct client_status *status, char *buf, size_t size);

/* Adds the same as fields. */
void status_record(const struct client_status *status, struct log_record *record);

#endif
