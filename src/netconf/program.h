/* SPDX-License-Identifier: BSD-2-Clause */
/* Other people's programs that do a part of root's work. */
#ifndef DTCP_NETCONF_PROGRAM_H
#define DTCP_NETCONF_PROGRAM_H

#include <event2/event.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define PROGRAM_PATH_SIZE 64

/* Looks for a program of the system by its name. False if there is none. */
bool program_find(const char *name, char path[static PROGRAM_PATH_SIZE]);

/* How a program is started: as root, and as the leader of a process group. */
struct program_child {
	const char *path;
	char *const *words; /* its arguments, the first of which is its name; NULL at the end */
	char *const *environment;  /* the same; NULL: PATH and the locale "C" */
	int input, output, errors; /* its standard descriptors; -1: ours */
	/* In the folder "/", with no more capabilities than the network needs, and without SIGPIPE.
	 */
	bool limited;
	bool bound; /* told to end (SIGTERM) when the calling process dies, however that does */
};

/* Starts it. Returns its process id, or -errno if it cannot be run; nothing is logged. */
pid_t program_spawn(const struct program_child *child);

/* Whether it has ended with status 0, as of wait(2); else it is logged how. */
bool program_succeeded(const char *path, int status);

/*
 * Runs the program of the system that words[0] names to its end, limited, with that text as its
 * standard input; waits for it, 10 s at most. Returns 0, or -errno after logging what it has said;
 * -EIO if it has failed.
 */
int program_run(char *const words[], const char *input);

/*
 * The same without input; returns what it has written to its standard output, to be freed. NULL if
 * it fails, takes longer than that or writes more than max; nothing is logged.
 */
char *program_read(char *const words[], size_t max, int milliseconds);

/*
 * Starts the program of the system that words[0] names in the background, limited and bound. What
 * it says goes to the log. Returns its process id or -errno, after logging.
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
