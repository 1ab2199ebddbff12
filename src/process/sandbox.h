/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Confines a process that reads from the network before it reads the first byte: an unprivileged
 * user, a root directory that is empty or its own, limits, and a list of permitted system calls.
 * docs/security.md says what a process that was taken over could still do.
 */
#ifndef DTCP_PROCESS_SANDBOX_H
#define DTCP_PROCESS_SANDBOX_H

#include "process/user.h"

#include <stddef.h>

/* Sanitizers need access to files, which weakens the sandbox; never use such a build in production.
 */
#if defined(__SANITIZE_ADDRESS__)
#define SANDBOX_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SANDBOX_SANITIZED 1
#endif
#endif
#ifndef SANDBOX_SANITIZED
#define SANDBOX_SANITIZED 0
#endif

/* One list of system calls for each kind of process: sandbox_lists.c. */
enum sandbox_kind {
	SANDBOX_CLIENT_CONTROL,
	SANDBOX_CLIENT_FORWARD,
	SANDBOX_SERVER_CONTROL,
	SANDBOX_SERVER_FORWARD,
	SANDBOX_SERVER_NDP,
	SANDBOX_SERVER_ACCOUNTS, /* may use the files of its folder */
	SANDBOX_WEB,		 /* lists folders, and connects to sockets in them */
	SANDBOX_CLIENT_RESOLVER, /* keeps the file system, and all calls but some */
	SANDBOX_LOOK,		 /* dtcpctl: has its connections and its terminal */
	SANDBOX_WATCH,		 /* and connects to sockets */
};

struct sandbox {
	enum sandbox_kind kind;
	const char *folder;   /* root directory; NULL: an empty one (a resolver keeps its own) */
	struct user_ids user; /* the user to become */
	unsigned int files;   /* limit of descriptors; 0: that of the root process */
};

/*
 * Confines this process permanently. Called as root, with a single thread, when everything that has
 * to be read from files has been read. If any step fails, this is logged, and the process ends.
 */
void sandbox_enter(const struct sandbox *sandbox);

/*
 * The same for a process that was never privileged: user and root directory stay unchanged, and
 * those in sandbox are ignored.
 */
void sandbox_enter_unprivileged(const struct sandbox *sandbox);

/*
 * Only changes root directory and user, for a root program that works in another user's folder. If
 * it fails, this is logged, and the process ends.
 */
void sandbox_become(const char *folder, const struct user_ids *user);

/*
 * For dtcpctl, once it has opened what it needs: changes to the user, unless that is NULL, and
 * loads the list of system calls. Any other call fails, and does not kill the process. Logs and
 * ends the process if this fails.
 */
void sandbox_enter_tool(enum sandbox_kind kind, const struct user_ids *user);

/*
 * Only loads the list of system calls: any other call kills the process, or, in dtcpctl, fails. A
 * resolver's list has the calls that fail instead. Returns 0 or -errno.
 */
int sandbox_filter(enum sandbox_kind kind);

#endif
