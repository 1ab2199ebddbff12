/* SPDX-License-Identifier: BSD-2-Clause */
/* The server's root process: without network input. docs/architecture.md. */
#ifndef DTCP_SERVER_ROOT_ROOT_H
#define DTCP_SERVER_ROOT_ROOT_H

#include "process/process.h"

/* What it takes from accounts, and from control; for the table. */
extern const struct process_rows server_root_rows;
extern const struct process_rows server_root_control_rows;

/*
 * Runs the program. The program's options are what argc and argv have said, which are read again at
 * SIGHUP. Returns its exit status.
 */
int server_root_run(const struct program *program, int argc, char *const argv[]);

#endif
