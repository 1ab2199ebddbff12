/* SPDX-License-Identifier: BSD-2-Clause */
/* The client's monitor: root, without network input. docs/architecture.md. */
#ifndef DTCP_CLIENT_ROOT_MONITOR_H
#define DTCP_CLIENT_ROOT_MONITOR_H

#include "client/options.h"

/* Runs the program; argc and argv are what the rooms are started with. Returns its exit status. */
int client_monitor_run(const struct client_options *options, int argc, char *const argv[]);

#endif
