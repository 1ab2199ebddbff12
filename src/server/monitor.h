/* SPDX-License-Identifier: BSD-2-Clause */
/* The server's monitor: root, without network input. docs/architecture.md. */
#ifndef DTCP_SERVER_MONITOR_H
#define DTCP_SERVER_MONITOR_H

#include "server/options.h"

/* Runs the program; argc and argv are what the rooms are started with. Returns its exit status. */
int server_monitor_run(const struct server_options *options, int argc, char *const argv[]);

#endif
