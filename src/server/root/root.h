/* SPDX-License-Identifier: BSD-2-Clause */
/* The server's root process, which reads nothing from the network. docs/architecture.md. */
#ifndef DTCP_SERVER_ROOT_ROOT_H
#define DTCP_SERVER_ROOT_ROOT_H

#include "process/process.h"

/* Messages that it accepts from accounts, and from control; for the table. */
extern const struct process_rows server_root_rows;
extern const struct process_rows server_root_control_rows;

/*
 * Runs the program. The program's options are those of argc and argv, which are read again at
 * SIGHUP. Returns its exit status.
 */
int server_root_run(const struct program *program, int argc, char *const argv[]);

#endif
