/* SPDX-License-Identifier: BSD-2-Clause */
/* dtcps --check. */
#ifndef DTCP_SERVER_ROOT_CHECK_H
#define DTCP_SERVER_ROOT_CHECK_H

#include "server/options.h"

/*
 * Says whether the server could be started with these settings, as far as that can be seen without
 * starting it, or going on with them: looks at the system user and reads all of the database.
 * Returns the exit status.
 */
int server_check(const struct server_options *options);

#endif
