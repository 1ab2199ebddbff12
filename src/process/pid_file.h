/* SPDX-License-Identifier: BSD-2-Clause */
/* The pid file: root's process has it, and holds a lock on it; if it is killed, the guard removes
 * the file. */
#ifndef DTCP_PROCESS_PID_FILE_H
#define DTCP_PROCESS_PID_FILE_H

#include <stdbool.h>
#include <sys/types.h>

struct pidfh;

/* Takes it, if no other program has it; *file is NULL if path is. False after logging. */
bool pid_file_claim(const char *path, struct pidfh **file);

/* This process is the one whose id it has. NULL is allowed, here and below. */
void pid_file_write(struct pidfh *file);

/* Removes it, if a guard has not been quicker. */
void pid_file_remove(struct pidfh *file);

/* For a guard: removes the file of the process with that id. */
void pid_file_sweep(const char *path, pid_t pid);

#endif
