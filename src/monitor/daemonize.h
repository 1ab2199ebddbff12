/* SPDX-License-Identifier: BSD-2-Clause */
/* The way into the background, with the pid file. */
#ifndef DTCP_MONITOR_DAEMONIZE_H
#define DTCP_MONITOR_DAEMONIZE_H

#include <libutil.h>
#include <stdbool.h>

/*
 * Takes the pid file, if path is not NULL, so that a second instance is recognised; then, if
 * background, becomes a daemon that logs to syslog. *pidfile is for daemonize_end(). Returns false
 * after logging why.
 */
bool daemonize(const char *path, bool background, struct pidfh **pidfile);

/* Removes the pid file; NULL is allowed. */
void daemonize_end(struct pidfh *pidfile);

#endif
