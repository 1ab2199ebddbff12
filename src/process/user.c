/* SPDX-License-Identifier: BSD-2-Clause */
#include "process/user.h"

#include "base/log.h"

#include <pwd.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The user of all programs without one of their own, which share its files. */
#define USER_NOBODY "nobody"

#define USER_COMMAND "useradd --system --no-create-home --shell /usr/sbin/nologin "

static bool user_number(const char *text, uid_t *number)
{
	const char *error = NULL;
	long long value = strtonum(text, 0, UINT32_MAX - 1, &error);

	*number = (uid_t)value;
	return !error && text[strspn(text, "0123456789")] == '\0';
}

/* Parses "UID" or "UID:GID". Without GID it is the user's group, or the same number. */
static bool user_find_number(const char *name, struct user_ids *ids)
{
	const struct passwd *passwd;
	char uid[16];
	const char *colon = strchr(name, ':');

	if (!colon)
		colon = name + strlen(name);
	if (snprintf(uid, sizeof(uid), "%.*s", (int)(colon - name), name) >= (int)sizeof(uid) ||
	    !user_number(uid, &ids->uid))
		return false;
	passwd = getpwuid(ids->uid);
	ids->gid = passwd ? passwd->pw_gid : ids->uid;
	return *colon == '\0' || user_number(colon + 1, &ids->gid);
}

static bool user_find_one(const char *name, struct user_ids *ids)
{
	const struct passwd *passwd = getpwnam(name);

	(void)strlcpy(ids->name, name, sizeof(ids->name));
	if (!passwd)
		return user_find_number(name, ids);
	ids->uid = passwd->pw_uid;
	ids->gid = passwd->pw_gid;
	return true;
}

/* Whether given by name or number. */
static bool user_is_nobody(const struct user_ids *ids)
{
	const struct passwd *nobody = getpwnam(USER_NOBODY);

	return nobody && nobody->pw_uid == ids->uid;
}

bool user_find(const char *name, bool owns_files, struct user_ids *ids)
{
	if (!name && !owns_files && !getpwnam(USER_OWN))
		name = USER_NOBODY;
	return user_find_one(name ? name : USER_OWN, ids) && !(owns_files && user_is_nobody(ids));
}

bool user_check(const char *name, bool owns_files, struct user_ids *ids)
{
	const char *missing = name ? name : USER_OWN;

	if (user_find(name, owns_files, ids))
		return true;
	if (!owns_files)
		log_warnx("no user %s to run as; name one with --user",
			  name ? name : USER_OWN " or " USER_NOBODY);
	else if (user_find_one(missing, ids))
		log_warnx("user %s is for programs that own no file, and the database is to belong "
			  "to the user of --user; make one with: " USER_COMMAND USER_OWN,
			  missing);
	else
		log_warnx("no user %s to run as, to whom the database is to belong; make one "
			  "with: " USER_COMMAND "%s",
			  missing, missing);
	return false;
}
