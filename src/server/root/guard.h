/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The server's guard: a room that only waits, where there is a pid file. Everything else that
 * monitor has made goes with its descriptors when it is killed.
 */
#ifndef DTCP_SERVER_ROOT_GUARD_H
#define DTCP_SERVER_ROOT_GUARD_H

#include "server/options.h"

/* Waits, as root, until monitor's end of the channel closes; then removes its pid file. */
void server_guard_run(const struct server_options *options, int monitor_fd);

#endif
