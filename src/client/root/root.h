/* SPDX-License-Identifier: BSD-2-Clause */
/* The client's root process: without network input. docs/architecture.md. */
#ifndef DTCP_CLIENT_ROOT_ROOT_H
#define DTCP_CLIENT_ROOT_ROOT_H

#include "process/process.h"

/* What it takes from its control process; for the table. */
extern const struct process_rows client_root_rows;

/*
 * Runs the program; argc and argv are what its processes are started with. Returns its exit
 * status.
 */
int client_root_run(const struct program *program, int argc, char *const argv[]);

#endif
