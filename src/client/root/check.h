/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The root process of dtcpclient --check: opens sockets, starts the other processes, and shows what
 * control says. It has no interface, script or guard, and nothing to make one with.
 */
#ifndef DTCP_CLIENT_ROOT_CHECK_H
#define DTCP_CLIENT_ROOT_CHECK_H

#include "process/process.h"

/* What control can say to it. */
extern const struct process_rows client_check_rows;

/* Runs the check; argc and argv are for the other processes. Returns the exit status. */
int client_check_run(const struct program *program, int argc, char *const argv[]);

#endif
