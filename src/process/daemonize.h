/* SPDX-License-Identifier: BSD-2-Clause */
/* The way into the background, with the pid file. */
#ifndef DTCP_PROCESS_DAEMONIZE_H
#define DTCP_PROCESS_DAEMONIZE_H

#include <libutil.h>
#include <stdbool.h>
#include <sys/types.h>

/*
 * Before anything is opened: makes standard input, output and error /dev/null where whoever started
 * us has closed them. What we open would else take their places, and daemon(3) would replace it.
 * Returns false after logging why.
 */
bool daemonize_begin(void);

/*
 * Takes the pid file, so that a second instance is recognised; NULL for path: none is kept. The
 * rest is for daemonize() and daemonize_end(). Returns false after logging why.
 */
bool daemonize_claim(const char *path, struct pidfh **pidfile);

/*
 * Becomes a daemon that logs to syslog, if background, and writes the process id. Returns false
 * after logging why.
 */
bool daemonize(struct pidfh *pidfile, bool background);

/* Removes the pid file; NULL is allowed. */
void daemonize_end(struct pidfh *pidfile);

/*
 * Removes the pid file of a monitor that has died without doing so: if it still holds pid. NULL
 * for path is allowed.
 */
void daemonize_forget(const char *path, pid_t pid);

#endif
