/* SPDX-License-Identifier: BSD-2-Clause */
/* The commands of dtcpauth. */
#include "tools/auth.h"

#include "base/log.h"
#include "tools/auth_record.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum users_result auth_try(const struct auth_options *options, enum users_mode mode, bool must,
			   struct users **users)
{
	char error[PATH_MAX + 256];
	enum users_result result =
		options->in_root
			? users_open_in_root(options->database, mode, users, error, sizeof(error))
			: users_open(options->database, mode, users, error, sizeof(error));

	if (result != USERS_OK && (must || result != USERS_NOT_FOUND))
		(void)auth_fail(AUTH_FAILED, "%s", error);
	return result;
}

struct users *auth_open(const struct auth_options *options, enum users_mode mode)
{
	struct users *users;

	return auth_try(options, mode, true, &users) == USERS_OK ? users : NULL;
}

static void auth_warn_mode(const struct auth_options *options)
{
	struct stat st;

	if (stat(options->database, &st) == 0 && (st.st_mode & 077))
		(void)auth_fail(AUTH_OK,
				"warning: %s: mode %04o lets others at the passwords; it should be "
				"0600",
				options->database, (unsigned)(st.st_mode & 07777));
}

int auth_result(const struct auth_options *options, const struct users *users,
		enum users_result result, const char *other)
{
	char text[PREFIX6_STRLEN];

	switch (result) {
	case USERS_OK:
		return AUTH_OK;
	case USERS_NOT_FOUND:
		return auth_fail(AUTH_NOT_FOUND, "no user %s", options->user);
	case USERS_EXISTS:
		return auth_fail(AUTH_EXISTS, "there is a user %s already", options->user);
	case USERS_OVERLAP:
		return auth_fail(AUTH_OVERLAP, "prefix %s overlaps what user %s has",
				 prefix6_format(&options->prefix, text), other);
	case USERS_NO_LEASE:
		return auth_fail(AUTH_NOT_FOUND, "user %s has no lease%s%s", options->user,
				 options->has_prefix ? " " : "",
				 options->has_prefix ? prefix6_format(&options->prefix, text) : "");
	case USERS_FULL:
	case USERS_FAILED:
		break;
	}
	return auth_fail(AUTH_FAILED, "%s", users_error(users));
}

enum users_result auth_look(struct users *users, const char *name)
{
	struct user user;
	enum users_result result = users_find(users, name, &user);

	if (result == USERS_OK)
		explicit_bzero(&user, sizeof(user));
	return result;
}

/*
 * Detects errors before the password is asked for. The database is closed again meanwhile, so that
 * an interrupted prompt leaves nothing behind.
 */
static int auth_add_look(const struct auth_options *options)
{
	char other[DTCP_USER_MAX + 1] = "";
	enum users_result result;
	struct users *users;
	int status;

	/* Adding the first user makes the database, but only after the password was read. */
	result = auth_try(options, USERS_READ, false, &users);
	if (result == USERS_NOT_FOUND)
		return AUTH_OK;
	if (result != USERS_OK)
		return AUTH_FAILED;
	result = auth_look(users, options->user);
	if (result == USERS_OK)
		result = USERS_EXISTS;
	else if (result == USERS_NOT_FOUND)
		result = options->has_prefix ? users_overlaps(users, &options->prefix, other)
					     : USERS_OK;
	status = auth_result(options, users, result, other);
	users_close(users);
	return status;
}

/* The same checks before a password is changed. */
static int auth_passwd_look(const struct auth_options *options)
{
	struct users *users = auth_open(options, USERS_READ);
	int status;

	if (!users)
		return AUTH_FAILED;
	status = auth_result(options, users, auth_look(users, options->user), NULL);
	users_close(users);
	return status;
}

/*
 * Runs the checks in a child process, so that the process that prompts for the password has not
 * opened the database yet.
 */
static int auth_look_first(struct auth_options *options,
			   int (*look)(const struct auth_options *options))
{
	int status = 0;
	pid_t pid = fork();

	if (pid == 0)
		_exit(auth_give_up_root(options) ? look(options) : AUTH_FAILED);
	while (pid != -1 && waitpid(pid, &status, 0) == -1) {
		if (errno != EINTR)
			pid = -1;
	}
	if (pid == -1)
		return auth_fail(AUTH_FAILED, "cannot look into the database: %s", strerror(errno));
	return WIFEXITED(status) ? WEXITSTATUS(status) : AUTH_FAILED;
}

/* Asks for the user's password, then opens the database. NULL after an error message. */
static struct users *auth_open_for(struct auth_options *options, enum users_mode mode,
				   char password[static DTCP_PASSWORD_MAX + 1])
{
	if (!auth_password(options->user, password) || !auth_give_up_root(options))
		return NULL;
	return auth_open(options, mode);
}

