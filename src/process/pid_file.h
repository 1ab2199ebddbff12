/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The pid file: root's process holds a lock on it; if root's process is killed, the guard removes
 * the file.
 */
#ifndef DTCP_PROCESS_PID_FILE_H
#define DTCP_PROCESS_PID_FILE_H

#include <stdbool.h>
#include <sys/types.h>

struct pidfh;

/* Opens and locks the file, unless another process has it; *file is NULL if path is. False after
 * logging. */
bool pid_file_claim(const char *path, struct pidfh **file);

/* Writes this process's id into the file. NULL is allowed, here and below. */
void pid_file_write(struct pidfh *file);

/* Removes the file, unless a guard has already done so. */
void pid_file_remove(struct pidfh *file);

/* For a guard: removes the file of the process with that id. */
void pid_file_sweep(const char *path, pid_t pid);

#endif
