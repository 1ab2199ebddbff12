/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The process that looks up the name of one server with the system's resolver, sends control the
 * result, and ends. The root process starts one for each look-up (lookup.h).
 */
#ifndef DTCP_CLIENT_RESOLVER_RESOLVER_H
#define DTCP_CLIENT_RESOLVER_RESOLVER_H

#include "client/msg.h"
#include "process/process.h"

#include <stdbool.h>

/* Its name in --room, followed by the server's index. */
#define RESOLVER_NAME "resolver"

/* Looks name up. Blocks as long as the system's resolver does. */
void resolver_look_up(const char *name, struct client_addresses *addresses);

/* Seconds after which the root process kills it. */
#define RESOLVER_TIMEOUT 60

/*
 * Called before the sandbox; its only channel is to control. From now on it is killed as soon as
 * control has ended or closed the channel. False: that has already happened.
 */
bool client_resolver_prepare(const struct process_self *self);

/* Looks up the server of the process's number, and sends control the result. Returns the exit
 * status. */
int client_resolver_run(const struct process_self *self);

#endif
