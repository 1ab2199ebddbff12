/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The client's control room: talks to the server, unprivileged, and does what the session's state
 * machine (client/control/session.h) says.
 */
#ifndef DTCP_CLIENT_CONTROL_CONTROL_H
#define DTCP_CLIENT_CONTROL_CONTROL_H

#include "client/options.h"

/*
 * Runs until the session ends or monitor closes the channel; forward_fd is -1 where there is no
 * forward room. Returns the program's exit status (client/exits.h).
 */
int client_control_run(const struct client_options *options, int monitor_fd, int forward_fd);

#endif
