/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Ownership of the database: it belongs to the user of the accounts process, with its folder, which
 * is that process's root directory. The root process does not open it.
 */
#ifndef DTCP_SERVER_ROOT_DATABASE_OWNER_H
#define DTCP_SERVER_ROOT_DATABASE_OWNER_H

#include "process/user.h"
#include "server/options.h"

#include <limits.h>

/* Size of a line about it. */
enum { DATABASE_OWNER_WHY = 3 * PATH_MAX + 400 };

/* The folder of the database. Returns a static buffer. */
const char *database_folder(const char *database);

/*
 * Whether the database can belong to the user, as it is or after database_owner_take(); also true
 * if there is none. False: why has a line with the reason and a remedy.
 */
bool database_owner_can(const char *database, const struct user_ids *user, char *why, size_t size);

/*
 * After database_owner_can() and after claiming the database: gives the user what root owns of it:
 * the file, SQLite's files beside it, and the folder if there is nothing else in it. Each change is
 * logged. False after logging.
 */
bool database_owner_take(const char *database, const struct user_ids *user);

/*
 * Has a child, sandboxed like the accounts process, open the database, which upgrades it if
 * necessary; with whole, has it read all of it, which changes nothing. A database that is still
 * root's is opened by root. Returns the number of warnings logged, or -1 after logging an error.
 */
int database_owner_try(const struct server_options *options, const struct user_ids *user,
		       bool whole);

#endif
