/* SPDX-License-Identifier: BSD-2-Clause */
/* The server's monitor: root, without network input. docs/architecture.md. */
#ifndef DTCP_SERVER_ROOT_MONITOR_H
#define DTCP_SERVER_ROOT_MONITOR_H

#include "server/options.h"

/*
 * Runs the program. options are what argc and argv have said, which are read again at SIGHUP.
 * Returns its exit status.
 */
int server_monitor_run(struct server_options *options, int argc, char *const argv[]);

#endif
