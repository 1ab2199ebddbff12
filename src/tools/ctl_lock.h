/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dtcpctl reads what daemons say, one of which could have been taken over. So it connects first, as
 * root where it is, then gives up all that it does not need, and reads only after that.
 */
#ifndef DTCP_TOOLS_CTL_LOCK_H
#define DTCP_TOOLS_CTL_LOCK_H

#include "ctl/ask.h"

#include <stdbool.h>

/* Connects, trying again for a moment if too many wait. 0, or -errno as ask_open(); it is kept for
 * ctl_lock_take() in either case. */
int ctl_lock_connect(const char *path);

/* What came of that, and the connection, once; else connects now. */
int ctl_lock_take(const char *path, struct ask **ask);

/* Gives one back that is still good. */
void ctl_lock_give(const char *path, struct ask *ask);

/* Closes what was not taken, and is not for this path. */
void ctl_lock_close_others(const char *path);

/*
 * From here on this process has its connections and its terminal, and nothing else; again: it can
 * also connect, as one who may only ask. Ends the process after logging if that cannot be.
 */
void ctl_lock_in(bool again);

#endif
