/* SPDX-License-Identifier: BSD-2-Clause */
/* dtcps --check, and what of it is said at each start. */
#ifndef DTCP_SERVER_ROOT_CHECK_H
#define DTCP_SERVER_ROOT_CHECK_H

#include "server/options.h"

/*
 * Says whether the server could be started with these settings, as far as that can be seen without
 * starting it, or going on with them: looks at the system user and reads all of the database; and
 * what of this machine would keep tunnels from working (judge.h). Returns the exit status, which is
 * 0 in the latter case.
 */
int server_check(const struct server_options *options);

/* The same of the machine alone, at a start, as warnings. */
void server_check_machine(const struct server_options *options);

#endif
