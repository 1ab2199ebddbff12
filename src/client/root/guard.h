/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The client's guard process, which only waits. A tunnel's interface, addresses and routes go with
 * the descriptor of its device, but reject routes and whatever the script has made stay when the
 * root process is killed. The guard then runs the script with "down" and removes the routes.
 */
#ifndef DTCP_CLIENT_ROOT_GUARD_H
#define DTCP_CLIENT_ROOT_GUARD_H

#include "process/process.h"

/* Runs as root until the root process closes the channel. Returns the exit status. */
int client_guard_run(const struct process_self *self);

#endif
