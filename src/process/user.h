/* SPDX-License-Identifier: BSD-2-Clause */
/* Whom the unprivileged processes run as. */
#ifndef DTCP_PROCESS_USER_H
#define DTCP_PROCESS_USER_H

#include <stdbool.h>
#include <sys/types.h>

/* The user of its own that the program should have. */
#define USER_OWN "_dtcp"

struct user_ids {
	uid_t uid;
	gid_t gid;
	char name[64]; /* for messages */
};

/*
 * Finds the user with that name, or with that number: "UID", "UID:GID"; a number need not be known
 * to the machine. NULL: USER_OWN, or, unless the user is to own files, nobody. False if there is no
 * such user; nobody never owns files.
 */
bool user_find(const char *name, bool owns_files, struct user_ids *ids);

/* The same; if there is no such user, the log says which command makes one. */
bool user_check(const char *name, bool owns_files, struct user_ids *ids);

#endif
