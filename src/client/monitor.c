/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Starts the rooms, makes and removes the tunnel at control's request, runs the script, and sees
 * to it that the end of any of them leaves nothing behind.
 */
#include "client/monitor.h"

#include "base/ipc.h"
#include "base/log.h"
#include "base/loop.h"
#include "client/account.h"
#include "client/carrier.h"
#include "client/exits.h"
#include "client/hook.h"
#include "client/msg.h"
#include "client/names.h"
#include "client/reconnect.h"
#include "client/status.h"
#include "client/supplies.h"
#include "client/tunnel.h"
#include "forward/msg.h"
#include "monitor/daemonize.h"
#include "monitor/powers.h"
#include "monitor/rooms.h"
#include "monitor/service.h"
#include "monitor/signals.h"
#include "monitor/wake.h"
#include "monitor/watch.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

struct monitor {
	const struct client_options *options;
	struct event_base *base;
	struct rooms *rooms;
	struct signals *signals;
	struct reconnect *reconnect;
	struct watch *watch;
	struct wake *wake;
	struct service *service;
	struct ipc *control;
	struct carrier carrier;
	struct client_session session; /* as control says */
	bool ready;		       /* the tunnel has been up once */
	struct supplies supplies;      /* for the rooms */
	bool stopping;		       /* control has been asked to end */
	bool ending;		       /* everything is being removed; status is the exit status */
	int status;
};

/* --- what a service manager is told ------------------------------------------------------- */

enum { MONITOR_STATUS_SIZE = 1000 };

static void monitor_tell_status(const struct monitor *monitor)
{
	char text[MONITOR_STATUS_SIZE];

	status_describe(&monitor->carrier, &monitor->session, text, sizeof(text));
	service_status(monitor->service, "%s", text);
}

static void monitor_tell_end(const struct monitor *monitor, int status)
{
	const char *reason = status_reason((enum client_exit)status);

	service_status(monitor->service, "ending%s%s", reason ? ": " : "", reason ? reason : "");
	service_stopping(monitor->service);
}

static void monitor_tell_up(struct monitor *monitor)
{
	/* Control says so only when it has heard of the tunnel. */
	monitor->session = (struct client_session){.up = true};
	monitor_tell_status(monitor);
	if (!monitor->ready)
		service_ready(monitor->service);
	monitor->ready = true;
}

/* --- the tunnel, at control's request ----------------------------------------------------- */

/* Begins the end of the program; what is there is removed first. */
static void monitor_end(struct monitor *monitor, int status)
{
	if (monitor->ending)
		return;
	monitor->ending = true;
	monitor->status = status;
	monitor_tell_end(monitor, status);
	/* Control has nothing more to say. */
	ipc_free(monitor->control);
	monitor->control = NULL;
	if (monitor->carrier.state == CARRIER_DOWN)
		(void)event_base_loopbreak(monitor->base);
	else if (monitor->carrier.state == CARRIER_UP ||
		 monitor->carrier.state == CARRIER_MENDING ||
		 monitor->carrier.state == CARRIER_LOSING)
		carrier_lower(&monitor->carrier);
	/* Else the script is running, and what comes after it sees that we are ending. */
}

static void monitor_tell_control(struct monitor *monitor, uint32_t type, const void *body,
				 size_t size)
{
	int error;

	if (!monitor->control)
		return;
	error = ipc_send(monitor->control, type, body, size, -1);
	if (error) {
		log_warnx("cannot send to control: %s", strerror(-error));
		monitor_end(monitor, CLIENT_LOCAL);
	}
}

static void monitor_tell_none(struct monitor *monitor, enum client_msg type)
{
	const struct client_none none = {0};

	monitor_tell_control(monitor, type, &none, sizeof(none));
}

static void monitor_on_raised(bool ok, void *arg)
{
	const struct client_raised raised = {.ok = ok};
	struct monitor *monitor = arg;

	if (ok)
		monitor_tell_up(monitor);
	else
		monitor_tell_status(monitor);
	monitor_tell_control(monitor, CLIENT_MSG_RAISED, &raised, sizeof(raised));
	if (!monitor->ending)
		return;
	if (ok)
		carrier_lower(&monitor->carrier);
	else
		(void)event_base_loopbreak(monitor->base);
}

