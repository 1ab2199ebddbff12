/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Capabilities of the processes that stay root: only those needed once everything has been started.
 * docs/security.md lists which process keeps which, and why.
 */
#ifndef DTCP_PROCESS_CAPABILITIES_H
#define DTCP_PROCESS_CAPABILITIES_H

#include <stdbool.h>
#include <sys/types.h>

enum capabilities_kind {
	CAPABILITIES_NETWORK, /* interfaces, addresses, routes */
	CAPABILITIES_ROOT,    /* the same, and killing processes that do not end by themselves */
	CAPABILITIES_STARTER, /* the same, and starting processes that then drop all of them */
	CAPABILITIES_PROGRAM, /* for the programs that root runs (nft, radvd) */
};

/*
 * Drops all capabilities but these, permanently. with_script: only the effective set is reduced,
 * and programs that this process runs get its original capabilities; otherwise running a program
 * gives nothing back. Returns false after logging what failed; then the process must end.
 */
bool capabilities_limit(enum capabilities_kind kind, bool with_script);

/*
 * The same for a child that is about to execute another program, which keeps CAPABILITIES_PROGRAM.
 */
bool capabilities_limit_program(void);

/* From now on, running a program grants no privileges (no_new_privs). False after logging. */
bool capabilities_renounce(void);

/* Kills a child of any user; CAP_KILL is effective for this one call only. */
void capabilities_kill(pid_t pid);

/*
 * Protects this process from other processes of its user, debuggers and core dumps. False after
 * logging.
 */
bool capabilities_hide(void);

#endif
