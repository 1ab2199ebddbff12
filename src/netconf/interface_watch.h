/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Detects changes of our interfaces from outside: an interface is removed, renamed or set down,
 * IPv6 is turned off for it, or its addresses or routes are removed.
 */
#ifndef DTCP_NETCONF_INTERFACE_WATCH_H
#define DTCP_NETCONF_INTERFACE_WATCH_H

#include "netconf/netlink.h"

#include <event2/event.h>
#include <stdint.h>

struct interface_watch;

struct interface_watch_owner {
	/*
	 * Such a change may have happened to the interface with this index, which need not be one
	 * of ours; with 0, to reject routes of ours or to a foreign route with the same key, or,
	 * after an overflow, to anything.
	 */
	void (*touched)(unsigned int index, void *arg);
	/*
	 * The interface with this index has got or lost an address, or an on-link network; or, with
	 * 0, a default route has changed. Can be NULL.
	 */
	void (*neighbours)(unsigned int index, void *arg);
	/*
	 * A route that is neither ours nor the kernel's was added or removed, which can happen all
	 * the time. Can be NULL.
	 */
	void (*routes)(void *arg);
	/* Time for the check that was requested below. */
	void (*look)(void *arg);
	void *arg;
	/* Routes removed through it are not reported, being our own changes. Can be NULL. */
	const struct netlink *own;
};

/* NULL after logging if notifications are not available. */
struct interface_watch *interface_watch_new(struct event_base *base,
					    const struct interface_watch_owner *owner);

/* NULL is allowed here and below. */
void interface_watch_free(struct interface_watch *watch);

/*
 * Requests that look() is called by that time (clock_ms()) at the latest; or soon: when the steps
 * of one change are done, and 5 seconds after the last repair at the earliest, since another
 * program may undo it each time.
 */
void interface_watch_look_by(struct interface_watch *watch, int64_t when);
void interface_watch_look_soon(struct interface_watch *watch);

/* To be called when a check has found something to repair. */
void interface_watch_repaired(struct interface_watch *watch);

#endif