static void monitor_tunnel_gone(struct monitor *monitor, enum client_msg type)
{
	monitor_tell_status(monitor);
	monitor_tell_none(monitor, type);
	if (monitor->ending)
		(void)event_base_loopbreak(monitor->base);
}

static void monitor_on_lowered(void *arg)
{
	monitor_tunnel_gone(arg, CLIENT_MSG_LOWERED);
}

static void monitor_on_lost(void *arg)
{
	monitor_tunnel_gone(arg, CLIENT_MSG_LOST);
}

static void monitor_on_failed(void *arg)
{
	monitor_end(arg, CLIENT_LOCAL);
}

static void monitor_on_raise(struct ipc *ipc, const void *body, int fd, void *arg)
{
	struct monitor *monitor = arg;
	const char *why = "another one is being made";

	(void)ipc;
	(void)fd;
	if (!carrier_can_raise(&monitor->carrier) || !tunnel_check(body, monitor->options, &why)) {
		log_warnx("control asked for a tunnel that cannot be: %s", why);
		monitor_end(monitor, CLIENT_LOCAL);
		return;
	}
	carrier_raise(&monitor->carrier, body);
	monitor_tell_status(monitor);
}

static void monitor_on_lower(struct ipc *ipc, const void *body, int fd, void *arg)
{
	struct monitor *monitor = arg;

	(void)ipc;
	(void)body;
	(void)fd;
	if (!carrier_can_lower(&monitor->carrier)) {
		log_warnx("control asked to remove a tunnel that is not there");
		monitor_end(monitor, CLIENT_LOCAL);
		return;
	}
	carrier_lower(&monitor->carrier);
	monitor_tell_status(monitor);
}

static void monitor_on_session(struct ipc *ipc, const void *body, int fd, void *arg)
{
	const struct client_session *session = body;
	struct monitor *monitor = arg;

	(void)ipc;
	(void)fd;
	if (!status_check(session)) {
		log_warnx("control told of a session that cannot be");
		monitor_end(monitor, CLIENT_LOCAL);
		return;
	}
	monitor->session = *session;
	monitor_tell_status(monitor);
}

static void monitor_on_here(struct ipc *ipc, const void *body, int fd, void *arg)
{
	struct monitor *monitor = arg;

	(void)body;
	(void)fd;
	if (!service_heard(monitor->service, ipc)) {
		log_warnx("a room answered what it was not asked");
		monitor_end(monitor, CLIENT_LOCAL);
	}
}

static void monitor_on_heard(struct ipc *ipc, const void *body, int fd, void *arg)
{
	struct monitor *monitor = arg;

	(void)ipc;
	(void)body;
	(void)fd;
	if (!reconnect_heard(monitor->reconnect)) {
		log_warnx("control has heard what it was not told");
		monitor_end(monitor, CLIENT_LOCAL);
	}
}

/* Gives control a file to read. */
static void monitor_give_file(struct monitor *monitor, enum client_msg type, const char *path)
{
	const struct client_none none = {0};
	int fd = names_open(path);

	if (fd < 0 || ipc_send(monitor->control, type, &none, sizeof(none), fd) != 0) {
		log_warnx("cannot give %s to control", path);
		monitor_end(monitor, CLIENT_LOCAL);
	}
}

/* Answers that control may leave lying: it has no reason to ask again before it has read one. */
enum { MONITOR_BACKLOG = 16 };

static void monitor_on_names(struct ipc *ipc, const void *body, int fd, void *arg)
{
	struct monitor *monitor = arg;

	(void)body;
	(void)fd;
	if (ipc_backlog(ipc) > MONITOR_BACKLOG) {
		log_warnx("control asks and does not take the answers; ending");
		monitor_end(monitor, CLIENT_LOCAL);
		return;
	}
	monitor_give_file(monitor, CLIENT_MSG_HOSTS, NAMES_HOSTS);
	if (monitor->control)
		monitor_give_file(monitor, CLIENT_MSG_RESOLV, NAMES_RESOLV);
}

