/* SPDX-License-Identifier: BSD-2-Clause */
/* The commands of dtcpauth. */
#include "tools/auth.h"

#include "tools/auth_record.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>

struct users *auth_open(const struct auth_options *options, bool create)
{
	char error[PATH_MAX + 256];
	struct users *users;

	if (users_open(options->database, create, &users, error, sizeof(error)) == USERS_OK)
		return users;
	(void)auth_fail(AUTH_FAILED, "%s", error);
	return NULL;
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
 * Tells the obvious before anybody types a password for nothing. The database is closed again while
 * the password is asked for, so that nothing stays behind when that is broken off.
 */
static int auth_add_look(const struct auth_options *options)
{
	char other[DTCP_USER_MAX + 1] = "";
	char error[PATH_MAX + 256];
	enum users_result result;
	struct users *users;
	int status;

	/* The first user of all makes the database, but not before there is a password. */
	result = users_open(options->database, false, &users, error, sizeof(error));
	if (result == USERS_NOT_FOUND)
		return AUTH_OK;
	if (result != USERS_OK)
		return auth_fail(AUTH_FAILED, "%s", error);
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

static int auth_add(const struct auth_options *options)
{
	char password[DTCP_PASSWORD_MAX + 1];
	char other[DTCP_USER_MAX + 1] = "";
	struct users *users = NULL;
	enum users_result result;
	int status = auth_add_look(options);

	if (status != AUTH_OK)
		return status;
	status = AUTH_FAILED;
	if (auth_password(options->user, password))
		users = auth_open(options, true);
	if (users) {
		result = users_add(users, options->user, password,
				   options->has_prefix ? &options->prefix : NULL, other);
		status = auth_result(options, users, result, other);
		users_close(users);
	}
	explicit_bzero(password, sizeof(password));
	return status;
}

static int auth_passwd(const struct auth_options *options)
{
	char password[DTCP_PASSWORD_MAX + 1];
	struct users *users = auth_open(options, false);
	int status;

	if (!users)
		return AUTH_FAILED;
	status = auth_result(options, users, auth_look(users, options->user), NULL);
	users_close(users);
	if (status != AUTH_OK)
		return status;
	status = AUTH_FAILED;
	users = NULL;
	if (auth_password(options->user, password))
		users = auth_open(options, false);
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

void *auth_room(void *list, size_t count, size_t *room, size_t size)
{
	size_t more = *room ? 2 * *room : 64;
	void *larger = count < *room ? list : reallocarray(list, more, size);

	if (larger && count == *room)
		*room = more;
	return larger;
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
			 prefix6_format(&record.prefix, why), other);
}

static const struct {
	const char *name;
	int (*run)(const struct auth_options *options, struct users *users);
} auth_runs[] = {
	{"del", auth_del},
	{"set", auth_set},
	{"show", auth_show},
	{"list", auth_list},
	{"export", auth_export},
	{"lease list", auth_lease_list},
	{"lease drop", auth_lease_drop},
};

static int auth_command(const struct auth_options *options)
{
	struct users *users;
	int status = AUTH_USAGE;

	auth_warn_mode(options);
	if (strcmp(options->command, "add") == 0)
		return auth_add(options);
	if (strcmp(options->command, "passwd") == 0)
		return auth_passwd(options);
	if (strcmp(options->command, "import") == 0)
		return auth_import(options);
	users = auth_open(options, false);
	if (!users)
		return AUTH_FAILED;
	for (size_t i = 0; i < sizeof(auth_runs) / sizeof(auth_runs[0]); i++) {
		if (strcmp(options->command, auth_runs[i].name) == 0)
			status = auth_runs[i].run(options, users);
	}
	users_close(users);
	return status;
}

int auth_main(int argc, char **argv)
{
	struct auth_options options;
	int status = AUTH_OK;

	(void)umask(077);
	/* Neither a core file nor other processes of the same user get to see a password. */
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == -1)
		return auth_fail(AUTH_FAILED, "cannot be kept from being read by others: %s",
				 strerror(errno));
	if (auth_parse(argc, argv, &options, &status))
		status = auth_command(&options);
	/* A full disk shows itself only now. */
	if (fflush(stdout) != 0 || ferror(stdout))
		return auth_fail(AUTH_FAILED, "standard output: %s", strerror(errno));
	return status;
}
