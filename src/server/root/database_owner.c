/* SPDX-License-Identifier: BSD-2-Clause */
#include "server/root/database_owner.h"

#include "base/log.h"
#include "process/sandbox.h"
#include "server/lease_check.h"
#include "users/users.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* Exit status of the child that checks the database, besides success and failure. */
enum { DATABASE_WARNED = EXIT_FAILURE + 1 };

/* Seconds after which waiting for the disk is logged. */
enum { DATABASE_PATIENCE = 10 };

/* Signals that end the wait for that child. */
static const int database_signals[] = {SIGCHLD, SIGINT, SIGTERM};

const char *database_folder(const char *database)
{
	static char copy[PATH_MAX];

	(void)strlcpy(copy, database, sizeof(copy));
	return dirname(copy);
}

/* The file name without the folder. */
static const char *database_name(const char *database)
{
	const char *slash = strrchr(database, '/');

	return slash ? slash + 1 : database;
}

/* Whether the user can make and use files there. */
static bool database_may_write(const struct stat *folder, const struct user_ids *user)
{
	mode_t bits = folder->st_mode;

	if (folder->st_uid == user->uid)
		bits >>= 6;
	else if (folder->st_gid == user->gid)
		bits >>= 3;
	return (bits & 3) == 3;
}

/*
 * Whether the folder is only the database's: it has nothing but files that begin with the
 * database's name. A system folder, directly below "/", is not, even if empty.
 */
static bool database_is_alone(const char *folder, const char *name)
{
	char real[PATH_MAX];
	DIR *directory;
	const struct dirent *entry;
	bool alone;

	if (name[0] == '\0' || !realpath(folder, real) || !strchr(real + 1, '/'))
		return false;
	directory = opendir(folder);
	alone = directory;

	while (alone && (entry = readdir(directory)))
		alone = strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0 ||
			strncmp(entry->d_name, name, strlen(name)) == 0;
	if (directory)
		(void)closedir(directory);
	return alone;
}

bool database_owner_can(const char *database, const struct user_ids *user, char *why, size_t size)
{
	const char *folder = database_folder(database);
	struct stat st;

	/* A missing or inaccessible file is reported when it is opened. */
	if (lstat(database, &st) == 0 && S_ISREG(st.st_mode) && st.st_uid != user->uid &&
	    (st.st_uid != 0 || st.st_nlink > 1)) {
		(void)snprintf(why, size,
			       "%s%s does not belong to user %s, whom the server runs as; give it "
			       "to that user with: chown %s %s",
			       database, st.st_uid == 0 ? ", which has other names as well," : "",
			       user->name, user->name, database);
		return false;
	}
	if (stat(folder, &st) == -1 || database_may_write(&st, user) ||
	    (st.st_uid == 0 && database_is_alone(folder, database_name(database))))
		return true;
	if (st.st_uid == 0)
		(void)snprintf(
			why, size,
			"%s does not let user %s, whom the server runs as, make files beside "
			"the database; move that to a folder of its own, such as %s",
			folder, user->name, DTCP_DATABASE);
	else
		(void)snprintf(
			why, size,
			"%s does not let user %s, whom the server runs as, make files beside "
			"the database; give it to that user with: chown %s:root %s && chmod ug+rwx "
			"%s",
			folder, user->name, user->name, folder, folder);
	return false;
}

/*
 * Gives a file owned by root to the user. By descriptor, and only if it has no other link, since
 * the folder may already be the user's and contain links to anything.
 */
static int database_give(int folder, const char *name, const struct user_ids *user, bool *given)
{
	int fd = openat(folder, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	struct stat st;
	int error = 0;

	/* Missing, a link, or unreadable. */
	if (fd == -1)
		return 0;
	if (fstat(fd, &st) == -1) {
		error = -errno;
	} else if (S_ISREG(st.st_mode) && st.st_uid == 0 && st.st_nlink == 1) {
		*given = true;
		if (fchmod(fd, 0600) == -1 || fchown(fd, user->uid, user->gid) == -1)
			error = -errno;
	}
	close(fd);
	return error;
}

/*
 * The folder gets root's group, so that root can make files in it without capabilities. The owner
 * is changed last: after that, root without capabilities cannot change the folder.
 */
static int database_give_folder(int folder, const struct user_ids *user, bool *given)
{
	struct stat st;

	if (fstat(folder, &st) == -1)
		return -errno;
	if (database_may_write(&st, user))
		return 0;
	*given = true;
	if (fchown(folder, (uid_t)-1, 0) == -1 ||
	    fchmod(folder, (st.st_mode & 07777) | 0770) == -1 ||
	    fchown(folder, user->uid, (gid_t)-1) == -1)
		return -errno;
	return 0;
}

bool database_owner_take(const char *database, const struct user_ids *user)
{
	static const char *const suffixes[] = {"", "-wal", "-shm", "-journal"};
	const char *name = database_name(database);
	char path[NAME_MAX + 1];
	bool given = false;
	struct stat st;
	int error = 0;
	int folder;

	if (user->uid == 0 || lstat(database, &st) == -1 || !S_ISREG(st.st_mode))
		return true;
	folder = open(database_folder(database), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (folder == -1) {
		log_warn("%s", database_folder(database));
		return false;
	}
	for (size_t i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]) && !error; i++) {
		(void)snprintf(path, sizeof(path), "%s%s", name, suffixes[i]);
		error = database_give(folder, path, user, &given);
	}
	/* Last, so that no other user could have made any of these files before. */
	if (!error)
		error = database_give_folder(folder, user, &given);
	close(folder);
	if (error) {
		errno = -error;
		log_warn("cannot give %s to user %s", database, user->name);
		return false;
	}
	if (given)
		log_info("%s belongs to user %s from now on, no longer to root", database,
			 user->name);
	return true;
}

