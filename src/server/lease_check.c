/* SPDX-License-Identifier: BSD-2-Clause */
#include "server/lease_check.h"

#include "base/log.h"

bool lease_check(const struct server_options *options, struct users *users)
{
	size_t count;

	if (users_count_outside(users, options->has_pool ? &options->pool : NULL,
				(uint8_t)options->network_length,
				options->has_host ? &options->host_prefix : NULL,
				&count) != USERS_OK)
		log_warnx("%s", users_error(users));
	else if (count > 0)
		log_warnx("%zu lease%s outside of the pools: kept for when host.prefix, "
			  "network.pool and network.length are as before; dtcpauth lease list "
			  "shows them, and dtcpauth lease drop USER sets them free",
			  count, count == 1 ? " is" : "s are");
	else
		return true;
	return false;
}
