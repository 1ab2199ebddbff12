/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The root process of dtcpclient --check: opens sockets, starts the other processes, and prints the
 * steps that control reports. It has no interface, script or guard, and cannot make any.
 */
#ifndef DTCP_CLIENT_ROOT_CHECK_H
#define DTCP_CLIENT_ROOT_CHECK_H

#include "process/process.h"

/* Messages that it accepts from control. */
extern const struct process_rows client_check_rows;

/* Runs the check; argc and argv are for the other processes. Returns the exit status. */
int client_check_run(const struct program *program, int argc, char *const argv[]);

#endif
