/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Becoming the user whom the database belongs to. In the folder of another user, root is led
 * anywhere by links, and by files that SQLite looks for beside the database.
 */
#include "process/sandbox.h"
#include "tools/auth.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The folder's user, or, if others can make files in one of root's, the file's; 0: root's alone. */
static uid_t auth_owner(int folder, const char *name, const struct stat *info)
{
	struct stat file;

	if (info->st_uid != 0 || !(info->st_mode & (S_IWGRP | S_IWOTH)) ||
	    fstatat(folder, name, &file, AT_SYMLINK_NOFOLLOW) == -1)
		return info->st_uid;
	return file.st_uid;
}

static bool auth_become(struct auth_options *options, int folder, const char *name, uid_t uid)
{
	const struct passwd *passwd = getpwuid(uid);
	struct user_ids user = {.uid = uid, .gid = passwd ? passwd->pw_gid : (gid_t)uid};
	struct stat file;

	if (passwd)
		(void)strlcpy(user.name, passwd->pw_name, sizeof(user.name));
	else
		(void)snprintf(user.name, sizeof(user.name), "%u", (unsigned int)uid);
	if (fstatat(folder, name, &file, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(file.st_mode) &&
	    file.st_uid != uid) {
		(void)auth_fail(AUTH_FAILED,
				"%s does not belong to user %s, as its folder does; give it to "
				"that user with: chown %s %s",
				options->database, user.name, user.name, options->database);
		return false;
	}
	if (fchdir(folder) == -1) {
		(void)auth_fail(AUTH_FAILED, "%s: %s", options->database, strerror(errno));
		return false;
	}
	sandbox_become(".", &user);
	options->in_root = true;
	return true;
}

bool auth_give_up_root(struct auth_options *options)
{
	const char *slash = strrchr(options->database, '/');
	const char *name = slash ? slash + 1 : options->database;
	char path[PATH_MAX];
	struct stat info;
	bool good = true;
	uid_t uid = 0;
	int folder;

	if (geteuid() != 0 || strlcpy(path, options->database, sizeof(path)) >= sizeof(path))
		return true;
	folder = open(dirname(path), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	/* Whoever opens the database says why not, or makes the folder. */
	if (folder == -1)
		return true;
	if (fstat(folder, &info) == 0)
		uid = auth_owner(folder, name, &info);
	else
		good = auth_fail(AUTH_FAILED, "%s: %s", path, strerror(errno)) == AUTH_OK;
	if (uid != 0)
		good = auth_become(options, folder, name, uid);
	close(folder);
	return good;
}
