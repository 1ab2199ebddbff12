/* SPDX-License-Identifier: BSD-2-Clause */
#include "client/root/socket.h"

#include "client/msg.h"

#include <string.h>
#include <unistd.h>

void socket_open(struct socket *socket, const struct client_options *options)
{
	char path[CTL_PATH_SIZE];

	*socket = (struct socket){.fd = -1};
	if (ctl_listen_path(options->control_socket, "dtcpclient", options->interface, path))
		socket->fd = ctl_listen_open(path, &socket->listen);
}

void socket_give(struct socket *socket, struct supervisor *supervisor,
		 const struct client_options *options)
{
	struct client_ctl self = {.pid = getpid()};

	(void)strlcpy(self.name, client_options_name(options), sizeof(self.name));
	if (socket->fd >= 0)
		supervisor_send(supervisor, CLIENT_CONTROL, CLIENT_MSG_CTL, &self, sizeof(self),
				socket->fd);
	socket->fd = -1;
}

void socket_tell_guard(const struct socket *socket, struct supervisor *supervisor)
{
	supervisor_send(supervisor, CLIENT_GUARD, CLIENT_MSG_SOCKET, &socket->listen,
			sizeof(socket->listen), -1);
}

void socket_close(struct socket *socket)
{
	ctl_listen_remove(&socket->listen);
	if (socket->fd >= 0)
		close(socket->fd);
}
