/* SPDX-License-Identifier: BSD-2-Clause */
/* What monitor tells the rooms at their start. */
#ifndef DTCP_CLIENT_ROOT_FURNISH_H
#define DTCP_CLIENT_ROOT_FURNISH_H

#include "client/options.h"
#include "client/root/account.h"
#include "client/root/supplies.h"
#include "process/ipc.h"

/*
 * Hands over all that the rooms need, and supplies has; only where there is a forward room. Returns
 * 0 or -errno.
 */
int furnish(struct supplies *supplies, struct ipc *control, struct ipc *forward);

/*
 * Gives forward another UDP socket, with any free port. Returns 0, also if none can be had, which
 * has been logged, or -errno.
 */
int furnish_candidate(struct ipc *forward);

/* Who logs in, and with what; then control begins. Wipes passwords. Returns 0 or -errno. */
int furnish_account(const struct supplies *supplies, const struct client_options *options,
		    const char *user, struct account_passwords *passwords, struct ipc *control);

#endif