/* Runs in the child. Returns its exit status. */
static int database_open(const struct server_options *options, const struct user_ids *user,
			 bool whole)
{
	struct sandbox sandbox = {
		.kind = SANDBOX_SERVER_ACCOUNTS,
		.folder = database_folder(options->database),
		.user = *user,
	};
	enum users_mode mode = whole ? USERS_READ : USERS_WRITE;
	int status = EXIT_SUCCESS;
	struct users *users = NULL;
	enum users_result result;
	char error[512];
	struct stat st;

	/* The channels that the root process has made by now must not be inherited. */
	closefrom(STDERR_FILENO + 1);
	/* In a folder of the user's, the checked file may be replaced before it is opened. */
	if (user->uid == 0 || geteuid() != 0 || stat(sandbox.folder, &st) == -1 ||
	    !database_may_write(&st, user)) {
		result = users_open(options->database, mode, &users, error, sizeof(error));
	} else if (lstat(options->database, &st) == 0 && S_ISREG(st.st_mode) && st.st_uid == 0) {
		log_info(
			"%s belongs to root; the next start gives it to user %s, and looks into it",
			options->database, user->name);
		return EXIT_SUCCESS;
	} else {
		sandbox_enter(&sandbox);
		result = users_open_in_root(options->database, mode, &users, error, sizeof(error));
	}
	if (result != USERS_OK)
		log_warnx("%s", error);
	else if (whole && (result = users_verify(users)) != USERS_OK)
		log_warnx("%s", users_error(users));
	if (result == USERS_OK && users_is_old(users))
		log_info("%s was made by an earlier version of dtcp; the next start brings it up "
			 "to date",
			 options->database);
	if (result != USERS_OK)
		status = EXIT_FAILURE;
	else if (!lease_check(options, users))
		status = DATABASE_WARNED;
	users_close(users);
	return status;
}

/*
 * Waits for it. A disk that does not answer can block it for any time, and it cannot even be killed
 * then; so a signal to end interrupts the wait. Returns 0 or -errno.
 */
static int database_await(pid_t pid, const sigset_t *signals, const char *database, int *status)
{
	const struct timespec patience = {.tv_sec = DATABASE_PATIENCE};
	bool said = false;

	for (;;) {
		pid_t ended = waitpid(pid, status, WNOHANG);
		int number;

		if (ended == pid)
			return 0;
		if (ended == -1 && errno != EINTR)
			return -errno;
		number = sigtimedwait(signals, NULL, &patience);
		if (number > 0 && number != SIGCHLD) {
			log_warnx("%s: no answer from the disk yet; not waiting any longer",
				  database);
			(void)kill(pid, SIGKILL);
			/* Passes the signal on to its usual handler. */
			(void)raise(number);
			return -EINTR;
		}
		if (number == -1 && errno == EAGAIN && !said) {
			log_warnx("%s: no answer from the disk yet", database);
			said = true;
		}
	}
}

int database_owner_try(const struct server_options *options, const struct user_ids *user,
		       bool whole)
{
	sigset_t signals, before;
	int status = 0;
	int error;
	pid_t pid;

	(void)sigemptyset(&signals);
	for (size_t i = 0; i < sizeof(database_signals) / sizeof(database_signals[0]); i++)
		(void)sigaddset(&signals, database_signals[i]);
	(void)sigprocmask(SIG_BLOCK, &signals, &before);
	pid = fork();
	if (pid == 0) {
		(void)sigprocmask(SIG_SETMASK, &before, NULL);
		_exit(database_open(options, user, whole));
	}
	error = pid == -1 ? -errno : database_await(pid, &signals, options->database, &status);
	(void)sigprocmask(SIG_SETMASK, &before, NULL);
	if (error == -EINTR)
		return -1;
	if (error) {
		errno = -error;
		log_warn("cannot have a process look at the database");
		return -1;
	}
	if (WIFSIGNALED(status))
		log_warnx("%s: the process that looked at it was killed by signal %d",
			  options->database, WTERMSIG(status));
	if (!WIFEXITED(status) || WEXITSTATUS(status) == EXIT_FAILURE)
		return -1;
	return WEXITSTATUS(status) == DATABASE_WARNED;
}
