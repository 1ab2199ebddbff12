/* SPDX-License-Identifier: BSD-2-Clause */
/* What monitor tells the rooms at their start, and forward again when settings change. */
#ifndef DTCP_SERVER_ROOT_FURNISH_H
#define DTCP_SERVER_ROOT_FURNISH_H

#include "process/ipc.h"
#include "server/options.h"
#include "server/root/supplies.h"
#include "users/users.h"

/*
 * Hands over all that the rooms need, and supplies has, the listening socket last: with it the
 * server is open. Returns 0 or -errno.
 */
int furnish(struct supplies *supplies, const struct server_options *options, struct users *users,
	    struct ipc *control, struct ipc *forward);

/* What forward has to know of the settings that can change. Returns 0 or -errno. */
int furnish_settings(const struct server_options *options, struct ipc *forward);

#endif
