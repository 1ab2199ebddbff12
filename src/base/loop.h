/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Events that a process waits for and cannot do without. libevent needs memory to wait for one: if
 * there is none the loop ends, after a line in the log, since the process would wait for ever.
 */
#ifndef DTCP_BASE_LOOP_H
#define DTCP_BASE_LOOP_H

#include <event2/event.h>

/* event_add(). */
void loop_add(struct event *event, const struct timeval *timeout);

/* event_base_once(), for a time that passes. */
void loop_once(struct event_base *base, const struct timeval *wait, event_callback_fn callback,
	       void *arg);

#endif
