/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Other people's programs that do a part of root's work: run as root, with an environment built
 * from nothing, and with no more capabilities than the network needs.
 */
#ifndef DTCP_NETCONF_PROGRAM_H
#define DTCP_NETCONF_PROGRAM_H

#include <event2/event.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/types.h>

#define PROGRAM_PATH_SIZE 64

/* Looks for a program of the system by its name. False where there is none. */
bool program_find(const char *name, char path[static PROGRAM_PATH_SIZE]);

/* A file in memory, for the input of program_run(). NULL where there is none. */
FILE *program_input(void);

/*
 * Runs words[0], a path, to its end, with what input has to be read as its standard input; waits
 * for it, 10 s at most. Returns 0, or -errno after logging what it has said; -EIO where it has
 * failed.
 */
int program_run(char *const words[], FILE *input);

/*
 * Starts words[0], a path, in the background. What it says goes to the log. It is told to end
 * (SIGTERM) when the calling process dies, however that does. Returns its process id or -errno,
 * after logging.
 */
pid_t program_start(struct event_base *base, char *const words[]);

/*
 * fork(2), with all signals blocked in the child: what the parent would do about one is not for it.
 */
pid_t program_fork(void);

/*
 * Asks the program to end, and kills it if it does not within 5 s. mine: it is this process's
 * child, and is reaped; else it is somebody's who has died, and nothing happens if another program
 * has the number by now. It is known by its name, as /proc has it.
 */
void program_end(pid_t pid, const char *name, bool mine);

#endif
