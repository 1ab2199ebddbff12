/* SPDX-License-Identifier: BSD-2-Clause */
/* Other instances of the server: running ones, and leftovers of killed ones. Root process only. */
#ifndef DTCP_SERVER_ROOT_INSTANCE_H
#define DTCP_SERVER_ROOT_INSTANCE_H

#include "netconf/netlink.h"
#include "server/options.h"

#include <stdbool.h>

/*
 * Claims an existing database, so that no other server uses it at the same time: both would assign
 * the same prefixes. The lock is on the file DATABASE.lock, and is held by this process and those
 * that inherit its descriptor. Returns the descriptor, or -1 after logging.
 */
int instance_claim(const char *database);

/* Writes our process id into the lock file. */
void instance_write(int lock);

/* Releases the database, and closes the lock file. */
void instance_release(const char *database, int lock);

/*
 * Removes leftovers that would be in the way of this instance: interfaces with our alias that no
 * process has open, and reject routes of ours inside our prefixes. Removals are logged; failures
 * show later if the leftover is in the way.
 */
void instance_sweep(const struct server_options *options, struct netlink *netlink);

#endif
