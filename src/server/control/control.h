/* SPDX-License-Identifier: BSD-2-Clause */
/* The server's control process: accepts connections, unprivileged, and has the sessions. */
#ifndef DTCP_SERVER_CONTROL_CONTROL_H
#define DTCP_SERVER_CONTROL_CONTROL_H

#include "server/options.h"

/* Runs until the root process closes the channel or sends STOP. Returns the exit status. */
int server_control_run(struct server_options *options, int monitor_fd, int accounts_fd,
		       int forward_fd);

#endif
