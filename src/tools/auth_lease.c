/* SPDX-License-Identifier: BSD-2-Clause */
/* The commands about leases. */
#include "tools/auth.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct auth_leases {
	struct users_block *blocks;
	size_t count;
	size_t room;
	bool failed;
};

static bool auth_leases_add(const struct users_block *block, void *arg)
{
	struct auth_leases *leases = arg;
	struct users_block *blocks;

	if (block->fixed)
		return true;
	blocks = auth_room(leases->blocks, leases->count, &leases->room, sizeof(*blocks));
	if (!blocks) {
		leases->failed = true;
		return false;
	}
	leases->blocks = blocks;
	leases->blocks[leases->count++] = *block;
	return true;
}

/* As "list" and "show" write it as well. */
static const char *auth_lease_text(const struct users_block *block, char buf[static PREFIX6_STRLEN])
{
	if (!block->host)
		return prefix6_format(&block->prefix, buf);
	return inet_ntop(AF_INET6, &block->prefix.addr, buf, PREFIX6_STRLEN);
}

static void auth_leases_print(const struct auth_leases *leases)
{
	char text[PREFIX6_STRLEN];
	int user = 4, lease = 5; /* the widths of the headings */

	for (size_t i = 0; i < leases->count; i++) {
		user = auth_widest(user, leases->blocks[i].user);
		lease = auth_widest(lease, auth_lease_text(&leases->blocks[i], text));
	}
	(void)printf("%-*s  %-*s  %-7s  %s\n", user, "USER", lease, "LEASE", "KIND", "STATE");
	for (size_t i = 0; i < leases->count; i++) {
		const struct users_block *block = &leases->blocks[i];

		(void)printf("%-*s  %-*s  %-7s  %s\n", user, block->user, lease,
			     auth_lease_text(block, text), block->host ? "host" : "network",
			     block->active ? "active" : "dormant");
	}
}

int auth_lease_list(const struct auth_options *options, struct users *users)
{
	struct auth_leases leases = {.count = 0};
	enum users_result result = USERS_OK;
	int status;

	if (options->user)
		result = auth_look(users, options->user);
	if (result == USERS_OK)
		result = users_each_block(users, options->user, auth_leases_add, &leases);
	status = auth_result(options, users, result, NULL);
	if (leases.failed)
		status = auth_fail(AUTH_FAILED, "%s", strerror(ENOMEM));
	if (status == AUTH_OK)
		auth_leases_print(&leases);
	free(leases.blocks);
	return status;
}

int auth_lease_drop(const struct auth_options *options, struct users *users)
{
	const struct prefix6 *lease = options->has_prefix ? &options->prefix : NULL;

	return auth_result(options, users, users_drop_lease(users, options->user, lease), NULL);
}
