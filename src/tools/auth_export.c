/* SPDX-License-Identifier: BSD-2-Clause */
/* "export": all users as a table that "import" reads. */
#include "tools/auth.h"
#include "tools/auth_csv.h"
#include "tools/auth_record.h"

#include <stdlib.h>
#include <string.h>

static void auth_export_row(const struct user *user, bool passwords)
{
	char value[AUTH_VALUE_SIZE];

	auth_csv_write(stdout, true, user->name);
	if (passwords)
		auth_csv_write(stdout, false, user->password);
	for (size_t key = 0; key < auth_keys(); key++)
		auth_csv_write(stdout, false, auth_key_write(key, user, value));
	(void)fputs("\r\n", stdout);
}

int auth_export(const struct auth_options *options, struct users *users)
{
	struct auth_list list = {0};
	int status = auth_list_read(options, users, &list);

	if (status == AUTH_OK) {
		auth_csv_write(stdout, true, "user");
		if (options->passwords)
			auth_csv_write(stdout, false, "password");
		for (size_t key = 0; key < auth_keys(); key++)
			auth_csv_write(stdout, false, auth_key(key));
		(void)fputs("\r\n", stdout);
	}
	for (size_t i = 0; i < list.count && status == AUTH_OK; i++) {
		struct user *user = &list.users[i];
		enum users_result result = USERS_OK;

		/* One user at a time, so that each password is wiped at once. */
		if (options->passwords)
			result = users_find(users, user->name, user);
		if (result == USERS_OK)
			auth_export_row(user, options->passwords);
		else if (result != USERS_NOT_FOUND) /* deleted meanwhile */
			status = auth_result(options, users, result, NULL);
		explicit_bzero(user->password, sizeof(user->password));
	}
	free(list.users);
	return status;
}
