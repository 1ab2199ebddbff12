/* SPDX-License-Identifier: BSD-2-Clause */
/* The commands that show users, as text or as JSON. */
#include "tools/auth.h"
#include "tools/auth_json.h"
#include "tools/auth_record.h"
#include "users/history.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const char *auth_network(const struct user *user, char buf[static AUTH_VALUE_SIZE])
{
	return user->networks.n ? auth_prefixes_write(&user->networks, buf) : "-";
}

static const char *auth_network_kind(const struct user *user)
{
	if (user->networks.n == 0)
		return "-";
	return user->has_fixed ? "fixed" : "leased";
}

static const char *auth_host(const struct user *user, char buf[static INET6_ADDRSTRLEN])
{
	if (!user->has_host || !inet_ntop(AF_INET6, &user->host, buf, INET6_ADDRSTRLEN))
		return "-";
	return buf;
}

/* Whether a login would be accepted. */
static const char *auth_state(const struct user *user)
{
	if (user->limits.disabled)
		return "disabled";
	return users_is_expired(&user->limits, (int64_t)time(NULL)) ? "expired" : "ok";
}

/* When a user was seen last. False if the database cannot be read. */
static bool auth_seen(struct users *users, const struct user *user, int64_t *seen)
{
	struct users_session session;
	enum users_result result = users_history_last(users, user, &session);

	if (result == USERS_NOT_FOUND)
		*seen = AUTH_NEVER;
	else if (result == USERS_OK)
		*seen = session.up ? AUTH_NOW : session.ended;
	return result == USERS_OK || result == USERS_NOT_FOUND;
}

static const char *auth_seen_text(int64_t seen, char buf[static AUTH_TIME_SIZE])
{
	if (seen == AUTH_NOW)
		return "now";
	return seen == AUTH_NEVER ? "-" : auth_time(seen, buf);
}

/* NULL for "-". */
static const char *auth_present(const char *text)
{
	return strcmp(text, "-") == 0 ? NULL : text;
}

/* Writes the names of bits as an array; null: any. */
static void auth_json_words(struct auth_json *json, const char *key, const struct auth_word *words,
			    unsigned int bits)
{
	if (bits == 0) {
		auth_json_text(json, key, NULL);
		return;
	}
	auth_json_open(json, key, '[');
	for (; words->name; words++) {
		if (bits & words->bit)
			auth_json_text(json, NULL, words->name);
	}
	auth_json_close(json, ']');
}

static void auth_json_user(struct auth_json *json, const struct user *user, int64_t seen)
{
	char network[AUTH_VALUE_SIZE];
	char host[INET6_ADDRSTRLEN];
	char when[AUTH_TIME_SIZE];
	const struct users_limits *limits = &user->limits;

	auth_json_open(json, NULL, '{');
	auth_json_text(json, "user", user->name);
	auth_json_open(json, "networks", '[');
	for (uint32_t i = 0; i < user->networks.n; i++)
		auth_json_text(json, NULL, prefix6_format(&user->networks.list[i], network));
	auth_json_close(json, ']');
	auth_json_text(json, "network_kind", auth_present(auth_network_kind(user)));
	auth_json_text(json, "host", auth_present(auth_host(user, host)));
	auth_json_text(json, "state", auth_state(user));
	auth_json_words(json, "types", auth_types, limits->types);
	auth_json_words(json, "transports", auth_transports, limits->transports);
	/* The exact time, since programs compare it. */
	auth_json_text(json, "expires", limits->expires ? auth_time(limits->expires, when) : NULL);
	auth_json_bool(json, "disabled", limits->disabled);
	auth_json_text(json, "note", user->note);
	auth_json_text(json, "created", auth_time(user->created, when));
	auth_json_text(json, "seen", auth_present(auth_seen_text(seen, when)));
	auth_json_close(json, '}');
}

