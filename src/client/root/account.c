/* SPDX-License-Identifier: BSD-2-Clause */
#include "client/root/account.h"

#include "base/log.h"
#include "client/root/authfile.h"

#include <errno.h>
#include <pwd.h>
#include <readpassphrase.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

const char *account_user(const struct client_options *options)
{
	static char login[DTCP_USER_MAX + 1];
	const char *name = options->login;

	if (!name)
		name = getlogin();
	if (!name) {
		const struct passwd *passwd = getpwuid(getuid());

		name = passwd ? passwd->pw_name : "";
	}
	if (!dtcp_user_valid(name)) {
		log_warnx("no login name to log in with; name the user with -u");
		return NULL;
	}
	/* Copied, since getpwuid() will be called again. */
	(void)strlcpy(login, name, sizeof(login));
	return login;
}

/* "a, b": the servers that the file has no password for. */
static void account_list(const struct client_options *options, const struct authfile_entry *entries,
			 char *list, size_t size)
{
	list[0] = '\0';
	for (size_t i = 0; i < options->n_servers; i++) {
		if (entries[i].found)
			continue;
		if (list[0])
			(void)strlcat(list, ", ", size);
		(void)strlcat(list, options->servers[i], size);
	}
}

/* Why there is no password, if there is no terminal to ask at. */
static void account_log_missing(const struct client_options *options, const char *user,
				enum authfile_result result, const char *missing)
{
	const char *file = options->auth_file;

	if (result == AUTHFILE_NO_FILE)
		log_warnx("no password: there is no %s, and no terminal to ask at", file);
	else if (result == AUTHFILE_FAILED)
		log_warnx("no password: %s cannot be read, and there is no terminal to ask at",
			  file);
	else
		log_warnx("no password: no line \"%s:%s:...\" in %s, and no terminal to ask at",
			  missing, user, file);
}

static enum client_exit account_ask(const struct client_options *options, const char *user,
				    const struct authfile_entry *entries,
				    enum authfile_result found, const char *missing)
{
	char list[CLIENT_SERVERS_MAX * 256];
	char prompt[sizeof(list) + DTCP_USER_MAX + 40];
	/* One byte longer than a password, to detect one that is too long. */
	char typed[DTCP_PASSWORD_MAX + 2];
	enum client_exit result = CLIENT_OK;
	sigset_t blocked;
	sigset_t none;
	bool answered;

	account_list(options, entries, list, sizeof(list));
	(void)snprintf(prompt, sizeof(prompt), "password for %s at %s: ", user, list);
	/* Signals are blocked in the root process, but must be able to end the prompt. */
	sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, &blocked);
	answered = readpassphrase(prompt, typed, sizeof(typed), RPP_REQUIRE_TTY);
	(void)sigprocmask(SIG_SETMASK, &blocked, NULL);
	if (!answered) {
		if (errno == ENOTTY || errno == ENXIO)
			account_log_missing(options, user, found, missing);
		else
			log_warn("no password");
		result = CLIENT_PASSWORD;
	} else if (!dtcp_password_valid(typed)) {
		log_warnx("no password: what was typed is empty, too long or has control "
			  "characters");
		result = CLIENT_PASSWORD;
	}
	for (size_t i = 0; i < options->n_servers && result == CLIENT_OK; i++) {
		if (!entries[i].found)
			(void)strlcpy(entries[i].password, typed, DTCP_PASSWORD_MAX + 1);
	}
	explicit_bzero(typed, sizeof(typed));
	return result;
}

enum client_exit account_get(const struct client_options *options, const char *user,
			     struct account_passwords *passwords)
{
	struct authfile_entry entries[CLIENT_SERVERS_MAX];
	enum authfile_result found;

	for (size_t i = 0; i < options->n_servers; i++)
		entries[i] = (struct authfile_entry){.server = options->servers[i],
						     .password = passwords->text[i]};
	/* An unreadable file has been logged; then ask for the password as well. */
	found = authfile_find(options->auth_file, user, entries, options->n_servers);
	for (size_t i = 0; i < options->n_servers; i++) {
		if (!entries[i].found)
			return account_ask(options, user, entries, found, options->servers[i]);
	}
	return CLIENT_OK;
}
