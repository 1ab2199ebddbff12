/* SPDX-License-Identifier: BSD-2-Clause */
/* What has become of logins, and which kinds of sessions there are: numbers for those who ask. */
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
	uint64_t limited;	  /* by the limits, unseen */
	uint64_t address;	  /* of protocol 41, where no tunnel can end, or another one does */
	uint64_t kicked;	  /* of users whom an operator wants to be refused */
	struct histogram seconds; /* from the request to the reply, if it was granted */
};

/* A login that was not granted. */
void tally_refused(struct tally_logins *logins, enum server_result result);

/* Sessions that are up. */
struct tally_sessions {
	uint32_t types[TUNNEL_NETWORK + 1];
	uint32_t udp;
};

/* One more; or one less. */
void tally_session(struct tally_sessions *sessions, enum tunnel_type type, bool udp, bool more);

#endif