/* The words of "show", in the order of the manual page. */
static void auth_show_text(const struct user *user, int64_t seen)
{
	char network[AUTH_VALUE_SIZE];
	char host[INET6_ADDRSTRLEN];
	char created[AUTH_TIME_SIZE];
	char value[AUTH_VALUE_SIZE];

	(void)printf("user:          %s\n"
		     "network:       %s\n"
		     "network-kind:  %s\n"
		     "host:          %s\n"
		     "state:         %s\n",
		     user->name, auth_network(user, network), auth_network_kind(user),
		     auth_host(user, host), auth_state(user));
	/* The prefix is above. */
	for (size_t key = 1; key < auth_keys(); key++) {
		int width = 14 - (int)strlen(auth_key(key));
		const char *text = auth_key_write(key, user, value);

		(void)printf("%s:%*s%s\n", auth_key(key), width, "", *text ? text : "-");
	}
	(void)printf("created:       %s\n", auth_time(user->created, created));
	(void)printf("seen:          %s\n", auth_seen_text(seen, created));
}

int auth_show(const struct auth_options *options, struct users *users)
{
	struct auth_json json = {.depth = 0};
	struct user user;
	int64_t seen;
	enum users_result result = users_find(users, options->user, &user);

	if (result != USERS_OK)
		return auth_result(options, users, result, NULL);
	explicit_bzero(user.password, sizeof(user.password));
	if (!auth_seen(users, &user, &seen))
		return auth_result(options, users, USERS_FAILED, NULL);
	if (options->json)
		auth_json_user(&json, &user, seen);
	else
		auth_show_text(&user, seen);
	return AUTH_OK;
}

static bool auth_list_add(const struct user *user, void *arg)
{
	return auth_rows_add(arg, user, sizeof(*user));
}

int auth_list_read(const struct auth_options *options, struct users *users, struct auth_list *list)
{
	struct auth_rows rows = {.count = 0};
	enum users_result result = users_each(users, auth_list_add, &rows);

	list->users = rows.list;
	list->count = rows.count;
	return auth_rows_result(options, users, result, &rows);
}

/* Fills in when each user was last seen. */
static int auth_list_seen(const struct auth_options *options, struct users *users,
			  struct auth_list *list)
{
	list->seen = calloc(list->count + 1, sizeof(*list->seen));
	if (!list->seen)
		return auth_fail(AUTH_FAILED, "%s", strerror(ENOMEM));
	for (size_t i = 0; i < list->count; i++) {
		if (!auth_seen(users, &list->users[i], &list->seen[i]))
			return auth_result(options, users, USERS_FAILED, NULL);
	}
	return AUTH_OK;
}

int auth_widest(int width, const char *text)
{
	int len = (int)strlen(text);

	return len > width ? len : width;
}

static void auth_list_print(const struct auth_list *list)
{
	char network[AUTH_VALUE_SIZE];
	char host[INET6_ADDRSTRLEN];
	char created[AUTH_TIME_SIZE];
	char seen[AUTH_TIME_SIZE];
	int name_width = 4, network_width = 7, host_width = 4; /* widths of the headings */

	for (size_t i = 0; i < list->count; i++) {
		const struct user *user = &list->users[i];

		name_width = auth_widest(name_width, user->name);
		network_width = auth_widest(network_width, auth_network(user, network));
		host_width = auth_widest(host_width, auth_host(user, host));
	}
	(void)printf("%-*s  %-*s  %-6s  %-*s  %-8s  %-20s  %s\n", name_width, "USER", network_width,
		     "NETWORK", "KIND", host_width, "HOST", "STATE", "CREATED", "SEEN");
	for (size_t i = 0; i < list->count; i++) {
		const struct user *user = &list->users[i];

		(void)printf("%-*s  %-*s  %-6s  %-*s  %-8s  %-20s  %s\n", name_width, user->name,
			     network_width, auth_network(user, network), auth_network_kind(user),
			     host_width, auth_host(user, host), auth_state(user),
			     auth_time(user->created, created),
			     auth_seen_text(list->seen[i], seen));
	}
}

int auth_list(const struct auth_options *options, struct users *users)
{
	struct auth_json json = {.depth = 0};
	struct auth_list list = {0};
	int status = auth_list_read(options, users, &list);

	if (status == AUTH_OK)
		status = auth_list_seen(options, users, &list);
	if (status == AUTH_OK && options->json) {
		auth_json_open(&json, NULL, '[');
		for (size_t i = 0; i < list.count; i++)
			auth_json_user(&json, &list.users[i], list.seen[i]);
		auth_json_close(&json, ']');
	} else if (status == AUTH_OK) {
		auth_list_print(&list);
	}
	free(list.seen);
	free(list.users);
	return status;
}
