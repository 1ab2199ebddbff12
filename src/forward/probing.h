/* SPDX-License-Identifier: BSD-2-Clause */
/* The hellos of a client's session over UDP, with their timer. */
#ifndef DTCP_FORWARD_PROBING_H
#define DTCP_FORWARD_PROBING_H

#include "forward/arrival.h"
#include "forward/counters.h"
#include "forward/plane.h"
#include "proto/probe.h"

#include <stdbool.h>

struct probing;

/* For a session of plane; NULL if memory is short. */
struct probing *probing_new(struct plane *plane, struct session *session);

/* Ends it; NULL is allowed. */
void probing_free(struct probing *probing);

/* Sends a hello at once: the socket exists, or the route may have changed. */
void probing_start(struct probing *probing);

/* There is another UDP socket: sends hellos from both, unless the last one has been answered. */
void probing_candidate(struct probing *probing);

/* Judges a probe that came from the session's peer. */
enum drop_reason probing_answered(struct probing *probing, const struct arrival *arrival,
				  const struct probe *probe);

/* A packet from TUN was sent; a valid one was received. */
void probing_packet_out(struct probing *probing);
void probing_packet_in(struct probing *probing);

#endif
