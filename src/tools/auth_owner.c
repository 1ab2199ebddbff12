/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Becomes the user who owns the database. In a folder that another user can write to, links, and
 * files that SQLite looks for beside the database, could lead root anywhere.
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

/* Whether only root can make files in a folder owned by root. */
static bool auth_is_roots(const struct stat *info)
{
	return !(info->st_mode & S_IWOTH) && (info->st_gid == 0 || !(info->st_mode & S_IWGRP));
}

/*
 * The folder's owner; the file's if root's folder is writable for others; 0: stay root. False after
 * an error message.
 */
static bool auth_owner(const char *path, int folder, const char *name, uid_t *uid)
{
	struct stat info, file;

	if (fstat(folder, &info) == -1)
		return auth_fail(AUTH_FAILED, "%s: %s", path, strerror(errno)) == AUTH_OK;
	*uid = info.st_uid;
	if (info.st_uid != 0 || auth_is_roots(&info))
		return true;
	if (fstatat(folder, name, &file, AT_SYMLINK_NOFOLLOW) == 0)
		*uid = file.st_uid;
	if (*uid != 0)
		return true;
	(void)auth_fail(
		AUTH_FAILED,
		"folder %s: it is root's, and others can write to it (mode %04o), who could "
		"lead root anywhere from there; choose a folder of its own for the database, "
		"or take that right from them",
		path, (unsigned int)(info.st_mode & 07777));
	return false;
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
	const char *directory;
	uid_t uid = 0;
	bool good;
	int folder;

	if (geteuid() != 0 || strlcpy(path, options->database, sizeof(path)) >= sizeof(path))
		return true;
	directory = dirname(path);
	folder = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	/* Opening the database will report the error, or make the folder. */
	if (folder == -1)
		return true;
	good = auth_owner(directory, folder, name, &uid);
	if (good && uid != 0)
		good = auth_become(options, folder, name, uid);
	close(folder);
	return good;
}
