/* SPDX-License-Identifier: BSD-2-Clause */
#include "server/root/furnish.h"

#include "base/log.h"
#include "forward/msg.h"
#include "process/service.h"
#include "server/msg.h"

struct furnish {
	struct ipc *forward;
	int error; /* the first one, 0: none */
};

static void furnish_send(struct furnish *furnish, struct ipc *ipc, uint32_t type, const void *body,
			 size_t size, int fd)
{
	int error = ipc_send(ipc, type, body, size, fd);

	if (!furnish->error)
		furnish->error = error;
}

/* Hands a descriptor over; it is no longer ours. */
static void furnish_hand(struct furnish *furnish, struct ipc *ipc, uint32_t type, int *fd)
{
	furnish_send(furnish, ipc, type, NULL, 0, *fd);
	*fd = -1;
}

/* Tells forward of a prefix whose user is not here: unreachable now, but not unknown. */
static bool furnish_assigned(const struct user *user, void *arg)
{
	const struct forward_prefix assigned = {.prefix = user->network};
	const struct forward_prefix host = {.prefix = {.addr = user->host, .len = 128}};
	struct furnish *furnish = arg;

	if (user->has_network)
		furnish_send(furnish, furnish->forward, FORWARD_MSG_ASSIGNED, &assigned,
			     sizeof(assigned), -1);
	if (user->has_host)
		furnish_send(furnish, furnish->forward, FORWARD_MSG_ASSIGNED, &host, sizeof(host),
			     -1);
	return true;
}

int furnish_settings(const struct server_options *options, struct ipc *forward)
{
	const struct forward_settings settings = {
		.icmp6_rate = options->icmp6_rate,
		.debug = options->debug,
	};

	return ipc_send(forward, FORWARD_MSG_SETTINGS, &settings, sizeof(settings), -1);
}

int furnish(struct supplies *supplies, const struct server_options *options, struct users *users,
	    struct ipc *control, struct ipc *forward)
{
	struct furnish all = {.forward = forward};
	const struct forward_icmp icmp = {.source = supplies->icmp_source};
	const struct forward_device shared = {.index = 0};

	furnish_hand(&all, forward, FORWARD_MSG_COUNTERS, &supplies->counters);
	furnish_hand(&all, forward, FORWARD_MSG_RAW, &supplies->raw);
	furnish_hand(&all, forward, FORWARD_MSG_ROUTES, &supplies->routes);
	if (supplies->udp != -1)
		furnish_hand(&all, forward, FORWARD_MSG_UDP, &supplies->udp);
	furnish_send(&all, forward, FORWARD_MSG_ICMP, &icmp, sizeof(icmp), -1);
	if (!all.error)
		all.error = furnish_settings(options, forward);
	furnish_send(&all, forward, FORWARD_MSG_DEVICE, &shared, sizeof(shared), supplies->tun);
	supplies->tun = -1;
	if (users_each(users, furnish_assigned, &all) != USERS_OK)
		log_warnx("%s", users_error(users));
	furnish_hand(&all, control, SERVER_MSG_COUNTERS, &supplies->counters_reader);
	furnish_hand(&all, control, SERVER_MSG_LISTENER, &supplies->listener);
	return all.error;
}