static int auth_add(struct auth_options *options)
{
	char password[DTCP_PASSWORD_MAX + 1];
	char other[DTCP_USER_MAX + 1] = "";
	struct users *users;
	enum users_result result;
	int status = auth_look_first(options, auth_add_look);

	if (status != AUTH_OK)
		return status;
	status = AUTH_FAILED;
	users = auth_open_for(options, USERS_CREATE, password);
	if (users) {
		result = users_add(users, options->user, password,
				   options->has_prefix ? &options->prefix : NULL, other);
		status = auth_result(options, users, result, other);
		users_close(users);
	}
	explicit_bzero(password, sizeof(password));
	return status;
}

static int auth_passwd(struct auth_options *options)
{
	char password[DTCP_PASSWORD_MAX + 1];
	struct users *users;
	int status = auth_look_first(options, auth_passwd_look);

	if (status != AUTH_OK)
		return status;
	status = AUTH_FAILED;
	users = auth_open_for(options, USERS_WRITE, password);
	if (users) {
		status = auth_result(options, users,
				     users_set_password(users, options->user, password), NULL);
		users_close(users);
	}
	explicit_bzero(password, sizeof(password));
	return status;
}

static int auth_del(const struct auth_options *options, struct users *users)
{
	return auth_result(options, users, users_delete(users, options->user), NULL);
}

bool auth_rows_add(struct auth_rows *rows, const void *row, size_t size)
{
	size_t room = rows->room ? 2 * rows->room : 64;
	void *larger = rows->list;

	if (rows->count == rows->room) {
		larger = reallocarray(rows->list, room, size);
		rows->failed = !larger;
		if (!larger)
			return false;
		rows->list = larger;
		rows->room = room;
	}
	memcpy((char *)larger + rows->count++ * size, row, size);
	return true;
}

int auth_rows_result(const struct auth_options *options, const struct users *users,
		     enum users_result result, const struct auth_rows *rows)
{
	if (rows->failed)
		return auth_fail(AUTH_FAILED, "%s", strerror(ENOMEM));
	return auth_result(options, users, result, NULL);
}

static int auth_set(const struct auth_options *options, struct users *users)
{
	struct users_record record = {.name = options->user};
	char other[DTCP_USER_MAX + 1] = "";
	char why[AUTH_WHY_SIZE];
	enum users_result result;

	for (int i = 0; i < options->n_words; i++) {
		const char *word = options->words[i];
		size_t len = strcspn(word, "=");
		size_t key = auth_key_find(word, len);

		if (word[len] == '\0')
			return auth_fail(AUTH_USAGE, "\"%.64s\": a key, = and a value are needed",
					 word);
		if (strncmp(word, "password=", len + 1) == 0)
			return auth_fail(AUTH_USAGE, "everybody could see a password here; there "
						     "is dtcpauth passwd USER");
		if (key == auth_keys())
			return auth_fail(AUTH_USAGE, "no key \"%.*s\"; there are " AUTH_KEYS,
					 len < 64 ? (int)len : 64, word);
		if (!auth_key_read(key, word + len + 1, &record, why))
			return auth_fail(AUTH_USAGE, "%s", why);
	}
	result = users_set(users, &record, other);
	if (result != USERS_OVERLAP)
		return auth_result(options, users, result, other);
	return auth_fail(AUTH_OVERLAP, "prefix %s overlaps what user %s has",
			 prefix6_format(auth_overlapping(users, &record, other), why), other);
}

/* Commands that need only the database. */
static const struct {
	const char *name;
	int (*run)(const struct auth_options *options, struct users *users);
	enum users_mode mode;
} auth_runs[] = {
	{"del", auth_del, USERS_WRITE},
	{"set", auth_set, USERS_WRITE},
	{"show", auth_show, USERS_READ},
	{"list", auth_list, USERS_READ},
	{"export", auth_export, USERS_READ},
	{"history", auth_history, USERS_READ},
	{"lease list", auth_lease_list, USERS_READ},
	{"lease drop", auth_lease_drop, USERS_WRITE},
};

static int auth_command(struct auth_options *options)
{
	struct users *users;
	size_t number = 0;
	int status;

	if (strcmp(options->command, "add") == 0)
		return auth_add(options);
	if (strcmp(options->command, "passwd") == 0)
		return auth_passwd(options);
	if (strcmp(options->command, "import") == 0)
		return auth_import(options);
	while (strcmp(options->command, auth_runs[number].name) != 0)
		number++;
	if (!auth_give_up_root(options))
		return AUTH_FAILED;
	users = auth_open(options, auth_runs[number].mode);
	if (!users)
		return AUTH_FAILED;
	status = auth_runs[number].run(options, users);
	users_close(users);
	return status;
}

int auth_main(int argc, char **argv)
{
	struct auth_options options;
	int status = AUTH_OK;

	log_init("dtcpauth", NULL, false);
	(void)umask(077);
	/* Keeps passwords out of core files, and from other processes of the same user. */
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == -1)
		return auth_fail(AUTH_FAILED, "cannot be kept from being read by others: %s",
				 strerror(errno));
	if (auth_parse(argc, argv, &options, &status)) {
		auth_warn_mode(&options);
		status = auth_command(&options);
	}
	/* A full disk is reported only here. */
	if (fflush(stdout) != 0 || ferror(stdout))
		return auth_fail(AUTH_FAILED, "standard output: %s", strerror(errno));
	return status;
}
