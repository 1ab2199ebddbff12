/* SPDX-License-Identifier: BSD-2-Clause */
/* Requests of control: each is checked against the command line and this process's own state. */
#include "base/clock.h"
#include "client/root/root.h"
#include "client/root/root_parts.h"
#include "client/status.h"
#include "client/tunnel.h"
#include "forward/msg.h"
#include "netconf/sockets.h"

/* Rate limit of UDP ports, per second; more than ever needed. */
enum { ROOT_PORTS_RATE = 1, ROOT_PORTS_BURST = 3 };

void root_control_init(struct client_root *root)
{
	rate_init_burst(&root->ports, ROOT_PORTS_RATE, ROOT_PORTS_BURST, (uint64_t)clock_ms());
}

static void root_on_raise(const void *body, void *arg)
{
	struct client_root *root = arg;
	const char *why = "another one is being made";

	if (!tunnel_state_can_raise(&root->tunnel) || !tunnel_check(body, root->options, &why)) {
		supervisor_fail(root->supervisor, "control asked for a tunnel that cannot be: %s",
				why);
		return;
	}
	tunnel_state_raise(&root->tunnel, body);
	root_tell_status(root);
}

static void root_on_lower(void *arg)
{
	struct client_root *root = arg;

	if (!tunnel_state_can_lower(&root->tunnel)) {
		supervisor_fail(root->supervisor,
				"control asked to remove a tunnel that is not there");
		return;
	}
	root->told = false;
	tunnel_state_lower(&root->tunnel);
	root_tell_status(root);
}

static void root_on_session(const void *body, void *arg)
{
	const struct client_session *session = body;
	struct client_root *root = arg;

	/* It can only be up with a tunnel that control has been told of. */
	if (!status_check(session) || (session->state == CLIENT_STATE_UP && !root->told)) {
		supervisor_fail(root->supervisor, "control told of a session that cannot be");
		return;
	}
	root->session = *session;
	root_tell_status(root);
}

/* True if control reads its answers; else ends the program. */
static bool root_control_listens(struct client_root *root)
{
	if (supervisor_backlog(root->supervisor, CLIENT_CONTROL) <= CLIENT_BACKLOG)
		return true;
	supervisor_fail(root->supervisor, "control asks and does not take the answers");
	return false;
}

static void root_on_lookup(const void *body, void *arg)
{
	const struct client_root *root = arg;

	lookups_answer(root->lookups, root->options, root->supervisor, body);
}

static void root_on_port(void *arg)
{
	const struct in_addr any = {.s_addr = INADDR_ANY};
	struct client_root *root = arg;
	const struct client_options *options = root->options;
	struct forward_port candidate = {0};
	uint16_t port;
	int fd;

	if (options->no_device || options->transport == SESSION_IPV6 ||
	    client_options_keep_port(options)) {
		supervisor_fail(root->supervisor,
				"control asked for another UDP port, which is not to be");
		return;
	}
	/* A port that forward has not taken yet suffices. */
	if (supervisor_backlog(root->supervisor, CLIENT_FORWARD) > 0 ||
	    !rate_take(&root->ports, (uint64_t)clock_ms()))
		return;
	/* If there is none, that has been logged, and the old port stays in use. */
	fd = sockets_udp_socket(any, 0, &port);
	if (fd < 0)
		return;
	candidate.port = port;
	supervisor_send(root->supervisor, CLIENT_FORWARD, FORWARD_MSG_CANDIDATE, &candidate,
			sizeof(candidate), fd);
}

static void root_on_ask(void *arg)
{
	struct client_root *root = arg;

	if (root_control_listens(root))
		tunnel_state_tell_interface(&root->tunnel);
}

static void root_on_log(const void *body, void *arg)
{
	const struct client_log *log = body;
	const struct client_root *root = arg;

	if (log->debug > 1)
		supervisor_fail(root->supervisor, "control asked for a log that cannot be");
	else
		supervisor_log_debug(root->supervisor, log->debug != 0);
}

static const struct ipc_row root_control_rows[] = {
	IPC_BODY(CLIENT_MSG_RAISE, struct client_tunnel, root_on_raise),
	IPC_EVENT(CLIENT_MSG_LOWER, root_on_lower),
	IPC_BODY(CLIENT_MSG_SESSION, struct client_session, root_on_session),
	IPC_BODY(CLIENT_MSG_LOOKUP, struct client_server, root_on_lookup),
	IPC_EVENT(CLIENT_MSG_PORT, root_on_port),
	IPC_EVENT(CLIENT_MSG_ASK, root_on_ask),
	IPC_BODY(CLIENT_MSG_LOG, struct client_log, root_on_log),
};

const struct process_rows client_root_rows = PROCESS_ROWS(root_control_rows);
