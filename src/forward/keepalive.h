/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Keeps the paths of protocol 41 alive and watches them, at both ends: docs/protocol.md, section
 * 2.4. Here are the packets and the time; liveness.c says what is due.
 */
#ifndef DTCP_FORWARD_KEEPALIVE_H
#define DTCP_FORWARD_KEEPALIVE_H

#include "forward/decap.h"
#include "forward/plane.h"

#include <stdbool.h>
#include <stdint.h>

/* All of a plane's, with one timer. NULL if memory is short. */
struct keepers *keepers_new(struct plane *plane);
void keepers_free(struct keepers *keepers);

/* The one of a session, whose config has the ends of its link. NULL if memory is short. */
struct keepalive *keepalive_new(struct keepers *keepers, struct session *session);
void keepalive_free(struct keepalive *keepalive);

/*
 * The socket is there, or the way out may have changed: asks at once. Not for the server, which
 * speaks when it is spoken to: its session begins to ask with the first good packet.
 */
void keepalive_hurry(struct keepalive *keepalive);

/* A packet from TUN has gone out. */
void keepalive_packet_out(struct keepalive *keepalive);

/*
 * A packet has come in and been judged. True if it was a request of the other end's, which is
 * answered here, or the answer to one of ours: it goes no further. now: milliseconds.
 */
bool keepalive_takes(const struct decap *decap, uint64_t now);

#endif
