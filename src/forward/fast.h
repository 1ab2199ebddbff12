/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The kernel's programs (fastpath/) know of sessions what this file tells them: a copy of the
 * session table in the kernel's maps, kept by what the table's observer hears. Only what needs no
 * thought is there: sessions on the shared device that are up, learned, proven, alive, and alone at
 * their peer. All others stay with us, and so does every packet that the programs decline.
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

/* Without maps it does nothing. NULL if memory is short. */
struct fast *fast_new(struct plane *plane);
void fast_free(struct fast *fast);

/* One of the maps; with the last of them the kernel begins. Closes fd. Returns 0 or -errno. */
int fast_take(struct fast *fast, const struct forward_fast *message, int fd);

/* The id has another session: what the kernel has counted so far is none of its. */
void fast_reset_counters(const struct fast *fast, uint32_t id, struct session_counters *counters);

/* Something that is no fact of the table has changed: plane_session.h. */
void fast_refresh(struct fast *fast, const struct session *session);

/* A packet of the session has come in by us. */
void fast_heard(const struct fast *fast, const struct session *session);

/*
 * When a packet of the session came in last, by the kernel or by us, in microseconds of clock_us();
 * 0 if the kernel has none of it.
 */
uint64_t fast_last_heard(const struct fast *fast, const struct session *session);

/*
 * When the kernel has sent the first packet of the session after that, in microseconds of
 * clock_us(); 0 if it has sent none.
 */
uint64_t fast_lonely_since(const struct fast *fast, const struct session *session);

/* Whether the kernel may carry the session, so that forward does not see each packet. */
bool fast_has(const struct fast *fast, const struct session *session);

/* Client: our port of UDP is another one, in host byte order. */
void fast_set_port(const struct fast *fast, uint16_t port);

#endif
