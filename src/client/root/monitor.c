/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Makes and removes the tunnel at control's request, runs the script, and sees to it that the end
 * of any room leaves nothing behind. monitor_start.c is what comes before.
 */
#include "base/clock.h"
#include "base/log.h"
#include "base/loop.h"
#include "client/root/furnish.h"
#include "client/root/monitor_parts.h"
#include "client/root/status.h"
#include "client/tunnel.h"
#include "fastpath/root.h"
#include "forward/msg.h"

#include <signal.h>
#include <string.h>
#include <sys/wait.h>

/* --- what a service manager is told ------------------------------------------------------- */

enum { MONITOR_STATUS_SIZE = 1000 };

void monitor_tell_status(const struct monitor *monitor)
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
	ipc_free(&monitor->control);
	if (monitor->carrier.state == CARRIER_DOWN)
		(void)event_base_loopbreak(monitor->base);
	else if (monitor->carrier.state == CARRIER_UP || monitor->carrier.again)
		carrier_lower(&monitor->carrier);
	/* Else the script is running, and what comes after it sees that we are ending. */
}

void monitor_told(struct monitor *monitor, int error)
{
	if (error) {
		log_warnx("cannot send to control: %s", strerror(-error));
		monitor_end(monitor, CLIENT_LOCAL);
	}
}

static void monitor_tell_control(struct monitor *monitor, uint32_t type, const void *body,
				 size_t size)
{
	if (monitor->control)
		monitor_told(monitor, ipc_send(monitor->control, type, body, size, -1));
}

static void monitor_tell_none(struct monitor *monitor, enum client_msg type)
{
	monitor_tell_control(monitor, type, NULL, 0);
}

