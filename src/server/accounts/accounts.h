/* SPDX-License-Identifier: BSD-2-Clause */
/* The accounts process, which has the user database. docs/architecture.md. */
#ifndef DTCP_SERVER_ACCOUNTS_ACCOUNTS_H
#define DTCP_SERVER_ACCOUNTS_ACCOUNTS_H

#include "server/options.h"

/* Returns the exit status. The root directory is the database's folder. */
int server_accounts_run(const struct server_options *options, int root_fd, int control_fd);

#endif
