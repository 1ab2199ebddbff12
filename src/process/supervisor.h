/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The common part of the root processes of both daemons: going into the background, the pid file;
 * starting the processes of the table and making their channels; signals, the service manager and
 * its watchdog; the control socket's file. The end of any process ends the program.
 *
 * The order of calls: supervisor_new(), supervisor_claim(), whatever may fail while a user is at
 * the terminal, supervisor_daemonize(), supervisor_start(), supervisor_run(), supervisor_stop(),
 * supervisor_free(). Processes are identified by their index in the table; messages to a process
 * that has not been started wait for it.
 */
#ifndef DTCP_PROCESS_SUPERVISOR_H
#define DTCP_PROCESS_SUPERVISOR_H

#include "process/children.h"
#include "process/process.h"
#include "process/service.h"

#include <event2/event.h>

/* Exit statuses of both daemons. */
enum { SUPERVISOR_OK = 0, SUPERVISOR_FAILED = 1, SUPERVISOR_USAGE = 2 };

/* The program's callbacks. NULL: does nothing; stop() is required. */
struct supervisor_events {
	void (*report)(void *arg); /* SIGUSR1 */
	void (*reload)(void *arg); /* SIGHUP */
	void (*renew)(void *arg);  /* SIGUSR2 */
	/* SIGTERM, SIGINT: tells the process to end whose exit status becomes the program's. */
	void (*stop)(void *arg);
	/* SIGTERM or SIGINT came again: end() follows at once. */
	void (*hurry)(void *arg);
	/* Whether a process may be late because of a lengthy operation, which is no failure. */
	bool (*busy)(void *arg);
	/*
	 * The end has begun, with that exit status; called once. Does what must precede the end,
	 * then calls supervisor_leave(). NULL: leaves at once.
	 */
	void (*end)(int status, void *arg);
	/* A child that is not a process of the table has ended; status as of wait(2). */
	void (*reaped)(pid_t pid, int status, void *arg);
};

struct supervisor;

/*
 * Blocks signals, and finds the service manager. arg is for the callbacks and all message handlers.
 * NULL after logging: *status is the exit status.
 */
struct supervisor *supervisor_new(const struct program *program,
				  const struct supervisor_events *events, void *arg, int *status);

/* Takes the pid file. False after logging. */
bool supervisor_claim(struct supervisor *supervisor);

/*
 * Makes the control socket, which is removed at the end, and stores it in *fd, which the caller
 * owns; -1: the program has none. False after logging.
 */
bool supervisor_listen(struct supervisor *supervisor, int *fd);

/* Becomes a daemon, if configured, and starts to handle signals. False after logging. */
bool supervisor_daemonize(struct supervisor *supervisor);

/*
 * Starts the processes with argc and argv as their arguments, which must stay valid, and gives up
 * the capabilities needed for this. False after logging.
 */
bool supervisor_start(struct supervisor *supervisor, int argc, char *const argv[]);

/* Runs the event loop until the end. Returns the exit status. */
int supervisor_run(struct supervisor *supervisor);

/*
 * Removes the control socket, closes the channels (the guards' last), and waits for all processes
 * to end.
 */
void supervisor_stop(struct supervisor *supervisor);

/* Frees the rest, after removing the pid file. NULL is allowed. */
void supervisor_free(struct supervisor *supervisor);

struct event_base *supervisor_base(const struct supervisor *supervisor);
struct children *supervisor_children(const struct supervisor *supervisor);

/* For status messages to the service manager; the end and reloads are reported by themselves. */
struct service *supervisor_service(const struct supervisor *supervisor);

/* True once the end has begun. */
bool supervisor_is_ending(const struct supervisor *supervisor);

/*
 * As ipc_send(); if a running process cannot be sent a message, the program ends. No effect if the
 * channel is closed or the process is not wanted.
 */
void supervisor_send(struct supervisor *supervisor, size_t place, uint32_t type, const void *body,
		     size_t size, int fd);

/* Sets the log level of all processes, including this one, except guards. */
void supervisor_log_debug(struct supervisor *supervisor, bool debug);

/* Number of messages that a process has not taken yet, as ipc_backlog(); 0 without a channel. */
size_t supervisor_backlog(const struct supervisor *supervisor, size_t place);

/* Closes the channel to a process, which ends the process. */
void supervisor_close(struct supervisor *supervisor, size_t place);

/* Begins the end of the program with this exit status, unless it has begun. */
void supervisor_end(struct supervisor *supervisor, int status);

/* Logs the reason, and begins the end with SUPERVISOR_FAILED. */
__attribute__((format(printf, 2, 3))) void supervisor_fail(struct supervisor *supervisor,
							   const char *format, ...);

/* Makes supervisor_run() return. */
void supervisor_leave(struct supervisor *supervisor);

#endif
