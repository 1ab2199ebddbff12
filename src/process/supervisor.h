/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the root processes of both programs have in common: the way into the background, with the
 * pid file; starting the processes of the table and opening the channels to them; signals, the
 * service manager and its watchdog; the control socket's file; and that the end of any process is
 * the end of the program.
 *
 * The order of calls: supervisor_new(), supervisor_claim(), whatever may fail while somebody sits
 * at the terminal, supervisor_daemonize(), supervisor_start(), supervisor_run(), supervisor_stop(),
 * supervisor_free(). Processes are named by their place in the table; what is sent to one that has
 * not been started waits for it.
 */
#ifndef DTCP_PROCESS_SUPERVISOR_H
#define DTCP_PROCESS_SUPERVISOR_H

#include "process/children.h"
#include "process/process.h"
#include "process/service.h"

#include <event2/event.h>

/* Exit statuses of both programs. */
enum { SUPERVISOR_OK = 0, SUPERVISOR_FAILED = 1, SUPERVISOR_USAGE = 2 };

/* What only the program knows to do. NULL: nothing, but for stop(). */
struct supervisor_events {
	void (*report)(void *arg); /* SIGUSR1 */
	void (*reload)(void *arg); /* SIGHUP */
	void (*renew)(void *arg);  /* SIGUSR2 */
	/* SIGTERM, SIGINT: has the process end whose exit status is the program's. */
	void (*stop)(void *arg);
	/* It came again: nothing is waited for any more, and end() follows. */
	void (*hurry)(void *arg);
	/* A process is late because of something that takes its time: it is not to blame. */
	bool (*busy)(void *arg);
	/*
	 * The end has begun, once, with that exit status: what has to be done before it, and then
	 * supervisor_leave(). NULL: it is left at once.
	 */
	void (*end)(int status, void *arg);
	/* A child has ended that is no process of the table from the start; status as of wait(2).
	 */
	void (*reaped)(pid_t pid, int status, void *arg);
};

struct supervisor;

/*
 * Holds signals back, and finds out what a service manager wants to know. arg is for the events and
 * for the handlers of all messages. NULL after logging: *status is the exit status.
 */
struct supervisor *supervisor_new(const struct program *program,
				  const struct supervisor_events *events, void *arg, int *status);

/* Takes the pid file. False after logging. */
bool supervisor_claim(struct supervisor *supervisor);

/*
 * Makes the control socket, which is removed at the end, and puts it into *fd, which is the
 * caller's: -1 if the program has none. False after logging.
 */
bool supervisor_listen(struct supervisor *supervisor, int *fd);

/* Becomes a daemon, if the program is one, and takes signals. False after logging. */
bool supervisor_daemonize(struct supervisor *supervisor);

/*
 * Starts the processes, with argc and argv as their arguments, which must stay valid, and gives up
 * the capabilities that were needed for it. False after logging.
 */
bool supervisor_start(struct supervisor *supervisor, int argc, char *const argv[]);

/* Runs until the end. Returns the exit status. */
int supervisor_run(struct supervisor *supervisor);

/* Removes the control socket, closes the channels, guards' last, and waits for all processes to
 * end.
 */
void supervisor_stop(struct supervisor *supervisor);

/* What is left, the pid file first. NULL is allowed. */
void supervisor_free(struct supervisor *supervisor);

struct event_base *supervisor_base(const struct supervisor *supervisor);
struct children *supervisor_children(const struct supervisor *supervisor);

/* For what the service manager is told; it hears by itself that the end begins, and of a reload. */
struct service *supervisor_service(const struct supervisor *supervisor);

/* True once the end has begun. */
bool supervisor_is_ending(const struct supervisor *supervisor);

/*
 * As ipc_send(); if a process that is there cannot be told, the program ends. One whose channel is
 * closed, or that is not wanted, hears nothing.
 */
void supervisor_send(struct supervisor *supervisor, size_t place, uint32_t type, const void *body,
		     size_t size, int fd);

/* All processes log so much from now on, this one as well; but for guards. */
void supervisor_log_debug(struct supervisor *supervisor, bool debug);

/* Messages that a process has not taken yet: as ipc_backlog(), 0 if there is no channel. */
size_t supervisor_backlog(const struct supervisor *supervisor, size_t place);

/* Says nothing more to a process and hears nothing more of it, which ends it. */
void supervisor_close(struct supervisor *supervisor, size_t place);

/* Begins the end of the program, unless it has begun. */
void supervisor_end(struct supervisor *supervisor, int status);

/* The same with SUPERVISOR_FAILED, for a reason that is logged. */
__attribute__((format(printf, 2, 3))) void supervisor_fail(struct supervisor *supervisor,
							   const char *format, ...);

/* Leaves supervisor_run(). */
void supervisor_leave(struct supervisor *supervisor);

#endif
