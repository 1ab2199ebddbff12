/* SPDX-License-Identifier: BSD-2-Clause */
/* The client's root process, which reads nothing from the network. docs/architecture.md. */
#ifndef DTCP_CLIENT_ROOT_ROOT_H
#define DTCP_CLIENT_ROOT_ROOT_H

#include "process/process.h"

/* Messages that it accepts from control; for the table. */
extern const struct process_rows client_root_rows;

/* Runs the program; argc and argv are the arguments for its processes. Returns its exit status. */
int client_root_run(const struct program *program, int argc, char *const argv[]);

#endif
