/* SPDX-License-Identifier: BSD-2-Clause */
/* Who logs in: the DTCP user and the password, from file or terminal. */
#ifndef DTCP_CLIENT_ACCOUNT_H
#define DTCP_CLIENT_ACCOUNT_H

#include "client/exits.h"
#include "client/msg.h"
#include "client/options.h"

/* The DTCP user: -u, else the login name. NULL, logged, where there is none that can be one. */
const char *account_user(const struct client_options *options);

/*
 * Fills account: from the password file, else from the terminal. Returns CLIENT_OK, or the exit
 * status after logging.
 */
enum client_exit account_get(const struct client_options *options, const char *user,
			     struct client_account *account);

#endif
