/* SPDX-License-Identifier: BSD-2-Clause */
/* dtcps --check, and the part of it that is logged at each start. */
#ifndef DTCP_SERVER_ROOT_CHECK_H
#define DTCP_SERVER_ROOT_CHECK_H

#include "server/options.h"

/*
 * Reports whether the server could be started with these settings, or could continue with them, as
 * far as that can be determined without starting it: checks the system user and reads the whole
 * database; and what on this machine would keep tunnels from working (judge.h). Returns the exit
 * status, which is 0 in the latter case.
 */
int server_check(const struct server_options *options);

/* The checks of the machine only, at a start, as warnings. */
void server_check_machine(const struct server_options *options);

#endif
