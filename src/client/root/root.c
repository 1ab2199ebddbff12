/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Makes and removes the tunnel at control's request, and runs the script; believes nothing of what
 * control says before it has compared it with the command line and its own state. What is not the
 * client's own is in process/supervisor.h.
 */
#include "client/root/root.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/rate.h"
#include "client/exits.h"
#include "client/msg.h"
#include "client/options.h"
#include "client/resolver/resolver.h"
#include "client/root/account.h"
#include "client/root/lookup.h"
#include "client/root/resources.h"
#include "client/root/tunnel_state.h"
#include "client/status.h"
#include "client/tunnel.h"
#include "fastpath/root.h"
#include "forward/msg.h"
#include "netconf/sockets.h"
#include "netconf/wake.h"
#include "netconf/watch.h"
#include "process/supervisor.h"

#include <string.h>
#include <unistd.h>

/* UDP ports in a second: more than are ever of use. */
enum { ROOT_PORTS_RATE = 1, ROOT_PORTS_BURST = 3 };

enum { ROOT_STATUS_SIZE = 1000 };

struct root {
	const struct client_options *options;
	struct supervisor *supervisor;
	struct lookups *lookups;
	struct watch *watch;
	struct watch *ipsec; /* for the fast path */
	struct wake *wake;
	struct tunnel_state tunnel;
	struct client_session session; /* as control says */
	bool told;		       /* control that it is up, and it has not asked for its end */
	struct rate ports;	       /* UDP ports that control asks for */
	int socket; /* for control, once its process id is known; -1: it has it, or there is none */
};

static void root_tell(struct root *root, enum client_msg type, const void *body, size_t size)
{
	supervisor_send(root->supervisor, CLIENT_CONTROL, type, body, size, -1);
}

/* --- what a service manager is told ------------------------------------------------------- */

static struct client_status root_status(const struct root *root)
{
	return (struct client_status){
		.options = root->options,
		.user = root->tunnel.user,
		.interface = root->tunnel.interface.known.name,
		.phase = root->tunnel.phase,
		.tunnel = root->tunnel.tunnel,
		.session = root->session,
	};
}

static void root_tell_status(const struct root *root)
{
	const struct client_status status = root_status(root);
	char text[ROOT_STATUS_SIZE];

	status_describe(&status, text, sizeof(text));
	service_status(supervisor_service(root->supervisor), "%s", text);
}

/* The last that is said. */
static void root_tell_end(const struct root *root, int status)
{
	struct service *service = supervisor_service(root->supervisor);
	const char *reason = status_reason((enum client_exit)status);

	service_status(service, "ending%s%s", reason ? ": " : "", reason ? reason : "");
	service_stopping(service);
}

static void root_tell_up(struct root *root)
{
	/* Control says so only when it has heard of the tunnel. */
	root->session = (struct client_session){.state = CLIENT_STATE_UP};
	root_tell_status(root);
}

/* --- from the tunnel ---------------------------------------------------------------------- */

static void root_on_raised(bool ok, void *arg)
{
	const struct client_raised raised = {.ok = ok};
	struct root *root = arg;

	root->told = ok;
	if (ok)
		root_tell_up(root);
	else
		root_tell_status(root);
	root_tell(root, CLIENT_MSG_RAISED, &raised, sizeof(raised));
	if (!supervisor_is_ending(root->supervisor))
		return;
	if (ok)
		tunnel_state_lower(&root->tunnel);
	else
		supervisor_leave(root->supervisor);
}

static void root_tunnel_gone(struct root *root, enum client_msg type)
{
	root_tell_status(root);
	root_tell(root, type, NULL, 0);
	if (supervisor_is_ending(root->supervisor))
		supervisor_leave(root->supervisor);
}

static void root_on_lowered(void *arg)
{
	root_tunnel_gone(arg, CLIENT_MSG_LOWERED);
}

static void root_on_lost(void *arg)
{
	root_tunnel_gone(arg, CLIENT_MSG_LOST);
}

/* --- from control ------------------------------------------------------------------------- */

static void root_on_raise(const void *body, void *arg)
{
	struct root *root = arg;
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
	struct root *root = arg;

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
	struct root *root = arg;

	/* It is up only with a tunnel of which control has heard; while it is told anew, too. */
	if (!status_check(session) || (session->state == CLIENT_STATE_UP && !root->told)) {
		supervisor_fail(root->supervisor, "control told of a session that cannot be");
		return;
	}
	root->session = *session;
	root_tell_status(root);
}

/* True if it takes the answers. */
static bool root_control_listens(struct root *root)
{
	if (supervisor_backlog(root->supervisor, CLIENT_CONTROL) <= CLIENT_BACKLOG)
		return true;
	supervisor_fail(root->supervisor, "control asks and does not take the answers");
	return false;
}

