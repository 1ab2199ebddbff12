/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Keeps paths over protocol 41 alive and monitors them, at both ends: docs/protocol.md, section
 * 2.4. It has the packets and the timer; liveness.c decides what is due.
 */
#ifndef DTCP_FORWARD_KEEPALIVE_H
#define DTCP_FORWARD_KEEPALIVE_H

#include "forward/decap.h"
#include "forward/plane.h"

#include <stdbool.h>
#include <stdint.h>

/* The keepalives of a plane, with one timer. NULL if memory is short. */
struct keepers *keepers_new(struct plane *plane);
void keepers_free(struct keepers *keepers);

/* The keepalive of a session whose config has the ends of its link. NULL if memory is short. */
struct keepalive *keepalive_new(struct keepers *keepers, struct session *session);
void keepalive_free(struct keepalive *keepalive);

/*
 * The socket exists, or the route may have changed: asks at once. Not on the server, which waits
 * for the client: its session begins to ask with the first valid packet.
 */
void keepalive_hurry(struct keepalive *keepalive);

/* A packet from TUN was sent. */
void keepalive_packet_out(struct keepalive *keepalive);

/*
 * A packet was received and judged. True if it was a request of the other end, which is answered
 * here, or the answer to one of ours: it is consumed. now: milliseconds.
 */
bool keepalive_takes(const struct decap *decap, uint64_t now);

#endif
