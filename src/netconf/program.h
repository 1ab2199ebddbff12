/* SPDX-License-Identifier: BSD-2-Clause */
/* Runs other programs of the system, such as nft and radvd. */
#ifndef DTCP_NETCONF_PROGRAM_H
#define DTCP_NETCONF_PROGRAM_H

#include <event2/event.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define PROGRAM_PATH_SIZE 64

/* Finds a program of the system by its name. False if there is none. */
bool program_find(const char *name, char path[static PROGRAM_PATH_SIZE]);

/* How a program is started: as root, and as the leader of a process group. */
struct program_child {
	const char *path;
	char *const *words; /* its arguments, the first of which is its name; NULL at the end */
	char *const *environment;  /* the same; NULL: PATH and the locale "C" */
	int input, output, errors; /* its standard descriptors; -1: ours */
	/*
	 * In the folder "/", with only the capabilities for network configuration, and with SIGPIPE
	 * reset.
	 */
	bool limited;
	bool bound; /* sent SIGTERM when the calling process dies, for whatever reason */
};

/* Starts it. Returns its process id, or -errno if it cannot be run; logs nothing. */
pid_t program_spawn(const struct program_child *child);

/* Whether it has ended with status 0; status as from wait(2). False after logging. */
bool program_succeeded(const char *path, int status);

/*
 * Runs the system's program words[0], limited, with input as its standard input, and waits for its
 * end, 10 s at most. Returns 0, or -errno after logging its output; -EIO if it has failed.
 */
int program_run(char *const words[], const char *input);

/*
 * The same without input; returns its standard output, to be freed. NULL if it fails, takes longer
 * than milliseconds or writes more than max; logs nothing.
 */
char *program_read(char *const words[], size_t max, int milliseconds);

/*
 * Starts the system's program words[0] in the background, limited and bound. Its output is logged.
 * Returns its process id, or -errno after logging.
 */
pid_t program_start(struct event_base *base, char *const words[]);

/* fork(2), with all signals blocked in the child, which must not run the parent's handlers. */
pid_t program_fork(void);

/*
 * Sends the program SIGTERM, and kills it if it does not end within 5 s; then waits as long for
 * each child that it had. mine: it is this process's child, and is reaped; otherwise it is a child
 * of a dead process, and nothing happens if another program has its process id by now. It is
 * identified by its name, as in /proc.
 */
void program_end(pid_t pid, const char *name, bool mine);

#endif
