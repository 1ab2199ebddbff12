/* SPDX-License-Identifier: BSD-2-Clause */
#include "client/account.h"

#include "base/log.h"
#include "client/authfile.h"

#include <errno.h>
#include <pwd.h>
#include <readpassphrase.h>
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
	/* Into a place of our own: getpwuid() is going to be called again. */
	(void)strlcpy(login, name, sizeof(login));
	return login;
}

enum client_exit account_get(const struct client_options *options, const char *user,
			     struct client_account *account)
{
	char prompt[DTCP_USER_MAX + 300];

	memset(account, 0, sizeof(*account));
	(void)strlcpy(account->user, user, sizeof(account->user));
	switch (authfile_find(options->auth_file, options->server, user, account->password)) {
	case AUTHFILE_FOUND:
		return CLIENT_OK;
	case AUTHFILE_FAILED:
	case AUTHFILE_NO_ENTRY:
		break;
	}
	(void)snprintf(prompt, sizeof(prompt), "password for %s at %s: ", user, options->server);
	if (!readpassphrase(prompt, account->password, sizeof(account->password),
			    RPP_REQUIRE_TTY)) {
		if (errno == ENOTTY || errno == ENXIO)
			log_warnx("no password: no line \"%s:%s:...\" in %s, and no terminal to "
				  "ask at",
				  options->server, user, options->auth_file);
		else
			log_warn("no password");
		return CLIENT_PASSWORD;
	}
	if (!dtcp_password_valid(account->password)) {
		log_warnx("no password: what was typed is empty or has control characters");
		return CLIENT_PASSWORD;
	}
	return CLIENT_OK;
}
