/* SPDX-License-Identifier: BSD-2-Clause */
/* The commands of dtcpauth. */
#include "tools/auth.h"

#include <arpa/inet.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <time.h>

/* What "list" prints, collected before the first line goes out: whoever reads our output slowly
 * must not keep a transaction open. */
struct auth_list {
	struct user *users;
	size_t count;
	size_t room;
	bool failed;
};

/* Room for a time as auth_time() writes it, whatever the year. */
#define TIME_SIZE 40

/* One word, so that columns can be cut apart: 2025-01-31T18:00:00Z. */
static const char *auth_time(int64_t seconds, char buf[static TIME_SIZE])
{
	time_t when = (time_t)seconds;
	struct tm tm;

	if (!gmtime_r(&when, &tm) || !strftime(buf, TIME_SIZE, "%Y-%m-%dT%H:%M:%SZ", &tm))
		(void)snprintf(buf, TIME_SIZE, "-");
	return buf;
}

static const char *auth_network(const struct user *user, char buf[static PREFIX6_STRLEN])
{
	if (!user->has_network)
		return "-";
	return prefix6_format(&user->network, buf);
}

static const char *auth_network_kind(const struct user *user)
{
	if (!user->has_network)
		return "-";
	return user->has_fixed ? "fixed" : "leased";
}

static const char *auth_host(const struct user *user, char buf[static INET6_ADDRSTRLEN])
{
	if (!user->has_host || !inet_ntop(AF_INET6, &user->host, buf, INET6_ADDRSTRLEN))
		return "-";
	return buf;
}

/* Opens the database, complaining where that fails. */
static struct users *auth_open(const struct auth_options *options, bool create)
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

static int auth_show(const struct auth_options *options, struct users *users)
{
	char network[PREFIX6_STRLEN];
	char host[INET6_ADDRSTRLEN];
	char created[TIME_SIZE];
	struct user user;
	enum users_result result = users_find(users, options->user, &user);

	if (result != USERS_OK)
		return auth_result(options, users, result, NULL);
	explicit_bzero(user.password, sizeof(user.password));
	(void)printf("user: %s\n"
		     "network: %s\n"
		     "network-kind: %s\n"
		     "host: %s\n"
		     "created: %s\n",
		     user.name, auth_network(&user, network), auth_network_kind(&user),
		     auth_host(&user, host), auth_time(user.created, created));
	return AUTH_OK;
}

void *auth_room(void *list, size_t count, size_t *room, size_t size)
{
	size_t more = *room ? 2 * *room : 64;
	void *larger = count < *room ? list : reallocarray(list, more, size);

	if (larger && count == *room)
		*room = more;
	return larger;
}

static bool auth_list_add(const struct user *user, void *arg)
{
	struct auth_list *list = arg;
	struct user *users = auth_room(list->users, list->count, &list->room, sizeof(*users));

	if (!users) {
		list->failed = true;
		return false;
	}
	list->users = users;
	list->users[list->count++] = *user;
	return true;
}

int auth_widest(int width, const char *text)
{
	int len = (int)strlen(text);

	return len > width ? len : width;
}

static void auth_list_print(const struct auth_list *list)
{
	char network[PREFIX6_STRLEN];
	char host[INET6_ADDRSTRLEN];
	char created[TIME_SIZE];
	int name_width = 4, network_width = 7, host_width = 4; /* those of the headings */

	for (size_t i = 0; i < list->count; i++) {
		const struct user *user = &list->users[i];

		name_width = auth_widest(name_width, user->name);
		network_width = auth_widest(network_width, auth_network(user, network));
		host_width = auth_widest(host_width, auth_host(user, host));
	}
	(void)printf("%-*s  %-*s  %-6s  %-*s  %s\n", name_width, "USER", network_width, "NETWORK",
		     "KIND", host_width, "HOST", "CREATED");
	for (size_t i = 0; i < list->count; i++) {
		const struct user *user = &list->users[i];

		(void)printf("%-*s  %-*s  %-6s  %-*s  %s\n", name_width, user->name, network_width,
			     auth_network(user, network), auth_network_kind(user), host_width,
			     auth_host(user, host), auth_time(user->created, created));
	}
}

static int auth_list(const struct auth_options *options, struct users *users)
{
	struct auth_list list = {0};
	enum users_result result = users_each(users, auth_list_add, &list);
	int status = auth_result(options, users, result, NULL);

	if (list.failed)
		status = auth_fail(AUTH_FAILED, "%s", strerror(ENOMEM));
	if (status == AUTH_OK)
		auth_list_print(&list);
	free(list.users);
	return status;
}

static int auth_command(const struct auth_options *options)
{
	struct users *users;
	int status;

	auth_warn_mode(options);
	if (strcmp(options->command, "add") == 0)
		return auth_add(options);
	if (strcmp(options->command, "passwd") == 0)
		return auth_passwd(options);
	users = auth_open(options, false);
	if (!users)
		return AUTH_FAILED;
	if (strcmp(options->command, "del") == 0)
		status = auth_del(options, users);
	else if (strcmp(options->command, "show") == 0)
		status = auth_show(options, users);
	else if (strcmp(options->command, "lease list") == 0)
		status = auth_lease_list(options, users);
	else if (strcmp(options->command, "lease drop") == 0)
		status = auth_lease_drop(options, users);
	else
		status = auth_list(options, users);
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