void monitor_on_raised(bool ok, void *arg)
{
	const struct client_raised raised = {.ok = ok};
	struct monitor *monitor = arg;

	monitor->told = ok;
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

void monitor_on_lowered(void *arg)
{
	monitor_tunnel_gone(arg, CLIENT_MSG_LOWERED);
}

void monitor_on_lost(void *arg)
{
	monitor_tunnel_gone(arg, CLIENT_MSG_LOST);
}

void monitor_on_failed(void *arg)
{
	monitor_end(arg, CLIENT_LOCAL);
}

static void monitor_on_raise(const void *body, void *arg)
{
	struct monitor *monitor = arg;
	const char *why = "another one is being made";

	if (!carrier_can_raise(&monitor->carrier) || !tunnel_check(body, monitor->options, &why)) {
		log_warnx("control asked for a tunnel that cannot be: %s", why);
		monitor_end(monitor, CLIENT_LOCAL);
		return;
	}
	carrier_raise(&monitor->carrier, body);
	monitor_tell_status(monitor);
}

static void monitor_on_lower(void *arg)
{
	struct monitor *monitor = arg;

	if (!carrier_can_lower(&monitor->carrier)) {
		log_warnx("control asked to remove a tunnel that is not there");
		monitor_end(monitor, CLIENT_LOCAL);
		return;
	}
	monitor->told = false;
	carrier_lower(&monitor->carrier);
	monitor_tell_status(monitor);
}

static void monitor_on_session(const void *body, void *arg)
{
	const struct client_session *session = body;
	struct monitor *monitor = arg;

	/* It is up only with a tunnel of which control has heard; while it is told anew, too. */
	if (!status_check(session) || (session->up && !monitor->told)) {
		log_warnx("control told of a session that cannot be");
		monitor_end(monitor, CLIENT_LOCAL);
		return;
	}
	monitor->session = *session;
	monitor_tell_status(monitor);
}

static void monitor_on_heard(void *arg)
{
	struct monitor *monitor = arg;

	if (!reconnect_heard(monitor->reconnect)) {
		log_warnx("control has heard what it was not told");
		monitor_end(monitor, CLIENT_LOCAL);
	}
}

/* Answers that control may leave lying: it has no reason to ask again before it has read one. */
enum { MONITOR_BACKLOG = 16 };

static void monitor_on_lookup(const void *body, void *arg)
{
	const struct client_server *server = body;
	struct monitor *monitor = arg;
	int channel;

	if (server->server >= monitor->options->n_servers ||
	    !client_options_named(monitor->options, server->server)) {
		log_warnx("control asked for the address of a server that has no name");
		monitor_end(monitor, CLIENT_LOCAL);
		return;
	}
	if (ipc_backlog(monitor->control) > MONITOR_BACKLOG) {
		log_warnx("control asks and does not take the answers; ending");
		monitor_end(monitor, CLIENT_LOCAL);
		return;
	}
	channel = lookups_start(monitor->lookups, server->server);
	if (channel < 0)
		log_debug("no look-up of %s now: %s", monitor->options->servers[server->server],
			  strerror(-channel));
	monitor_told(monitor, ipc_send(monitor->control,
				       channel < 0 ? CLIENT_MSG_NO_RESOLVER : CLIENT_MSG_RESOLVER,
				       server, sizeof(*server), channel < 0 ? -1 : channel));
}

/* UDP ports in a second: more than are ever of use. */
enum { MONITOR_PORTS_RATE = 1, MONITOR_PORTS_BURST = 3 };

void monitor_limit_ports(struct monitor *monitor)
{
	rate_init_burst(&monitor->ports, MONITOR_PORTS_RATE, MONITOR_PORTS_BURST,
			(uint64_t)clock_ms());
}

static void monitor_on_port(void *arg)
{
	struct monitor *monitor = arg;
	const struct client_options *options = monitor->options;
	struct ipc *forward = monitor->carrier.forward;
	int error;

	if (!forward || options->transport == SESSION_IPV6 || client_options_keep_port(options)) {
		log_warnx("control asked for another UDP port, which is not to be");
		monitor_end(monitor, CLIENT_LOCAL);
		return;
	}
	/* One that forward has not taken yet will do. */
	if (ipc_backlog(forward) > 0 || !rate_take(&monitor->ports, (uint64_t)clock_ms()))
		return;
	error = furnish_candidate(forward);
	if (error) {
		log_warnx("cannot send to forward: %s", strerror(-error));
		monitor_end(monitor, CLIENT_LOCAL);
	}
}

void monitor_on_network(void *arg)
{
	const struct monitor *monitor = arg;

	fastpath_join_uplinks(monitor->carrier.link.fast);
	monitor_tell_none(arg, CLIENT_MSG_NETWORK);
}

void monitor_reconnect(void *arg)
{
	monitor_tell_none(arg, CLIENT_MSG_RECONNECT);
}

void monitor_on_woke(uint32_t seconds, void *arg)
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

void monitor_on_child(const char *name, pid_t pid, int status, void *arg)
{
	struct monitor *monitor = arg;

	if (!name && lookups_reaped(monitor->lookups, pid, status))
		return;
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
	if (!monitor->options->no_device)
		fastpath_say(monitor->carrier.link.fast);
	monitor_tell_none(monitor, CLIENT_MSG_REPORT);
}

void monitor_on_signal(int signal_number, void *arg)
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
	IPC_BODY(CLIENT_MSG_RAISE, struct client_tunnel, monitor_on_raise),
	IPC_EVENT(CLIENT_MSG_LOWER, monitor_on_lower),
	IPC_BODY(CLIENT_MSG_SESSION, struct client_session, monitor_on_session),
	IPC_BODY(CLIENT_MSG_LOOKUP, struct client_server, monitor_on_lookup),
	IPC_EVENT(CLIENT_MSG_HEARD, monitor_on_heard),
	IPC_EVENT(CLIENT_MSG_PORT, monitor_on_port),
};

struct ipc *monitor_open_control(struct monitor *monitor, int fd)
{
	return ipc_new(monitor->base, fd, "control", control_rows,
		       sizeof(control_rows) / sizeof(control_rows[0]), monitor_on_closed, monitor);
}

struct ipc *monitor_open_forward(struct monitor *monitor, int fd)
{
	return ipc_new(monitor->base, fd, "forward", NULL, 0, monitor_on_closed, monitor);
}

struct ipc *monitor_open_guard(struct monitor *monitor, int fd)
{
	return ipc_new(monitor->base, fd, "guard", NULL, 0, monitor_on_closed, monitor);
}
