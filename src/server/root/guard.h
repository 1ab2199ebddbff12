/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The server's guard: a process that only waits, if there is a pid file. Everything else that
 * root's process has made goes with its descriptors when it is killed.
 */
#ifndef DTCP_SERVER_ROOT_GUARD_H
#define DTCP_SERVER_ROOT_GUARD_H

#include "server/options.h"

/* Waits, as root, until root's process closes the channel; then removes its pid file. */
void server_guard_run(const struct server_options *options, int root_fd);

#endif
