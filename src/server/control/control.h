/* SPDX-License-Identifier: BSD-2-Clause */
/* The server's control room: takes connections, unprivileged, and keeps the sessions. */
#ifndef DTCP_SERVER_CONTROL_CONTROL_H
#define DTCP_SERVER_CONTROL_CONTROL_H

#include "server/options.h"

/* Runs until monitor closes the channel or says stop. Returns the exit status. */
int server_control_run(struct server_options *options, int monitor_fd, int accounts_fd,
		       int forward_fd);

#endif
