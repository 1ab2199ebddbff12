/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Notices what others do to interfaces of ours: that one is removed, renamed or set down, that IPv6
 * is turned off for it, or that addresses or routes of it are removed.
 */
#ifndef DTCP_NETCONF_LINKWATCH_H
#define DTCP_NETCONF_LINKWATCH_H

#include "netconf/netlink.h"

#include <event2/event.h>

struct linkwatch;

/*
 * Something of that kind may have happened to the interface with this index, which need not be one
 * of ours; with 0 to reject routes of ours or to somebody's route in the very place of one, or,
 * after too much at a time, to anything.
 */
typedef void (*linkwatch_touched)(unsigned int index, void *arg);

/*
 * Routes that are removed by way of own are not told of: it is our own doing. own may be NULL, and
 * must stay valid. NULL, after a line in the log, if the kernel cannot be listened to.
 */
struct linkwatch *linkwatch_new(struct event_base *base, const struct netlink *own,
				linkwatch_touched touched, void *arg);

/* NULL is allowed. */
void linkwatch_free(struct linkwatch *watch);

#endif
