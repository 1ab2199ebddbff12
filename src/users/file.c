/* SPDX-License-Identifier: BSD-2-Clause */
/* The user database as a file: making, opening and checking it. */
#include "users/database.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define USERS_PATIENCE_MS 5000
#define USERS_POLL_MS	  10

static int64_t users_now(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/*
 * SQLite's busy handler, for a lock held by another program. After waiting in vain, calls do not
 * wait for a while: a program that serves many clients must not block for each of them.
 */
static int users_on_busy(void *arg, int tries)
{
	const struct timespec pause = {.tv_nsec = USERS_POLL_MS * 1000000L};
	struct users *users = arg;
	int64_t now = users_now();

	if (tries == 0)
		users->wait_since = now;
	if (now < users->no_wait_until)
		return 0;
	if (now - users->wait_since >= users->patience) {
		users->no_wait_until = now + 10 * (int64_t)users->patience;
		return 0;
	}
	(void)nanosleep(&pause, NULL);
	return 1;
}

void users_set_patience(struct users *users, unsigned int ms)
{
	users->patience = ms;
}

/*
 * Resolves the file's path: its directory without symbolic links, so that SQLite can be told to
 * refuse them. Makes the directory if allowed and necessary.
 */
static enum users_result users_resolve(struct users *users)
{
	const bool create = users->mode == USERS_CREATE;
	const char *slash = strrchr(users->path, '/');
	const char *name = slash ? slash + 1 : users->path;
	char directory[PATH_MAX] = ".";
	char found[PATH_MAX];
	int error = 0;

	if (!*name)
		return users_fail_text(users, "not the name of a file");
	if (slash) {
		size_t len = slash == users->path ? 1 : (size_t)(slash - users->path);

		memcpy(directory, users->path, len);
		directory[len] = '\0';
	}
	if (create && mkdir(directory, 0755) == 0) {
		/* The umask is for files with passwords; this is only their directory. */
		int fd = open(directory, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

		if (fd == -1 || fchmod(fd, 0755) == -1)
			error = errno;
		if (fd != -1)
			close(fd);
		if (error)
			return users_fail_text(users, strerror(error));
	} else if (create && errno != EEXIST) {
		error = errno;
	}
	if (!realpath(directory, found)) {
		if (errno == ENOENT && !create)
			return USERS_NOT_FOUND;
		/* The error of making it is more useful than that it is missing. */
		return users_fail_text(users, strerror(errno == ENOENT && error ? error : errno));
	}
	if (snprintf(users->real, sizeof(users->real), "%s/%s",
		     strcmp(found, "/") != 0 ? found : "", name) >= (int)sizeof(users->real))
		return users_fail_text(users, strerror(ENAMETOOLONG));
	return USERS_OK;
}

/* Opens an existing file, and leaves users->db open even on failure; ":memory:": no file. */
static enum users_result users_open_file(struct users *users, const char *real)
{
	int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOFOLLOW | SQLITE_OPEN_EXRESCODE;

	if (sqlite3_open_v2(real, &users->db, flags, NULL) != SQLITE_OK ||
	    sqlite3_busy_handler(users->db, users_on_busy, users) != SQLITE_OK ||
	    sqlite3_db_config(users->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL) != SQLITE_OK ||
	    sqlite3_db_config(users->db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL) != SQLITE_OK)
		return users_fail(users);
	if (sqlite3_db_readonly(users->db, "main") == 1)
		return users_fail_text(users, "cannot be written");
	/* A password that was changed or deleted is overwritten in the file. */
	return users_exec(users, "PRAGMA foreign_keys = ON;"
				 "PRAGMA secure_delete = ON;"
				 "PRAGMA synchronous = FULL;"
				 "PRAGMA cell_size_check = ON");
}

static void users_close_file(struct users *users)
{
	for (size_t i = 0; i < USERS_STATEMENTS; i++) {
		(void)sqlite3_finalize(users->statements[i]);
		users->statements[i] = NULL;
	}
	users->usable = false;
	users->snapshot = false;
	/* Lets statements that are still running end by themselves. */
	(void)sqlite3_close_v2(users->db);
	users->db = NULL;
}

/* Removes SQLite's files beside a database that nobody has open. */
static void users_remove_beside(const char *path)
{
	static const char *const suffixes[] = {"-wal", "-shm", "-journal"};
	char name[PATH_MAX + 32];

	for (size_t i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++) {
		(void)snprintf(name, sizeof(name), "%s%s", path, suffixes[i]);
		(void)unlink(name);
	}
}

/* Whether the file can be opened; USERS_NOT_FOUND if there is none. */
static enum users_result users_look(struct users *users)
{
	struct stat st;

	if (lstat(users->real, &st) == -1) {
		if (errno == ENOENT)
			return USERS_NOT_FOUND;
		return users_fail_text(users, strerror(errno));
	}
	if (S_ISLNK(st.st_mode))
		return users_fail_text(users, "a symbolic link; name the file itself");
	if (!S_ISREG(st.st_mode))
		return users_fail_text(users, "not a regular file");
	users->device = st.st_dev;
	users->inode = st.st_ino;
	return USERS_OK;
}

/* Fills a new file, under a temporary name. */
static enum users_result users_fill(struct users *users, const char *temporary)
{
	enum users_result result = users_open_file(users, temporary);

	if (result == USERS_OK)
		result = users_make_tables(users);
	users_close_file(users);
	return result;
}

/*
 * Makes the database under another name and renames it at the end, so that no incomplete one is
 * ever seen, and a symbolic link in its place is never followed. The directory is locked meanwhile:
 * of several processes that want to make it, only one does.
 */
static enum users_result users_create(struct users *users)
{
	char directory[PATH_MAX];
	char temporary[PATH_MAX + 8];
	enum users_result result = USERS_FAILED;
	int directory_fd, fd;

	memcpy(directory, users->real, sizeof(directory));
	*(strrchr(directory, '/') + 1) = '\0';
	(void)snprintf(temporary, sizeof(temporary), "%s.XXXXXX", users->real);
	directory_fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (directory_fd == -1 || flock(directory_fd, LOCK_EX) == -1) {
		(void)users_fail_text(users, strerror(errno));
		goto done;
	}
	result = users_look(users);
	if (result != USERS_NOT_FOUND)
		goto done;
	/* Leftovers of a database that was deleted by hand must not be applied to the new one. */
	users_remove_beside(users->real);
	fd = mkostemp(temporary, O_CLOEXEC);
	if (fd == -1) {
		result = users_fail_text(users, strerror(errno));
		goto done;
	}
	/* SQLite's other files get mode and owner of this one, whatever the umask. */
	result = fchmod(fd, 0600) == -1 ? users_fail_text(users, strerror(errno)) : USERS_OK;
	close(fd);
	if (result == USERS_OK)
		result = users_fill(users, temporary);
	if (result == USERS_OK &&
	    (renameat2(AT_FDCWD, temporary, AT_FDCWD, users->real, RENAME_NOREPLACE) == -1 ||
	     fsync(directory_fd) == -1))
		result = users_fail_text(users, strerror(errno));
	if (result != USERS_OK) {
		users_remove_beside(temporary);
		(void)unlink(temporary);
	}
done:
	if (directory_fd != -1)
		close(directory_fd);
	return result;
}

/* Opens the present file. */
static enum users_result users_connect(struct users *users)
{
	enum users_result result = users_look(users);

	if (result == USERS_NOT_FOUND)
		(void)users_fail_text(users, USERS_MISSING);
	if (result == USERS_OK)
		result = users_open_file(users, users->real);
	if (result == USERS_OK)
		result = users_check_tables(users);
	if (result == USERS_OK)
		users->usable = true;
	return result;
}

enum users_result users_ready(struct users *users)
{
	enum users_result result;
	struct stat st;

	if (users->db && (!sqlite3_get_autocommit(users->db) || !users->real[0]))
		return USERS_OK;
	if (users->usable && !users->damaged && lstat(users->real, &st) == 0 &&
	    st.st_dev == users->device && st.st_ino == users->inode)
		return USERS_OK;
	/* The old file's log may by now have the name of the new one's: must not be touched. */
	if (users->db)
		(void)sqlite3_db_config(users->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
	users_close_file(users);
	users->damaged = false;
	users->seen_version = -1;
	users->seen_change = -1;
	result = users_connect(users);
	if (result == USERS_OK)
		return USERS_OK;
	users_close_file(users);
	/* For callers, "not found" means a user. */
	return USERS_FAILED;
}

/* NULL with the reason in error. */
static struct users *users_new(const char *path, enum users_mode mode, char *error,
			       size_t error_size)
{
	struct users *users = calloc(1, sizeof(*users));

	if (!users || strlen(path) >= sizeof(users->path)) {
		(void)snprintf(error, error_size, "%s: %s", path,
			       strerror(users ? ENAMETOOLONG : ENOMEM));
		free(users);
		return NULL;
	}
	memcpy(users->path, path, strlen(path) + 1);
	users->mode = mode;
	users->seen_version = -1;
	users->seen_change = -1;
	users->patience = USERS_PATIENCE_MS;
	return users;
}

/* Opens the resolved path, if it was resolved. */
static enum users_result users_open_real(struct users *users, enum users_result result,
					 struct users **out, char *error, size_t error_size)
{
	if (result == USERS_OK && users->mode == USERS_CREATE) {
		result = users_look(users);
		if (result == USERS_NOT_FOUND)
			result = users_create(users);
	}
	if (result == USERS_OK)
		result = users_connect(users);
	else if (result == USERS_NOT_FOUND)
		(void)users_fail_text(users, USERS_MISSING);
	if (result != USERS_OK) {
		(void)snprintf(error, error_size, "%s", users->error);
		users_close(users);
		return result;
	}
	*out = users;
	return USERS_OK;
}

enum users_result users_open(const char *path, enum users_mode mode, struct users **out,
			     char *error, size_t error_size)
{
	struct users *users = users_new(path, mode, error, error_size);

	*out = NULL;
	if (!users)
		return USERS_FAILED;
	return users_open_real(users, users_resolve(users), out, error, error_size);
}

enum users_result users_open_in_root(const char *path, enum users_mode mode, struct users **out,
				     char *error, size_t error_size)
{
	struct users *users = users_new(path, mode, error, error_size);
	const char *slash = strrchr(path, '/');

	*out = NULL;
	if (!users)
		return USERS_FAILED;
	(void)snprintf(users->real, sizeof(users->real), "/%s", slash ? slash + 1 : path);
	return users_open_real(users, USERS_OK, out, error, error_size);
}

enum users_result users_open_memory(struct users **out, char *error, size_t error_size)
{
	struct users *users = users_new("memory", USERS_CREATE, error, error_size);
	enum users_result result;

	*out = NULL;
	if (!users)
		return USERS_FAILED;
	result = users_open_file(users, ":memory:");
	if (result == USERS_OK)
		result = users_make_tables(users);
	if (result == USERS_OK) {
		*out = users;
		return USERS_OK;
	}
	(void)snprintf(error, error_size, "%s", users->error);
	users_close(users);
	return result;
}

void users_close(struct users *users)
{
	if (!users)
		return;
	users_close_file(users);
	free(users->reserved);
	free(users);
}

bool users_is_old(const struct users *users)
{
	return users->old;
}

const char *users_error(const struct users *users)
{
	return users->error;
}
