/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Notices what others do to interfaces of ours: that one is removed, renamed or set down, that IPv6
 * is turned off for it, or that addresses or routes of it are removed.
 */
#ifndef DTCP_MONITOR_LINKWATCH_H
#define DTCP_MONITOR_LINKWATCH_H

#include <event2/event.h>

struct linkwatch;

/* Something of that kind may have happened, to the interface or to routes with our number. */
typedef void (*linkwatch_changed)(void *arg);

/* NULL, after a line in the log, where the kernel cannot be listened to. */
struct linkwatch *linkwatch_new(struct event_base *base, linkwatch_changed changed, void *arg);

/*
 * The same for many interfaces: something may have happened to this one, which need not be ours;
 * with 0 to routes with our number, or, after too much at a time, to anything.
 */
typedef void (*linkwatch_touched)(unsigned int index, void *arg);

struct linkwatch *linkwatch_new_many(struct event_base *base, linkwatch_touched touched, void *arg);

/* Watches this interface from now on; 0: none. NULL is allowed for watch. */
void linkwatch_set(struct linkwatch *watch, unsigned int index);

/* NULL is allowed. */
void linkwatch_free(struct linkwatch *watch);

#endif
