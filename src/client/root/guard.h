/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The client's guard: a process that only waits. A tunnel's interface, addresses and routes go with
 * the descriptor of its device, but nothing takes a reject route or what the script made with it
 * when root's process is killed. The guard then runs the script with "down" and removes the route.
 */
#ifndef DTCP_CLIENT_ROOT_GUARD_H
#define DTCP_CLIENT_ROOT_GUARD_H

#include "process/process.h"

/* Runs, as root, until root's process closes the channel. Returns the exit status. */
int client_guard_run(const struct process_self *self);

#endif
