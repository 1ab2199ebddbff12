/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a process that reads from the network is locked into before it reads the first byte: a user
 * without any privilege, a root directory that is empty or its own, limits, and a list of the
 * system calls that it may make. docs/architecture.md says what a process that was taken over could
 * still do.
 */
#ifndef DTCP_PROCESS_SANDBOX_H
#define DTCP_PROCESS_SANDBOX_H

#include "process/user.h"

#include <stddef.h>

/* Sanitizers need files, which costs some of the walls; this is never a build to be used. */
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
	SANDBOX_SERVER_ACCOUNTS, /* has files: those of its folder */
	SANDBOX_WEB,		 /* lists folders, and connects to sockets in them */
	SANDBOX_CLIENT_RESOLVER, /* keeps the files, and all calls but some */
};

struct sandbox {
	enum sandbox_kind kind;
	const char *folder;   /* its root directory; NULL: an empty one, but a resolver's */
	struct user_ids user; /* whom it runs as */
	unsigned int files;   /* most descriptors at once; 0: as many as root's process may have */
};

/*
 * Locks this process in, for good; called as root, with one thread, when everything that has to be
 * read from files has been read. If any part of it fails, that is logged, and the process ends.
 */
void sandbox_enter(const struct sandbox *sandbox);

/*
 * The same in a process that was never privileged: its user and its root directory stay what they
 * are, and those of the sandbox do not matter.
 */
void sandbox_enter_unprivileged(const struct sandbox *sandbox);

/*
 * The root directory and the user alone, for a program of root's that works in another user's
 * folder. If it fails, that is logged, and the process ends.
 */
void sandbox_become(const char *folder, const struct user_ids *user);

/*
 * The list of system calls alone: any other one kills the process. A resolver's is a list of those
 * that fail. Returns 0 or -errno.
 */
int sandbox_filter(enum sandbox_kind kind);

#endif
