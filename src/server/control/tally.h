/* SPDX-License-Identifier: BSD-2-Clause */
/* Counts of logins by result and of sessions by kind, for the control socket. */
#ifndef DTCP_SERVER_CONTROL_TALLY_H
#define DTCP_SERVER_CONTROL_TALLY_H

#include "base/histogram.h"
#include "proto/message.h"
#include "server/msg.h"

#include <stdbool.h>
#include <stdint.h>

/* Since the start. */
struct tally_logins {
	uint64_t granted;
	uint64_t auth;
	uint64_t disabled; /* or expired */
	uint64_t transport;
	uint64_t type;
	uint64_t sold_out;
	uint64_t failed;
	uint64_t limited; /* rejected by a rate limit, unchecked */
	uint64_t address; /* no tunnel can end there, or another one over protocol 41 does */
	uint64_t kicked;  /* of users whom an operator has kicked */
	struct histogram seconds; /* from the request to the reply, if it was granted */
};

/* Counts a login that was not granted. */
void tally_refused(struct tally_logins *logins, enum server_result result);

/* Sessions that are up. */
struct tally_sessions {
	uint32_t types[TUNNEL_NETWORK + 1];
	uint32_t udp;
};

/* Counts one session more (more: true) or less. */
void tally_session(struct tally_sessions *sessions, enum tunnel_type type, bool udp, bool more);

#endif
