/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The capabilities of the processes that stay root: what is needed once everything has been
 * started. docs/security.md has the table of who keeps what, and why.
 */
#ifndef DTCP_PROCESS_CAPABILITIES_H
#define DTCP_PROCESS_CAPABILITIES_H

#include <stdbool.h>
#include <sys/types.h>

enum capabilities_kind {
	CAPABILITIES_NETWORK, /* interfaces, addresses, routes */
	CAPABILITIES_ROOT,    /* the same, and to end processes that do not end by themselves */
	CAPABILITIES_STARTER, /* the same, and to start processes that then give up all of it */
	CAPABILITIES_PROGRAM, /* those of other programs that do a part of root's work */
};

/*
 * Gives up all capabilities but these, for good. with_script: they are only laid aside, and
 * programs that this process starts get what it was started with; without it, nobody can get
 * anything back by running a program. Returns false after logging what failed: then the process
 * must end.
 */
bool capabilities_limit(enum capabilities_kind kind, bool with_script);

/* The same for a child that is about to become another program, which keeps CAPABILITIES_PROGRAM.
 */
bool capabilities_limit_program(void);

/* No program that is run from now on gives anything back. False: logged. */
bool capabilities_renounce(void);

/* Kills a child of ours, of whichever user, with that power for this one call only. */
void capabilities_kill(pid_t pid);

/* Not to be read by others of the same user, by a debugger or in a core file. False: logged. */
bool capabilities_hide(void);

#endif
