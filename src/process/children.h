/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The children of root's process: starting them, noticing their end, ending them. Those that run
 * the program again are in a list; others (scripts) are noticed only.
 */
#ifndef DTCP_PROCESS_CHILDREN_H
#define DTCP_PROCESS_CHILDREN_H

#include <event2/event.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* Most that are in the list at once. */
#define CHILDREN_MAX 16

/* A child has ended; name is NULL if it is not in the list. status as of wait(2). */
typedef void (*children_ended)(const char *name, pid_t pid, int status, void *arg);

struct children;

/* argc and argv are what they are started with, and must stay valid. NULL if memory is short. */
struct children *children_new(struct event_base *base, int argc, char *const argv[],
			      children_ended ended, void *arg);

/*
 * Executes this program again as the process name, with that number behind its name if it is not
 * negative. fds become its descriptors PROCESS_FD and on, and are closed here in any case; it gets
 * no others. Its log goes through us, unless it logs by itself, to our standard error or syslog.
 * name must stay valid. Returns its process id or -errno after logging.
 */
pid_t children_start(struct children *children, const char *name, int number, bool logs,
		     const int fds[], size_t n_fds);

/* Kills one whose log goes through us, and takes it from the list; what it still has to say is
 * logged. */
void children_kill(struct children *children, pid_t pid);

/*
 * Waits for those of the list to end by themselves, as they do once their channels are closed, and
 * kills those that have not after two seconds; then frees. NULL is allowed.
 */
void children_end(struct children *children);

/*
 * True if the end of a process is only the consequence of another's: it left in good order because
 * a channel was closed.
 */
bool children_is_consequence(int status);

/* The end of a child in words: "exit status 1", "killed by signal 9", or by its sandbox. Static
 * buffer. */
const char *children_status_text(int status);

#endif
