/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Start and end of the client's root process, and what the tunnel, the machine and signals bring.
 * Requests of control are in root_control.c; the part common to both daemons is
 * process/supervisor.h.
 */
#include "client/root/root.h"

#include "base/log.h"
#include "client/exits.h"
#include "client/resolver/resolver.h"
#include "client/root/account.h"
#include "client/root/resources.h"
#include "client/root/root_parts.h"
#include "client/status.h"
#include "fastpath/root.h"

#include <string.h>
#include <unistd.h>

enum { ROOT_STATUS_SIZE = 1000 };

static void root_tell(struct client_root *root, enum client_msg type, const void *body, size_t size)
{
	supervisor_send(root->supervisor, CLIENT_CONTROL, type, body, size, -1);
}

/* --- status for the service manager ------------------------------------------------------- */

static struct client_status root_status(const struct client_root *root)
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

void root_tell_status(const struct client_root *root)
{
	const struct client_status status = root_status(root);
	char text[ROOT_STATUS_SIZE];

	status_describe(&status, text, sizeof(text));
	service_status(supervisor_service(root->supervisor), "%s", text);
}

/* Sends the last status. */
static void root_tell_end(const struct client_root *root, int status)
{
	struct service *service = supervisor_service(root->supervisor);
	const char *reason = status_reason((enum client_exit)status);

	service_status(service, "ending%s%s", reason ? ": " : "", reason ? reason : "");
	service_stopping(service);
}

static void root_tell_up(struct client_root *root)
{
	/* Control reports this only after it has been told of the tunnel. */
	root->session = (struct client_session){.state = CLIENT_STATE_UP};
	root_tell_status(root);
}

/* --- from the tunnel ---------------------------------------------------------------------- */

static void root_on_raised(bool ok, void *arg)
{
	const struct client_raised raised = {.ok = ok};
	struct client_root *root = arg;

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

static void root_tunnel_gone(struct client_root *root, enum client_msg type)
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

/* --- from the machine --------------------------------------------------------------------- */

static void root_on_network(void *arg)
{
	const struct client_root *root = arg;

	fastpath_join_uplinks(root->tunnel.interface.fast);
	root_tell(arg, CLIENT_MSG_NETWORK, NULL, 0);
}

static void root_on_woke(uint32_t seconds, void *arg)
{
	const struct client_woke woke = {.seconds = seconds};

	root_tell(arg, CLIENT_MSG_WOKE, &woke, sizeof(woke));
}

/* --- from the supervisor ------------------------------------------------------------------ */

/* Logs the tunnel's state here; control logs its packet counters. */
static void root_report(void *arg)
{
	struct client_root *root = arg;
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

static void root_reconnect(struct client_root *root, bool keep)
{
	const struct client_reconnect reconnect = {.keep = keep};

	/* If control has a backlog, an earlier reconnect is still pending. */
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
	struct client_root *root = arg;

	tunnel_state_hurry(&root->tunnel);
}

static bool root_busy(void *arg)
{
	const struct client_root *root = arg;

	return root->tunnel.script != NULL;
}

/* Removes the tunnel first. */
static void root_end(int status, void *arg)
{
	struct client_root *root = arg;
	enum tunnel_phase phase = root->tunnel.phase;

	root_tell_end(root, status);
	/* Control is not needed any more. */
	supervisor_close(root->supervisor, CLIENT_CONTROL);
	if (phase == TUNNEL_STATE_DOWN)
		supervisor_leave(root->supervisor);
	else if (phase == TUNNEL_STATE_UP)
		tunnel_state_lower(&root->tunnel);
	/* Otherwise the script is running; its end continues with the program's end. */
}

static void root_reaped(pid_t pid, int status, void *arg)
{
	struct client_root *root = arg;

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

/* --- start and end ------------------------------------------------------------------------ */

/* What may fail while a user is at the terminal. Returns CLIENT_OK, or the exit status after
 * logging. */
static int root_prepare(struct client_root *root)
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
	/* Before anything is made that ^C at the password prompt would leave behind. */
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
		/* The control socket is optional. */
		(void)supervisor_listen(root->supervisor, &root->socket);
	explicit_bzero(&passwords, sizeof(passwords));
	return status;
}

/* Only once this is the process that handles signals, since control gets its id. */
static void root_give_socket(struct client_root *root)
{
	struct client_ctl self = {.pid = getpid()};

	(void)strlcpy(self.name, client_options_name(root->options), sizeof(self.name));
	if (root->socket >= 0)
		supervisor_send(root->supervisor, CLIENT_CONTROL, CLIENT_MSG_CTL, &self,
				sizeof(self), root->socket);
	root->socket = -1;
}

static int root_serve(struct client_root *root, int argc, char *const argv[])
{
	struct supervisor *supervisor = root->supervisor;
	struct event_base *base;
	int status = CLIENT_LOCAL;

	if (!supervisor_daemonize(supervisor))
		return CLIENT_LOCAL;
	root_give_socket(root);
	base = root->tunnel.base = supervisor_base(supervisor);
	root_control_init(root);
	if (root->options->lan.n > 0)
		root->tunnel.lan = lan_new(base, root->options, root->tunnel.interface.netlink);
	if ((root->tunnel.lan || root->options->lan.n == 0) &&
	    supervisor_start(supervisor, argc, argv))
		root->lookups = lookups_new(base, root->options, supervisor_children(supervisor),
					    RESOLVER_TIMEOUT);
	if (root->lookups) {
		/* Ready before the tunnel is up, which may take arbitrarily long. */
		root_tell_status(root);
		service_ready(supervisor_service(supervisor));
		/* Without the watch, a change is noticed by an unanswered ping. */
		root->watch = watch_new(base, root_on_network, root);
		/* Takes a while, during which control connects. */
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
	struct client_root root = {
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