static void root_on_lookup(const void *body, void *arg)
{
	const struct root *root = arg;

	lookups_answer(root->lookups, root->options, root->supervisor, body);
}

static void root_on_port(void *arg)
{
	const struct in_addr any = {.s_addr = INADDR_ANY};
	struct root *root = arg;
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
	/* One that forward has not taken yet will do. */
	if (supervisor_backlog(root->supervisor, CLIENT_FORWARD) > 0 ||
	    !rate_take(&root->ports, (uint64_t)clock_ms()))
		return;
	/* If none can be had, that has been logged, and all goes on as before. */
	fd = sockets_udp_socket(any, 0, &port);
	if (fd < 0)
		return;
	candidate.port = port;
	supervisor_send(root->supervisor, CLIENT_FORWARD, FORWARD_MSG_CANDIDATE, &candidate,
			sizeof(candidate), fd);
}

static void root_on_ask(void *arg)
{
	struct root *root = arg;

	if (root_control_listens(root))
		tunnel_state_tell_interface(&root->tunnel);
}

static void root_on_log(const void *body, void *arg)
{
	const struct client_log *log = body;
	const struct root *root = arg;

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

/* --- from the machine --------------------------------------------------------------------- */

static void root_on_network(void *arg)
{
	const struct root *root = arg;

	fastpath_join_uplinks(root->tunnel.interface.fast);
	root_tell(arg, CLIENT_MSG_NETWORK, NULL, 0);
}

static void root_on_woke(uint32_t seconds, void *arg)
{
	const struct client_woke woke = {.seconds = seconds};

	root_tell(arg, CLIENT_MSG_WOKE, &woke, sizeof(woke));
}

/* --- from the supervisor ------------------------------------------------------------------ */

/* What we know of the tunnel is said here, and what control can read of its packets there. */
static void root_report(void *arg)
{
	struct root *root = arg;
	const struct client_status status = root_status(root);
	struct log_record record;
	char text[ROOT_STATUS_SIZE];

	status_describe(&status, text, sizeof(text));
	log_record_begin(&record, LOG_INFO, "status", "status: %s", text);
	status_record(&status, &record);
	record.told = true;
	log_event(&record);
	if (!root->options->no_device)
		fastpath_say(root->tunnel.interface.fast);
	root_tell(root, CLIENT_MSG_REPORT, NULL, 0);
}

static void root_reconnect(struct root *root, bool keep)
{
	const struct client_reconnect reconnect = {.keep = keep};

	/* If control is as far behind as that, it has not done yet what was asked for before. */
	if (supervisor_backlog(root->supervisor, CLIENT_CONTROL) == 0)
		root_tell(root, CLIENT_MSG_RECONNECT, &reconnect, sizeof(reconnect));
}

static void root_reload(void *arg)
{
	root_reconnect(arg, false);
}

static void root_renew(void *arg)
{
	root_reconnect(arg, true);
}

static void root_stop(void *arg)
{
	root_tell_end(arg, CLIENT_OK);
	root_tell(arg, CLIENT_MSG_STOP, NULL, 0);
}

static void root_hurry(void *arg)
{
	struct root *root = arg;

	tunnel_state_hurry(&root->tunnel);
}

static bool root_busy(void *arg)
{
	const struct root *root = arg;

	return root->tunnel.script != NULL;
}

/* What is there is removed first. */
static void root_end(int status, void *arg)
{
	struct root *root = arg;
	enum tunnel_phase phase = root->tunnel.phase;

	root_tell_end(root, status);
	/* Control has nothing more to say. */
	supervisor_close(root->supervisor, CLIENT_CONTROL);
	if (phase == TUNNEL_STATE_DOWN)
		supervisor_leave(root->supervisor);
	else if (phase == TUNNEL_STATE_UP)
		tunnel_state_lower(&root->tunnel);
	/* Else the script is running, and what comes after it sees that we are ending. */
}

static void root_reaped(pid_t pid, int status, void *arg)
{
	struct root *root = arg;

	if (!lookups_reaped(root->lookups, pid, status))
		tunnel_state_reaped(&root->tunnel, pid, status);
}

static const struct supervisor_events root_events = {
	.report = root_report,
	.reload = root_reload,
	.renew = root_renew,
	.stop = root_stop,
	.hurry = root_hurry,
	.busy = root_busy,
	.end = root_end,
	.reaped = root_reaped,
};

/* --- from the start to the end ------------------------------------------------------------ */

/* While somebody may sit at the terminal. Returns CLIENT_OK, or the exit status after logging. */
static int root_prepare(struct root *root)
{
	const struct client_options *options = root->options;
	struct account_passwords passwords = {0};
	uint32_t udp_port;
	int status;

	if (!lan_check(options))
		return CLIENT_USAGE;
	if (!client_resources_script(options, root->tunnel.script_path))
		return CLIENT_USAGE;
	root->tunnel.user = root->tunnel.interface.user = account_user(options);
	if (!root->tunnel.user)
		return CLIENT_USAGE;
	/* Before anything is there that could be left behind: ^C at the question is the end. */
	status = (int)account_get(options, root->tunnel.user, &passwords);
	if (status == CLIENT_OK &&
	    (!supervisor_claim(root->supervisor) ||
	     netlink_open(&root->tunnel.interface.netlink) != 0 ||
	     !client_resources_try_device(options, root->tunnel.interface.netlink) ||
	     !client_resources_open(root->supervisor, options, &root->tunnel.interface.fast,
				    &udp_port)))
		status = CLIENT_LOCAL;
	if (status == CLIENT_OK)
		client_resources_tell(root->supervisor, options->n_servers, root->tunnel.user,
				      &passwords, udp_port);
	if (status == CLIENT_OK)
		/* Nobody has to be able to ask. */
		(void)supervisor_listen(root->supervisor, &root->socket);
	explicit_bzero(&passwords, sizeof(passwords));
	return status;
}

/* Once this is the process that takes signals, whose id control is told. */
static void root_give_socket(struct root *root)
{
	struct client_ctl self = {.pid = getpid()};

	(void)strlcpy(self.name, client_options_name(root->options), sizeof(self.name));
	if (root->socket >= 0)
		supervisor_send(root->supervisor, CLIENT_CONTROL, CLIENT_MSG_CTL, &self,
				sizeof(self), root->socket);
	root->socket = -1;
}

static int root_serve(struct root *root, int argc, char *const argv[])
{
	struct supervisor *supervisor = root->supervisor;
	struct event_base *base;
	int status = CLIENT_LOCAL;

	if (!supervisor_daemonize(supervisor))
		return CLIENT_LOCAL;
	root_give_socket(root);
	base = root->tunnel.base = supervisor_base(supervisor);
	rate_init_burst(&root->ports, ROOT_PORTS_RATE, ROOT_PORTS_BURST, (uint64_t)clock_ms());
	if (root->options->lan.n > 0)
		root->tunnel.lan = lan_new(base, root->options, root->tunnel.interface.netlink);
	if ((root->tunnel.lan || root->options->lan.n == 0) &&
	    supervisor_start(supervisor, argc, argv))
		root->lookups = lookups_new(base, root->options, supervisor_children(supervisor),
					    RESOLVER_TIMEOUT);
	if (root->lookups) {
		/* The tunnel may take as long as it likes, and whoever starts us does not wait. */
		root_tell_status(root);
		service_ready(supervisor_service(supervisor));
		/* Without them a change is noticed when a ping goes unanswered. */
		root->watch = watch_new(base, root_on_network, root);
		/* Takes its time, in which control connects. */
		fastpath_join_uplinks(root->tunnel.interface.fast);
		root->ipsec = fastpath_watch_ipsec(base, root->tunnel.interface.fast,
						   root->options->fast);
		tunnel_state_watch(&root->tunnel);
		root->wake = wake_new(base, root_on_woke, root);
		status = supervisor_run(supervisor);
	}
	tunnel_state_unwatch(&root->tunnel);
	wake_free(root->wake);
	watch_free(root->watch);
	watch_free(root->ipsec);
	lookups_free(root->lookups);
	lan_free(root->tunnel.lan);
	return status;
}

int client_root_run(const struct program *program, int argc, char *const argv[])
{
	struct root root = {
		.options = program->options,
		.socket = -1,
		.tunnel = {.options = program->options,
			   .interface = {.options = program->options},
			   .on_raised = root_on_raised,
			   .on_lowered = root_on_lowered,
			   .on_lost = root_on_lost,
			   .arg = &root},
	};
	int status;

	root.supervisor = supervisor_new(program, &root_events, &root, &status);
	if (!root.supervisor)
		return status;
	root.tunnel.supervisor = root.supervisor;
	status = root_prepare(&root);
	if (status == CLIENT_OK)
		status = root_serve(&root, argc, argv);
	supervisor_stop(root.supervisor);
	if (root.socket >= 0)
		close(root.socket);
	supervisor_free(root.supervisor);
	fastpath_close(root.tunnel.interface.fast);
	netlink_close(root.tunnel.interface.netlink);
	return status;
}
