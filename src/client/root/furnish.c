/* SPDX-License-Identifier: BSD-2-Clause */
#include "client/root/furnish.h"

#include "client/msg.h"
#include "forward/msg.h"
#include "netconf/sockets.h"
#include "process/service.h"

#include <string.h>

/* Hands a descriptor over, if there is one; it is no longer ours then. */
static int furnish_hand(struct ipc *room, uint32_t type, int *fd)
{
	int given = *fd;

	*fd = -1;
	return given == -1 ? 0 : ipc_send(room, type, NULL, 0, given);
}

int furnish(struct supplies *supplies, struct ipc *control, struct ipc *forward)
{
	int error;

	error = furnish_hand(control, CLIENT_MSG_COUNTERS, &supplies->counters_reader);
	if (!error)
		error = furnish_hand(forward, FORWARD_MSG_COUNTERS, &supplies->counters);
	if (!error)
		error = furnish_hand(forward, FORWARD_MSG_RAW, &supplies->raw);
	if (!error)
		error = furnish_hand(forward, FORWARD_MSG_UDP, &supplies->udp);
	return error;
}

int furnish_candidate(struct ipc *forward)
{
	const struct in_addr any = {.s_addr = INADDR_ANY};
	uint16_t port;
	int fd = sockets_udp_socket(any, 0, &port);
	const struct forward_port body = {.port = fd < 0 ? 0 : port};

	return fd < 0 ? 0 : ipc_send(forward, FORWARD_MSG_CANDIDATE, &body, sizeof(body), fd);
}

int furnish_account(const struct supplies *supplies, const struct client_options *options,
		    const char *user, struct account_passwords *passwords, struct ipc *control)
{
	struct client_account account = {.udp_port = supplies->udp_port};
	struct client_password password;
	int error = 0;

	for (uint32_t i = 0; i < options->n_servers && !error; i++) {
		password.server = i;
		memcpy(password.text, passwords->text[i], sizeof(password.text));
		error = ipc_send(control, CLIENT_MSG_PASSWORD, &password, sizeof(password), -1);
	}
	explicit_bzero(&password, sizeof(password));
	explicit_bzero(passwords, sizeof(*passwords));
	(void)strlcpy(account.user, user, sizeof(account.user));
	return error ? error : ipc_send(control, CLIENT_MSG_ACCOUNT, &account, sizeof(account), -1);
}