static void monitor_on_network(void *arg)
{
	monitor_tell_none(arg, CLIENT_MSG_NETWORK);
}

static void monitor_reconnect(void *arg)
{
	monitor_tell_none(arg, CLIENT_MSG_RECONNECT);
}

static void monitor_on_woke(uint32_t seconds, void *arg)
{
	const struct client_woke woke = {.seconds = seconds};

	monitor_tell_control(arg, CLIENT_MSG_WOKE, &woke, sizeof(woke));
}

/* How long the real cause of a room's end may take to show, and control to leave. */
static const struct timeval monitor_grace = {.tv_sec = 1};
static const struct timeval monitor_patience = {.tv_sec = 10};

static void monitor_on_late(evutil_socket_t fd, short what, void *arg)
{
	struct monitor *monitor = arg;

	(void)fd;
	(void)what;
	if (!monitor->ending && monitor->carrier.script == NULL) {
		log_warnx("a room does not answer any more; ending");
		monitor_end(monitor, CLIENT_LOCAL);
	} else if (!monitor->ending) {
		monitor_end(monitor, CLIENT_OK);
	}
}

static void monitor_end_later(struct monitor *monitor, const struct timeval *wait)
{
	loop_once(monitor->base, wait, monitor_on_late, monitor);
}

/* A room's end is reported by its exit; only a violation is acted upon here. */
static void monitor_on_closed(struct ipc *ipc, bool violated, void *arg)
{
	(void)ipc;
	if (violated)
		monitor_end(arg, CLIENT_LOCAL);
}

static void monitor_on_child(const char *name, pid_t pid, int status, void *arg)
{
	struct monitor *monitor = arg;

	if (!name) {
		carrier_reaped(&monitor->carrier, pid, status);
		return;
	}
	if (strcmp(name, "control") == 0 && WIFEXITED(status)) {
		monitor_end(monitor, WEXITSTATUS(status));
		return;
	}
	if (rooms_is_consequence(status)) {
		monitor_end_later(monitor, &monitor_grace);
		return;
	}
	if (!monitor->ending)
		log_warnx("room %s ended unexpectedly: %s; ending", name,
			  rooms_status_text(status));
	monitor_end(monitor, CLIENT_LOCAL);
}

/* What we know of the tunnel is said here, and what control can read of its packets there. */
static void monitor_report(struct monitor *monitor)
{
	char text[MONITOR_STATUS_SIZE];

	status_describe(&monitor->carrier, &monitor->session, text, sizeof(text));
	log_info("status: %s", text);
	monitor_tell_none(monitor, CLIENT_MSG_REPORT);
}

static void monitor_on_signal(int signal_number, void *arg)
{
	struct monitor *monitor = arg;

	if (signal_number == SIGUSR1) {
		monitor_report(monitor);
		return;
	}
	if (signal_number == SIGHUP) {
		reconnect_wanted(monitor->reconnect);
		return;
	}
	if (monitor->stopping) { /* asked twice: without waiting for server and script */
		carrier_hurry(&monitor->carrier);
		monitor_end(monitor, CLIENT_OK);
	}
	monitor->stopping = true;
	monitor_tell_end(monitor, CLIENT_OK);
	monitor_tell_none(monitor, CLIENT_MSG_STOP);
	monitor_end_later(monitor, &monitor_patience);
}

static const struct ipc_row control_rows[] = {
	{CLIENT_MSG_RAISE, sizeof(struct client_tunnel), false, monitor_on_raise},
	{CLIENT_MSG_LOWER, sizeof(struct client_none), false, monitor_on_lower},
	{CLIENT_MSG_SESSION, sizeof(struct client_session), false, monitor_on_session},
	{CLIENT_MSG_HERE, sizeof(struct client_none), false, monitor_on_here},
	{CLIENT_MSG_NAMES, sizeof(struct client_none), false, monitor_on_names},
	{CLIENT_MSG_HEARD, sizeof(struct client_none), false, monitor_on_heard},
};

