/* SPDX-License-Identifier: BSD-2-Clause */
#include "server/root/check.h"

#include "base/log.h"
#include "process/process.h"
#include "users/users.h"

#include <stdio.h>

enum { CHECK_BAD = 2 };

int server_check(const struct server_options *options)
{
	struct users *users = NULL;
	char error[512];
	int status = CHECK_BAD;

	if (!process_user_check(options->run_as))
		return CHECK_BAD;
	if (users_open(options->database, false, &users, error, sizeof(error)) != USERS_OK)
		log_warnx("%s", error);
	else if (users_verify(users) != USERS_OK)
		log_warnx("%s", users_error(users));
	else
		status = 0;
	users_close(users);
	if (status == 0)
		(void)puts("dtcps: settings and database are in order");
	return status;
}
