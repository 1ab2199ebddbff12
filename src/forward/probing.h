/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a client's session sends by itself, with its timers: hellos (UDP), and echo requests to the
 * far end when control wants to know whether it answers.
 */
#ifndef DTCP_FORWARD_PROBING_H
#define DTCP_FORWARD_PROBING_H

#include "forward/arrival.h"
#include "forward/counters.h"
#include "forward/inner.h"
#include "forward/msg.h"
#include "forward/plane.h"
#include "proto/probe.h"

#include <stdbool.h>

struct probing;

/* For a session of plane; NULL where memory is short. */
struct probing *probing_new(struct plane *plane, struct session *session);

/* Ends it; NULL is allowed. */
void probing_free(struct probing *probing);

/* A hello at once: the socket is there, or the way out may have changed. */
void probing_start(struct probing *probing);
void probing_hurry(struct probing *probing);

/* Sends echo requests until one is answered, in place of earlier ones. */
void probing_echo(struct probing *probing, const struct forward_echo *echo);

/* Judges a probe that came from the session's peer. */
enum drop_reason probing_answered(struct probing *probing, const struct arrival *arrival,
				  const struct probe *probe);

/* A packet from TUN has gone out. */
void probing_packet_out(struct probing *probing);

/* A good packet has come in. True where it answers an echo request of ours: it goes no further. */
bool probing_takes(struct probing *probing, const struct inner *inner);

#endif