static const struct ipc_row forward_rows[] = {
	{FORWARD_MSG_HERE, sizeof(struct forward_none), false, monitor_on_here},
};

/* Hands a descriptor over, if there is one; it is no longer ours then. */
static bool monitor_furnish(struct ipc *room, uint32_t type, int *fd)
{
	const struct forward_none none = {0};
	int given = *fd;

	*fd = -1;
	return given == -1 || ipc_send(room, type, &none, sizeof(none), given) == 0;
}

/* Starts the rooms and opens the channels to them. */
static bool monitor_start_rooms(struct monitor *monitor)
{
	int control[2] = {-1, -1};
	int guard[2] = {-1, -1};
	int forward[2] = {-1, -1};
	int between[2] = {-1, -1};
	bool with_forward = !monitor->options->no_device;

	if (ipc_pair(control) || ipc_pair(guard) ||
	    (with_forward && (ipc_pair(forward) || ipc_pair(between)))) {
		log_warn("cannot make a socket pair");
		return false;
	}
	if (rooms_start(monitor->rooms, "control", (const int[]){control[1], between[1]},
			with_forward ? 2 : 1) ||
	    rooms_start_guard(monitor->rooms, "guard", &guard[1], 1) ||
	    (with_forward &&
	     rooms_start(monitor->rooms, "forward", (const int[]){forward[1], between[0]}, 2)))
		return false;
	monitor->control =
		ipc_new(monitor->base, control[0], "control", control_rows,
			sizeof(control_rows) / sizeof(control_rows[0]), monitor_on_closed, monitor);
	monitor->carrier.guard =
		ipc_new(monitor->base, guard[0], "guard", NULL, 0, monitor_on_closed, monitor);
	if (!monitor->control || !monitor->carrier.guard)
		return false;
	_Static_assert(sizeof(struct client_none) == sizeof(struct service_none) &&
			       sizeof(struct forward_none) == sizeof(struct service_none),
		       "one form");
	service_watch(monitor->service, "control", monitor->control, CLIENT_MSG_CALL);
	if (!with_forward)
		return true;
	monitor->carrier.forward =
		ipc_new(monitor->base, forward[0], "forward", forward_rows,
			sizeof(forward_rows) / sizeof(forward_rows[0]), monitor_on_closed, monitor);
	if (!monitor->carrier.forward)
		return false;
	service_watch(monitor->service, "forward", monitor->carrier.forward, FORWARD_MSG_CALL);
	return monitor_furnish(monitor->control, CLIENT_MSG_COUNTERS,
			       &monitor->supplies.counters_reader) &&
	       monitor_furnish(monitor->carrier.forward, FORWARD_MSG_COUNTERS,
			       &monitor->supplies.counters) &&
	       monitor_furnish(monitor->carrier.forward, FORWARD_MSG_RAW, &monitor->supplies.raw) &&
	       monitor_furnish(monitor->carrier.forward, FORWARD_MSG_UDP, &monitor->supplies.udp);
}

static const int monitor_signals[] = {SIGHUP, SIGINT, SIGTERM, SIGUSR1};
enum { MONITOR_SIGNALS = sizeof(monitor_signals) / sizeof(monitor_signals[0]) };

/* Who logs in, and with what; then control begins. */
static void monitor_tell_account(struct monitor *monitor, struct account_passwords *passwords)
{
	struct client_account account = {.udp_port = monitor->supplies.udp_port};
	struct client_password password;

	for (uint32_t i = 0; i < monitor->options->n_servers; i++) {
		password.server = i;
		memcpy(password.text, passwords->text[i], sizeof(password.text));
		monitor_tell_control(monitor, CLIENT_MSG_PASSWORD, &password, sizeof(password));
	}
	explicit_bzero(&password, sizeof(password));
	explicit_bzero(passwords, sizeof(*passwords));
	(void)strlcpy(account.user, monitor->carrier.user, sizeof(account.user));
	monitor_tell_control(monitor, CLIENT_MSG_ACCOUNT, &account, sizeof(account));
}

