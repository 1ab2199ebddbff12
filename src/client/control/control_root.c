/* SPDX-License-Identifier: BSD-2-Clause */
/* Messages of root's process: the account, signals, the machine, the tunnel's state. */
#include "client/control/control_parts.h"
#include "client/status.h"

#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

static void control_on_password(const void *body, void *arg)
{
	struct control *control = arg;
	const struct client_password *password = body;

	if (control->session.state == SESSION_IDLE &&
	    password->server < control->options->n_servers)
		session_password(&control->session, password->server, password->text);
	else
		control_wrong(control, "monitor", "password");
}

static void control_on_account(const void *body, void *arg)
{
	struct control *control = arg;
	const struct client_account *account = body;

	if (control->session.state != SESSION_IDLE) {
		control_wrong(control, "monitor", "account");
		return;
	}
	session_account(&control->session, account->user);
	control_set_port(control, (uint16_t)account->udp_port);
	if (control->check)
		control_check_begin(control->check);
	else
		control_feed_input(control, SESSION_START);
}

static void control_on_reconnect(const void *body, void *arg)
{
	const struct client_reconnect *reconnect = body;

	control_reconnect(arg, reconnect->keep != 0);
}

/* The present source address of packets to the server; 0 if there is no route. */
static struct in_addr control_source(const struct control *control)
{
	const struct sockaddr_in server = {
		.sin_family = AF_INET,
		.sin_port = htons(control->options->port),
		.sin_addr = control->session.remote,
	};
	struct sockaddr_in local = {.sin_family = AF_INET};
	socklen_t len = sizeof(local);
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	/* Connecting a UDP socket sends nothing; it looks up the route. */
	if (fd == -1 || server.sin_addr.s_addr == 0 ||
	    connect(fd, (const struct sockaddr *)&server, sizeof(server)) == -1 ||
	    getsockname(fd, (struct sockaddr *)&local, &len) == -1)
		local.sin_addr.s_addr = 0;
	if (fd != -1)
		close(fd);
	return local.sin_addr;
}

static void control_on_network(void *arg)
{
	struct control *control = arg;
	const struct session_event event = {.input = SESSION_NETWORK,
					    .local = control_source(control)};

	control_lookup_outdated(control, false);
	control_feed(&event, control);
}

static void control_on_woke(const void *body, void *arg)
{
	const struct client_woke *woke = body;
	const struct session_event event = {.input = SESSION_WOKE, .seconds = woke->seconds};

	control_lookup_outdated(arg, true);
	control_feed(&event, arg);
}

static void control_on_counters(int fd, void *arg)
{
	struct control *control = arg;

	control->counters = counters_map(fd, 1);
}

static void control_on_fast(const void *body, int fd, void *arg)
{
	struct control *control = arg;

	counters_kernel_map(fd, body, 1, &control->kernel);
}

static void control_on_report(void *arg)
{
	const struct control *control = arg;
	struct client_status status;

	control_status(control, &status);
	if (!status.counted)
		return;
	counters_log_session(&status.traffic);
	counters_log_page(control->counters, &control->kernel);
}

static void control_on_stop(void *arg)
{
	struct control *control = arg;

	if (control->check)
		control_check_stop(control->check);
	else
		control_feed_input(control, SESSION_STOP);
}

static void control_on_raised(const void *body, void *arg)
{
	struct control *control = arg;
	const struct client_raised *raised = body;

	if (control->session.tunnel != SESSION_TUNNEL_RAISING) {
		control_wrong(control, "monitor", "raised");
		return;
	}
	if (!raised->ok)
		control_forward_remove(control);
	control_feed_input(control, raised->ok ? SESSION_RAISED : SESSION_RAISE_ERROR);
}

/*
 * The tunnel is gone. The session is removed from forward only now, since the script at "down" may
 * still use it; not if the next session is there already.
 */
static void control_tunnel_gone(struct control *control, enum session_input input)
{
	enum session_state state = control->session.state;

	if (state != SESSION_TEST && state != SESSION_RAISE)
		control_forward_remove(control);
	control_feed_input(control, input);
}

static void control_on_lowered(void *arg)
{
	struct control *control = arg;

	if (control->session.tunnel == SESSION_TUNNEL_LOWERING)
		control_tunnel_gone(control, SESSION_LOWERED);
	else
		control_wrong(control, "monitor", "lowered");
}

static void control_on_lost(void *arg)
{
	struct control *control = arg;

	if (control->session.tunnel == SESSION_TUNNEL_NONE)
		control_wrong(control, "monitor", "lost");
	/* A tunnel that is being set up is a later one. */
	else if (control->session.tunnel != SESSION_TUNNEL_RAISING)
		control_tunnel_gone(control, SESSION_LOST);
}

static const struct ipc_row root_rows[] = {
	IPC_BODY(CLIENT_MSG_PASSWORD, struct client_password, control_on_password),
	IPC_BODY(CLIENT_MSG_ACCOUNT, struct client_account, control_on_account),
	IPC_BODY(CLIENT_MSG_RECONNECT, struct client_reconnect, control_on_reconnect),
	IPC_EVENT(CLIENT_MSG_NETWORK, control_on_network),
	IPC_BODY(CLIENT_MSG_WOKE, struct client_woke, control_on_woke),
	IPC_EVENT(CLIENT_MSG_STOP, control_on_stop),
	IPC_ANSWERS_PINGS,
	IPC_BODY(CLIENT_MSG_RAISED, struct client_raised, control_on_raised),
	IPC_EVENT(CLIENT_MSG_LOWERED, control_on_lowered),
	IPC_EVENT(CLIENT_MSG_LOST, control_on_lost),
	IPC_BODY_FD(CLIENT_MSG_RESOLVER, struct client_server, control_lookup_on_resolver),
	IPC_BODY(CLIENT_MSG_NO_RESOLVER, struct client_server, control_lookup_on_no_resolver),
	IPC_BODY_FD(CLIENT_MSG_FAST, struct counters_kernel_given, control_on_fast),
	IPC_FD(CLIENT_MSG_COUNTERS, control_on_counters),
	IPC_EVENT(CLIENT_MSG_REPORT, control_on_report),
	IPC_BODY(CLIENT_MSG_CHECK, struct client_check, control_check_on_given),
	IPC_BODY_FD(CLIENT_MSG_CTL, struct client_ctl, control_ctl_on_socket),
	IPC_BODY(CLIENT_MSG_INTERFACE, struct client_interface, control_ctl_on_interface),
};

struct ipc *control_root_open(struct control *control, int fd)
{
	return ipc_new(control->base, fd, "monitor", root_rows,
		       sizeof(root_rows) / sizeof(root_rows[0]), control_on_closed, control);
}
