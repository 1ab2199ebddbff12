/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dtcpctl reads answers of daemons, which may be compromised. So it first connects, as root if it
 * was started so, then gives up all privileges that it does not need, and only then reads.
 */
#ifndef DTCP_TOOLS_CTL_LOCK_H
#define DTCP_TOOLS_CTL_LOCK_H

#include "ctl/ask.h"

#include <stdbool.h>

/*
 * Connects, with some retries if the listen queue is full. Returns 0, or -errno as ask_open(). The
 * result is kept for ctl_lock_take() in either case.
 */
int ctl_lock_connect(const char *path);

/* Takes the result of ctl_lock_connect() and the connection, once; otherwise connects now. */
int ctl_lock_take(const char *path, struct ask **ask);

/* Gives back a connection that is still usable. */
void ctl_lock_give(const char *path, struct ask *ask);

/* Closes connections that were not taken, except to this path. */
void ctl_lock_close_others(const char *path);

/*
 * Enters the sandbox: from here on this process has only its connections and its terminal; again:
 * it can also connect, without root's privileges. Ends the process after logging on failure.
 */
void ctl_lock_in(bool again);

#endif
