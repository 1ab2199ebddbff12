/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Notices what others do to interfaces of ours: that one is removed, renamed or set down, that IPv6
 * is turned off for it, or that addresses or routes of it are removed.
 */
#ifndef DTCP_NETCONF_INTERFACE_WATCH_H
#define DTCP_NETCONF_INTERFACE_WATCH_H

#include "netconf/netlink.h"

#include <event2/event.h>
#include <stdint.h>

struct interface_watch;

struct interface_watch_owner {
	/*
	 * Something of that kind may have happened to the interface with this index, which need not
	 * be one of ours; with 0 to reject routes of ours or to somebody's route in the very place
	 * of one, or, after too much at a time, to anything.
	 */
	void (*touched)(unsigned int index, void *arg);
	/*
	 * The interface with this index has got an address, or a network that is on-link there, or
	 * has lost one; or, with 0, there is another default route. NULL for those who need not
	 * know.
	 */
	void (*neighbours)(unsigned int index, void *arg);
	/*
	 * Somebody has added or removed a route that is neither ours nor the kernel's; which can be
	 * all the time. NULL as well.
	 */
	void (*routes)(void *arg);
	/* It is time to look, as was asked for below. */
	void (*look)(void *arg);
	void *arg;
	/* Routes that are removed by way of it are not told of: it is our own doing. May be NULL.
	 */
	const struct netlink *own;
};

/* NULL, after a line in the log, if the kernel cannot be listened to. */
struct interface_watch *interface_watch_new(struct event_base *base,
					    const struct interface_watch_owner *owner);

/* NULL is allowed here and below. */
void interface_watch_free(struct interface_watch *watch);

/*
 * Has look() called by that time (clock_ms()) at the latest; or soon: when the steps of one change
 * are done, and 5 seconds after the last repair at the earliest, since somebody may undo it each
 * time.
 */
void interface_watch_look_by(struct interface_watch *watch, int64_t when);
void interface_watch_look_soon(struct interface_watch *watch);

/* A look has found something to repair. */
void interface_watch_repaired(struct interface_watch *watch);

#endif
