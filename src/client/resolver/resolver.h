/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The process that looks up the name of one server, with the system's own resolver, tells control
 * what it has found, and ends. Root's process starts one for each look-up (lookup.h).
 */
#ifndef DTCP_CLIENT_RESOLVER_RESOLVER_H
#define DTCP_CLIENT_RESOLVER_RESOLVER_H

#include "client/msg.h"
#include "process/process.h"

#include <stdbool.h>

/* How it is called in --room, with the server's index behind it. */
#define RESOLVER_NAME "resolver"

/* Looks name up. Can take as long as the system's resolver does. */
void resolver_look_up(const char *name, struct client_addresses *addresses);

/* Seconds after which root's process ends it, whatever it does. */
#define RESOLVER_TIMEOUT 60

/*
 * Before the process is locked in; its one channel is to control. From now on it is ended as soon
 * as control is gone or has closed the channel. False: that is so already.
 */
bool client_resolver_prepare(const struct process_self *self);

/* Looks up the server of the process's number, and tells control. Returns the exit status. */
int client_resolver_run(const struct process_self *self);

#endif
