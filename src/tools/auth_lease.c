/* SPDX-License-Identifier: BSD-2-Clause */
/* The commands about leases. */
#include "tools/auth.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool auth_leases_add(const struct users_block *block, void *arg)
{
	return block->fixed || auth_rows_add(arg, block, sizeof(*block));
}

/* In the form that "list" and "show" use. */
static const char *auth_lease_text(const struct users_block *block, char buf[static PREFIX6_STRLEN])
{
	if (!block->host)
		return prefix6_format(&block->prefix, buf);
	return inet_ntop(AF_INET6, &block->prefix.addr, buf, PREFIX6_STRLEN);
}

static void auth_leases_print(const struct users_block *leases, size_t count)
{
	char text[PREFIX6_STRLEN];
	int user = 4, lease = 5; /* the widths of the headings */

	for (size_t i = 0; i < count; i++) {
		user = auth_widest(user, leases[i].user);
		lease = auth_widest(lease, auth_lease_text(&leases[i], text));
	}
	(void)printf("%-*s  %-*s  %-7s  %s\n", user, "USER", lease, "LEASE", "KIND", "STATE");
	for (size_t i = 0; i < count; i++) {
		const struct users_block *block = &leases[i];

		(void)printf("%-*s  %-*s  %-7s  %s\n", user, block->user, lease,
			     auth_lease_text(block, text), block->host ? "host" : "network",
			     block->active ? "active" : "dormant");
	}
}

int auth_lease_list(const struct auth_options *options, struct users *users)
{
	struct auth_rows leases = {.count = 0};
	enum users_result result = USERS_OK;
	int status;

	if (options->user)
		result = auth_look(users, options->user);
	if (result == USERS_OK)
		result = users_each_block(users, options->user, auth_leases_add, &leases);
	status = auth_rows_result(options, users, result, &leases);
	if (status == AUTH_OK)
		auth_leases_print(leases.list, leases.count);
	free(leases.list);
	return status;
}

int auth_lease_drop(const struct auth_options *options, struct users *users)
{
	const struct prefix6 *lease = options->has_prefix ? &options->prefix : NULL;

	return auth_result(options, users, users_drop_lease(users, options->user, lease), NULL);
}
