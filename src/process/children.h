/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The children of the root process: starting them, noticing their end, ending them. A list has
 * those that execute this program again; for others (scripts) only their end is reported.
 */
#ifndef DTCP_PROCESS_CHILDREN_H
#define DTCP_PROCESS_CHILDREN_H

#include <event2/event.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* Largest number of children in the list. */
#define CHILDREN_MAX 16

/* A child has ended; name is NULL if it is not in the list. status as from wait(2). */
typedef void (*children_ended)(const char *name, pid_t pid, int status, void *arg);

struct children;

/* argc and argv are the arguments of the children, and must stay valid. NULL if memory is short. */
struct children *children_new(struct event_base *base, int argc, char *const argv[],
			      children_ended ended, void *arg);

/*
 * Executes this program again as the process name, with number appended to the name unless it is
 * negative. fds become its descriptors PROCESS_FD and on, and are closed here in any case; it
 * inherits no others. Unless logs is true, its log is a pipe to this process, which passes it on to
 * standard error or syslog; otherwise it logs by itself. name must stay valid. Returns its process
 * id, or -errno after logging.
 */
pid_t children_start(struct children *children, const char *name, int number, bool logs,
		     const int fds[], size_t n_fds);

/*
 * Kills a child whose log goes through this process, and removes it from the list; the rest of its
 * output is logged.
 */
void children_kill(struct children *children, pid_t pid);

/*
 * Waits for the children of the list to end by themselves, as they do once their channels are
 * closed, kills those that have not ended after two seconds, and frees children. NULL is allowed.
 */
void children_end(struct children *children);

/*
 * Whether the end of a process was only a consequence of another's: it exited normally because a
 * channel was closed.
 */
bool children_is_consequence(int status);

/*
 * The end of a child as text: "exit status 1", "killed by signal 9", or by its sandbox. Returns a
 * static buffer.
 */
const char *children_status_text(int status);

#endif
