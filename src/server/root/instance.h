/* SPDX-License-Identifier: BSD-2-Clause */
/* Other instances of the server: one that runs, and one that was killed. Root's side. */
#ifndef DTCP_SERVER_ROOT_INSTANCE_H
#define DTCP_SERVER_ROOT_INSTANCE_H

#include "netconf/netlink.h"
#include "server/options.h"

#include <stdbool.h>

/*
 * Claims a database that is there, so that no other server uses it at the same time: both would
 * give out the same prefixes. The lock is the file DATABASE.lock, and goes with this process and
 * those that it has not closed the descriptor in. Returns that, or -1 after logging why.
 */
int instance_claim(const char *database);

/* Writes our process id into the lock. */
void instance_write(int lock);

/* Gives the database back, and closes the lock. */
void instance_release(const char *database, int lock);

/*
 * Removes what would be in the way of this one: interfaces with our alias that nobody holds, and
 * reject routes of ours inside our prefixes. What it removes is logged; what it cannot remove shows
 * when it is in the way.
 */
void instance_sweep(const struct server_options *options, struct netlink *netlink);

#endif