static int monitor_serve(struct monitor *monitor, const struct notify *notify, int argc,
			 char *const argv[], struct account_passwords *passwords)
{
	monitor->status = CLIENT_LOCAL;
	monitor->base = event_base_new();
	if (!monitor->base)
		return CLIENT_LOCAL;
	monitor->carrier.base = monitor->base;
	monitor->rooms = rooms_new(monitor->base, argc, argv, monitor_on_child, monitor);
	if (!monitor->rooms)
		return CLIENT_LOCAL;
	monitor->signals = signals_new(monitor->base, monitor_signals, MONITOR_SIGNALS,
				       monitor_on_signal, monitor);
	if (!monitor->signals)
		goto done;
	monitor->reconnect = reconnect_new(monitor->base, monitor_reconnect, monitor);
	monitor->service = service_new(monitor->base, notify);
	/* The rooms need more than that, to give it up themselves. */
	if (!monitor->reconnect || !monitor->service || !monitor_start_rooms(monitor) ||
	    !powers_limit(POWERS_MONITOR, hook_wanted(monitor->options)))
		goto done;
	monitor_tell_status(monitor);
	/* Without them a change is noticed when a ping goes unanswered. */
	monitor->watch = watch_new(monitor->base, monitor_on_network, monitor);
	carrier_watch(&monitor->carrier);
	monitor->wake = wake_new(monitor->base, monitor_on_woke, monitor);
	monitor_tell_account(monitor, passwords);
	if (!monitor->ending)
		(void)event_base_dispatch(monitor->base);
done:
	carrier_unwatch(&monitor->carrier);
	wake_free(monitor->wake);
	watch_free(monitor->watch);
	ipc_free(monitor->control);
	ipc_free(monitor->carrier.forward);
	if (monitor->carrier.guard)
		ipc_flush(monitor->carrier.guard, 1000);
	ipc_free(monitor->carrier.guard);
	rooms_end(monitor->rooms);
	reconnect_free(monitor->reconnect);
	signals_free(monitor->signals);
	service_free(monitor->service);
	event_base_free(monitor->base);
	return monitor->status;
}

int client_monitor_run(const struct client_options *options, int argc, char *const argv[])
{
	struct monitor monitor = {
		.options = options,
		.carrier = {.options = options,
			    .link = {.options = options},
			    .raised = monitor_on_raised,
			    .lowered = monitor_on_lowered,
			    .lost = monitor_on_lost,
			    .failed = monitor_on_failed,
			    .arg = &monitor},
		.supplies = {.raw = -1, .udp = -1, .counters = -1, .counters_reader = -1},
	};
	struct account_passwords passwords = {0};
	struct pidfh *pidfile = NULL;
	struct notify notify;
	int status;

	signals_block(monitor_signals, MONITOR_SIGNALS);
	if (!daemonize_begin())
		return CLIENT_LOCAL;
	notify_open(&notify);
	status = supplies_check(options);
	if (status != CLIENT_OK)
		return status;
	if (!powers_hide())
		return CLIENT_LOCAL;
	monitor.carrier.user = account_user(options);
	monitor.carrier.link.user = monitor.carrier.user;
	if (!monitor.carrier.user)
		return CLIENT_USAGE;
	/* Before anything is there that could be left behind: ^C at the question is the end. */
	status = (int)account_get(options, monitor.carrier.user, &passwords);
	if (status != CLIENT_OK)
		goto done;
	status = CLIENT_LOCAL;
	if (!daemonize_claim(options->pidfile, &pidfile) ||
	    netlink_open(&monitor.carrier.link.netlink) != 0 ||
	    !supplies_try_device(options, monitor.carrier.link.netlink) ||
	    !supplies_open(&monitor.supplies, options) || !daemonize(pidfile, options->daemon))
		goto done;
	(void)signal(SIGPIPE, SIG_IGN);
	setproctitle("monitor");
	status = monitor_serve(&monitor, &notify, argc, argv, &passwords);
done:
	daemonize_end(pidfile);
	explicit_bzero(&passwords, sizeof(passwords));
	netlink_close(monitor.carrier.link.netlink);
	supplies_close(&monitor.supplies);
	notify_close(&notify);
	return status;
}
