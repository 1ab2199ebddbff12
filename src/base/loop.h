/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Events that a process depends on. libevent needs memory to wait for one: if memory is short the
 * loop ends, after logging, since the process would wait forever.
 */
#ifndef DTCP_BASE_LOOP_H
#define DTCP_BASE_LOOP_H

#include <event2/event.h>

/* As event_add(). */
void loop_add(struct event *event, const struct timeval *timeout);

/* As event_base_once(), for a timeout. */
void loop_once(struct event_base *base, const struct timeval *wait, event_callback_fn callback,
	       void *arg);

#endif
