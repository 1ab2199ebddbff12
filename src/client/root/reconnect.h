/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * SIGHUP as monitor passes it on. Somebody may send it in a loop, and control may be busy: the next
 * one waits until control has heard of the one before, and then for a moment. All that come
 * meanwhile are one.
 */
#ifndef DTCP_CLIENT_ROOT_RECONNECT_H
#define DTCP_CLIENT_ROOT_RECONNECT_H

#include <event2/event.h>
#include <stdbool.h>

struct reconnect;

/* ask() tells control. NULL where memory is short. */
struct reconnect *reconnect_new(struct event_base *base, void (*ask)(void *arg), void *arg);

/* A signal has come. */
void reconnect_wanted(struct reconnect *reconnect);

/* Control has heard of it. False where it was not told. */
bool reconnect_heard(struct reconnect *reconnect);

/* NULL is allowed. */
void reconnect_free(struct reconnect *reconnect);

#endif
