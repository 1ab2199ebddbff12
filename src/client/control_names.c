/* SPDX-License-Identifier: BSD-2-Clause */
/* Connecting, for which the name files come from monitor where the server has a name. */
#include "client/control_parts.h"

#include <unistd.h>

static void control_open(struct control *control, const struct names *names)
{
	connection_open(control->connection, session_server_name(&control->session),
			control->options->port, names, session_server(&control->session)->address,
			session_server(&control->session)->past);
}

/*
 * A name is looked up with the files as they are now, which monitor opens for us. Those that an
 * attempt which was given up has asked for are as good, since they are not even here yet.
 */
void control_names_connect(struct control *control)
{
	const struct client_none none = {0};

	control->looking_up = connection_is_name(session_server_name(&control->session));
	if (!control->looking_up) {
		control_open(control, NULL);
	} else if (!control->asked) {
		control->asked = true;
		control_must(control,
			     ipc_send(control->monitor, CLIENT_MSG_NAMES, &none, sizeof(none), -1),
			     "monitor");
	}
}

void control_names_hosts(struct ipc *ipc, const void *body, int fd, void *arg)
{
	struct control *control = arg;

	(void)ipc;
	(void)body;
	if (control->hosts != -1)
		close(control->hosts);
	control->hosts = fd;
}

void control_names_resolv(struct ipc *ipc, const void *body, int fd, void *arg)
{
	struct control *control = arg;
	const struct names names = {.hosts = control->hosts, .resolv = fd};

	(void)ipc;
	(void)body;
	control->hosts = -1;
	control->asked = false;
	/* Else the attempt that they were for has been given up. */
	if (control->looking_up) {
		control->looking_up = false;
		control_open(control, &names);
	}
	if (names.hosts != -1)
		close(names.hosts);
	close(fd);
}
