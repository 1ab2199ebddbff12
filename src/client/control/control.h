/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The client's control process: talks to the server, unprivileged, and carries out the actions of
 * the session's state machine (client/control/session.h).
 */
#ifndef DTCP_CLIENT_CONTROL_CONTROL_H
#define DTCP_CLIENT_CONTROL_CONTROL_H

#include "client/options.h"

/*
 * Runs until the session ends or the root process closes the channel; forward_fd is -1 if there is
 * no forward. Returns the program's exit status (client/exits.h).
 */
int client_control_run(const struct client_options *options, int root_fd, int forward_fd);

#endif
