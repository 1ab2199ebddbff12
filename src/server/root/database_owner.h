/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Whom the database belongs to: the user of the accounts process, with the folder that it is in,
 * which is that process's root directory. Root's process does not look into it.
 */
#ifndef DTCP_SERVER_ROOT_DATABASE_OWNER_H
#define DTCP_SERVER_ROOT_DATABASE_OWNER_H

#include "process/user.h"
#include "server/options.h"

#include <limits.h>

/* Room for a line about it. */
enum { DATABASE_OWNER_WHY = 3 * PATH_MAX + 400 };

/* The folder that the database is in. Static buffer. */
const char *database_folder(const char *database);

/*
 * Whether the database can be the user's, as it is or when database_owner_take() has taken it over;
 * also if there is none. False: why has a line that says what to do.
 */
bool database_owner_can(const char *database, const struct user_ids *user, char *why, size_t size);

/*
 * If database_owner_can() says so, and the database was claimed: makes what root has of the
 * database the user's: the file, what SQLite has put beside it, and the folder if there is nothing
 * else in it. What was taken over is logged. False after logging.
 */
bool database_owner_take(const char *database, const struct user_ids *user);

/*
 * Has a child look, locked in as the accounts process is, whether the database can be opened, which
 * brings it up to date; with whole, whether all of it can be read, which changes nothing. One that
 * still belongs to root is looked at by root.
 * Returns -1 if not, or how many warnings there are, after logging.
 */
int database_owner_try(const struct server_options *options, const struct user_ids *user,
		       bool whole);

#endif
