/* SPDX-License-Identifier: BSD-2-Clause */
/* The server's monitor: root, without network input. docs/architecture.md. */
#ifndef DTCP_SERVER_MONITOR_H
#define DTCP_SERVER_MONITOR_H

#include "server/options.h"

/* Runs the program; the rooms are started by the same name. Returns its exit status. */
int server_monitor_run(const struct server_options *options, const char *program);

#endif
