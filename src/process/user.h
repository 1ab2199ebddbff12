/* SPDX-License-Identifier: BSD-2-Clause */
/* The user that the unprivileged processes run as. */
#ifndef DTCP_PROCESS_USER_H
#define DTCP_PROCESS_USER_H

#include <stdbool.h>
#include <sys/types.h>

/* The default user, made for this program. */
#define USER_OWN "_dtcp"

struct user_ids {
	uid_t uid;
	gid_t gid;
	char name[64]; /* for messages */
};

/*
 * Finds the user with that name, or with that number: "UID", "UID:GID"; a number need not exist on
 * the machine. NULL: USER_OWN or, unless the user is to own files, nobody. False if there is no
 * such user; nobody can never own files.
 */
bool user_find(const char *name, bool owns_files, struct user_ids *ids);

/* The same; if there is no such user, logs the command that makes one. */
bool user_check(const char *name, bool owns_files, struct user_ids *ids);

#endif
