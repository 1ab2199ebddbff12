/* SPDX-License-Identifier: BSD-2-Clause */
/* The DTCP user and the password to log in with, from file or terminal. */
#ifndef DTCP_CLIENT_ROOT_ACCOUNT_H
#define DTCP_CLIENT_ROOT_ACCOUNT_H

#include "client/exits.h"
#include "client/msg.h"
#include "client/options.h"

/* The DTCP user: -u, otherwise the login name. NULL after logging if there is no valid one. */
const char *account_user(const struct client_options *options);

/* The password for each server of the command line. */
struct account_passwords {
	char text[CLIENT_SERVERS_MAX][DTCP_PASSWORD_MAX + 1];
};

/*
 * Gets the passwords of user: from the password file; for servers without an entry there, by one
 * prompt at the terminal. Returns CLIENT_OK, or the exit status after logging. The caller wipes
 * passwords.
 */
enum client_exit account_get(const struct client_options *options, const char *user,
			     struct account_passwords *passwords);

#endif
