/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The control socket on root's side: made before the processes start, given to control, and removed
 * at the end, by the guard if need be. Nobody has to be able to ask, so whatever fails is logged,
 * and that is all.
 */
#ifndef DTCP_CLIENT_ROOT_SOCKET_H
#define DTCP_CLIENT_ROOT_SOCKET_H

#include "client/options.h"
#include "ctl/listen.h"
#include "process/supervisor.h"

struct socket {
	struct ctl_listen listen;
	int fd; /* until control has it; -1: there is none */
};

/* While somebody may sit at the terminal, once the tunnel's interface is known to be ours. */
void socket_open(struct socket *socket, const struct client_options *options);

/* Once this is the process that takes signals, whose id control is told. */
void socket_give(struct socket *socket, struct supervisor *supervisor,
		 const struct client_options *options);

/* Once the guard has been started. */
void socket_tell_guard(const struct socket *socket, struct supervisor *supervisor);

void socket_close(struct socket *socket);

#endif
