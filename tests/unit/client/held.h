/* SPDX-License-Identifier: BSD-2-Clause */
/* A session on its bench whose tunnel is kept for 30 s after it was lost (--hold). */
#ifndef DTCP_TESTS_UNIT_CLIENT_HELD_H
#define DTCP_TESTS_UNIT_CLIENT_HELD_H

#include "rig.h"

#define HELD_OTHER "198.51.100.77"
#define HELD_MOVED "the address here is now " HELD_OTHER "; logging in again"
#define HELD_LOST  "session lost: broker.example: gone; next attempt within 3 s"
#define HELD_OVER  "tunnel down: no session for 30 s"

/* Connecting takes almost as long as it may, so that the hold can end before the login. */
#define HELD_CONNECT 19900

/* -l and 30 s, protocol 41; from a fresh rig into a state. */
void held_begin(struct rig *rig, enum session_state state);
/* A tunnel is up, and its session has just been lost. */
void held_lose(struct rig *rig);
/* The same, and the next attempt has got as far as WAIT, CONNECT, GREETING or LOGIN. */
void held_reach(struct rig *rig, enum session_state state);
/* The time is up, and the tunnel is removed; nothing else changes. */
void held_wait_end(struct rig *rig);

#endif
