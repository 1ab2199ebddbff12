/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Keeps a copy of the session table in the maps of the kernel's programs (fastpath/), as an
 * observer of the table. It contains only sessions that need no decision by forward: on the shared
 * device, up, learned, proven, alive, and alone at their peer. All other sessions stay with
 * forward, and so does every packet that the programs decline.
 */
#ifndef DTCP_FORWARD_FAST_H
#define DTCP_FORWARD_FAST_H

#include "forward/counters.h"
#include "forward/msg.h"

#include <netinet/in.h>
#include <stdint.h>

struct fast;
struct plane;
struct session;

/* Makes one, without effect until it has maps. NULL if memory is short. */
struct fast *fast_new(struct plane *plane);
void fast_free(struct fast *fast);

/* Adds a map; with the last one the programs start. Takes ownership of fd. Returns 0 or -errno. */
int fast_take(struct fast *fast, const struct forward_fast *message, int fd);

/* The id has a new session, whose counters exclude what the kernel has counted so far. */
void fast_reset_counters(const struct fast *fast, uint32_t id, struct session_counters *counters);

/* State of the session outside the table has changed: plane_session.h. */
void fast_refresh(struct fast *fast, const struct session *session);

/* Forward has received a packet of the session. */
void fast_heard(const struct fast *fast, const struct session *session);

/*
 * When a packet of the session was last received, by the kernel or by forward, in microseconds of
 * clock_us(); 0 if the kernel does not have the session.
 */
uint64_t fast_last_heard(const struct fast *fast, const struct session *session);

/*
 * When the kernel sent the first packet of the session after that, in microseconds of clock_us();
 * 0: none.
 */
uint64_t fast_lonely_since(const struct fast *fast, const struct session *session);

/* Whether the kernel may carry the session, so that forward does not see each packet. */
bool fast_has(const struct fast *fast, const struct session *session);

/* Client: sets the local UDP port, in host byte order. */
void fast_set_port(const struct fast *fast, uint16_t port);

#endif
