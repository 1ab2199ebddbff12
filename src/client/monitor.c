/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Starts the rooms, makes and removes the tunnel at control's request, runs the script, and sees
 * to it that the end of any of them leaves nothing behind.
 */
#include "client/monitor.h"

#include "base/ipc.h"
#include "base/log.h"
#include "base/room.h"
#include "client/account.h"
#include "client/exits.h"
#include "client/hook.h"
#include "client/link.h"
#include "client/msg.h"
#include "client/tunnel.h"
#include "forward/counters.h"
#include "forward/msg.h"
#include "monitor/daemonize.h"
#include "monitor/outside.h"
#include "monitor/rooms.h"
#include "monitor/tun.h"

#include <arpa/inet.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

struct monitor {
	const struct client_options *options;
	const char *user;
	struct event_base *base;
	struct rooms *rooms;
	struct ipc *control;
	struct ipc *forward; /* NULL with --tunnel none */
	struct ipc *guard;
	struct link link;
	struct script *script;
	struct client_tunnel tunnel;
	enum { TUNNEL_DOWN, TUNNEL_RAISING, TUNNEL_UP, TUNNEL_LOWERING } state;
	bool stopping; /* control has been asked to end */
	bool ending;   /* everything is being removed; status is the exit status */
	int status;
};

static void monitor_lower(struct monitor *monitor);

/* Begins the end of the program; what is there is removed first. */
static void monitor_end(struct monitor *monitor, int status)
{
	if (monitor->ending)
		return;
	monitor->ending = true;
	monitor->status = status;
	/* Control has nothing more to say. */
	ipc_free(monitor->control);
	monitor->control = NULL;
	if (monitor->state == TUNNEL_DOWN)
		(void)event_base_loopbreak(monitor->base);
	else if (monitor->state == TUNNEL_UP)
		monitor_lower(monitor);
	/* Else the script is running, and what comes after it sees that we are ending. */
}

static void monitor_tell(struct monitor *monitor, struct ipc *ipc, uint32_t type, const void *body,
			 size_t size, int fd)
{
	if (!ipc) {
		if (fd != -1)
			close(fd);
		return;
	}
	int error = ipc_send(ipc, type, body, size, fd);

	if (error) {
		log_warnx("cannot send to a room: %s", strerror(-error));
		monitor_end(monitor, CLIENT_LOCAL);
	}
}

static void monitor_tell_none(struct monitor *monitor, struct ipc *ipc, enum client_msg type)
{
	const struct client_none none = {0};

	monitor_tell(monitor, ipc, type, &none, sizeof(none), -1);
}

/* Removes the tunnel; the script, if any, has run. */
static void monitor_remove(struct monitor *monitor)
{
	const struct forward_device device = {.index = 0};

	link_down(&monitor->link);
	if (monitor->forward)
		monitor_tell(monitor, monitor->forward, FORWARD_MSG_NO_DEVICE, &device,
			     sizeof(device), -1);
	monitor_tell_none(monitor, monitor->guard, CLIENT_MSG_UNGUARD);
	monitor->state = TUNNEL_DOWN;
	if (monitor->ending)
		(void)event_base_loopbreak(monitor->base);
	else
		monitor_tell_none(monitor, monitor->control, CLIENT_MSG_LOWERED);
}

static void monitor_on_raised(struct monitor *monitor)
{
	const struct client_raised raised = {.ok = 1};
	char text[1000];

	monitor->state = TUNNEL_UP;
	if (monitor->ending) {
		monitor_lower(monitor);
		return;
	}
	tunnel_describe(&monitor->tunnel, monitor->options, text, sizeof(text));
	log_info("tunnel up: %s", text);
	monitor_tell(monitor, monitor->control, CLIENT_MSG_RAISED, &raised, sizeof(raised), -1);
}

static void monitor_on_script(void *arg)
{
	struct monitor *monitor = arg;

	monitor->script = NULL;
	if (monitor->state == TUNNEL_RAISING)
		monitor_on_raised(monitor);
	else
		monitor_remove(monitor);
}

/* Runs the script for a state; where there is none to run, what comes after it comes at once. */
static void monitor_run_script(struct monitor *monitor, const char *state)
{
	if (hook_wanted(monitor->options))
		monitor->script = hook_start(monitor->base, monitor->options, state, monitor->user,
					     &monitor->tunnel, monitor_on_script, monitor);
	if (!monitor->script)
		monitor_on_script(monitor);
}

static void monitor_lower(struct monitor *monitor)
{
	monitor->state = TUNNEL_LOWERING;
	monitor_run_script(monitor, "down");
}

static bool monitor_make_link(struct monitor *monitor)
{
	const struct forward_device device = {.index = 0};
	struct forward_icmp icmp = {.source = netlink_link_local(monitor->tunnel.reply.me)};
	int fd;

	if (monitor->options->no_device)
		return true;
	if (!tunnel_address_fits(&monitor->tunnel, monitor->options)) {
		log_warnx("--address: not inside the prefix that the server gave; what is sent "
			  "from it would be dropped there");
		return false;
	}
	fd = link_up(&monitor->link, &monitor->tunnel);
	if (fd < 0)
		return false;
	(void)tunnel_own_address(&monitor->tunnel, monitor->options, &icmp.source);
	monitor_tell(monitor, monitor->forward, FORWARD_MSG_ICMP, &icmp, sizeof(icmp), -1);
	monitor_tell(monitor, monitor->forward, FORWARD_MSG_DEVICE, &device, sizeof(device), fd);
	return true;
}

static void monitor_on_raise(struct ipc *ipc, const void *body, int fd, void *arg)
{
	const struct client_raised failed = {.ok = 0};
	struct monitor *monitor = arg;
	const char *why = "there is a tunnel already";

	(void)ipc;
	(void)fd;
	if (monitor->state != TUNNEL_DOWN || !tunnel_check(body, monitor->options, &why)) {
		log_warnx("control asked for a tunnel that cannot be: %s", why);
		monitor_end(monitor, CLIENT_LOCAL);
		return;
	}
	memcpy(&monitor->tunnel, body, sizeof(monitor->tunnel));
	/* Before anything is there that could be left behind. */
	monitor_tell(monitor, monitor->guard, CLIENT_MSG_GUARD, &monitor->tunnel,
		     sizeof(monitor->tunnel), -1);
	if (!monitor_make_link(monitor)) {
		monitor_tell_none(monitor, monitor->guard, CLIENT_MSG_UNGUARD);
		monitor_tell(monitor, monitor->control, CLIENT_MSG_RAISED, &failed, sizeof(failed),
			     -1);
		return;
	}
	monitor->state = TUNNEL_RAISING;
	monitor_run_script(monitor, "up");
}

static void monitor_on_lower(struct ipc *ipc, const void *body, int fd, void *arg)
{
	struct monitor *monitor = arg;

	(void)ipc;
	(void)body;
	(void)fd;
	if (monitor->state != TUNNEL_UP) {
		log_warnx("control asked to remove a tunnel that is not there");
		monitor_end(monitor, CLIENT_LOCAL);
		return;
	}
	monitor_lower(monitor);
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
		if (monitor->script)
			(void)script_reaped(monitor->script, pid, status);
		return;
	}
	if (strcmp(name, "control") == 0 && WIFEXITED(status)) {
		monitor_end(monitor, WEXITSTATUS(status));
		return;
	}
	if (rooms_is_consequence(status))
		return;
	if (!monitor->ending)
		log_warnx("room %s ended unexpectedly: %s; ending", name,
			  rooms_status_text(status));
	monitor_end(monitor, CLIENT_LOCAL);
}

static void monitor_on_signal(evutil_socket_t signal_number, short what, void *arg)
{
	struct monitor *monitor = arg;

	(void)what;
	if (signal_number == SIGHUP) {
		monitor_tell_none(monitor, monitor->control, CLIENT_MSG_RECONNECT);
		return;
	}
	if (monitor->stopping) /* asked twice: without waiting for the server */
		monitor_end(monitor, CLIENT_OK);
	monitor->stopping = true;
	monitor_tell_none(monitor, monitor->control, CLIENT_MSG_STOP);
}

static const struct ipc_row control_rows[] = {
	{CLIENT_MSG_RAISE, sizeof(struct client_tunnel), false, monitor_on_raise},
	{CLIENT_MSG_LOWER, sizeof(struct client_none), false, monitor_on_lower},
};

/* Starts the rooms and opens the channels to them. */
static bool monitor_start_rooms(struct monitor *monitor, int raw, int counters)
{
	const struct forward_none none = {0};
	int control[2] = {-1, -1};
	int guard[2] = {-1, -1};
	int forward[2] = {-1, -1};
	int between[2] = {-1, -1};
	bool with_forward = raw != -1;

	if (ipc_pair(control) || ipc_pair(guard) ||
	    (with_forward && (ipc_pair(forward) || ipc_pair(between)))) {
		log_warn("cannot make a socket pair");
		return false;
	}
	if (rooms_start(monitor->rooms, "control", (const int[]){control[1], between[1]},
			with_forward ? 2 : 1) ||
	    rooms_start(monitor->rooms, "guard", &guard[1], 1) ||
	    (with_forward &&
	     rooms_start(monitor->rooms, "forward", (const int[]){forward[1], between[0]}, 2)))
		return false;
	monitor->control =
		ipc_new(monitor->base, control[0], "control", control_rows,
			sizeof(control_rows) / sizeof(control_rows[0]), monitor_on_closed, monitor);
	monitor->guard =
		ipc_new(monitor->base, guard[0], "guard", NULL, 0, monitor_on_closed, monitor);
	if (!monitor->control || !monitor->guard)
		return false;
	if (!with_forward)
		return true;
	monitor->forward =
		ipc_new(monitor->base, forward[0], "forward", NULL, 0, monitor_on_closed, monitor);
	if (!monitor->forward)
		return false;
	monitor_tell(monitor, monitor->forward, FORWARD_MSG_COUNTERS, &none, sizeof(none),
		     counters);
	monitor_tell(monitor, monitor->forward, FORWARD_MSG_RAW, &none, sizeof(none), raw);
	return true;
}

/* The signals that the monitor takes. */
static const int monitor_signals[] = {SIGHUP, SIGINT, SIGTERM};
enum { MONITOR_SIGNALS = sizeof(monitor_signals) / sizeof(monitor_signals[0]) };

static void monitor_block_signals(int how)
{
	sigset_t set;

	sigemptyset(&set);
	for (size_t i = 0; i < MONITOR_SIGNALS; i++)
		sigaddset(&set, monitor_signals[i]);
	(void)sigprocmask(how, &set, NULL);
}

static int monitor_serve(struct monitor *monitor, int argc, char *const argv[],
			 const struct client_account *account, int raw, int counters)
{
	struct event *events[MONITOR_SIGNALS] = {NULL};

	monitor->status = CLIENT_LOCAL;
	monitor->base = event_base_new();
	if (!monitor->base)
		return CLIENT_LOCAL;
	monitor->rooms = rooms_new(monitor->base, argc, argv, monitor_on_child, monitor);
	if (!monitor->rooms)
		return CLIENT_LOCAL;
	for (size_t i = 0; i < MONITOR_SIGNALS; i++) {
		events[i] =
			evsignal_new(monitor->base, monitor_signals[i], monitor_on_signal, monitor);
		if (!events[i] || evsignal_add(events[i], NULL) == -1)
			goto done;
	}
	monitor_block_signals(SIG_UNBLOCK);
	if (!monitor_start_rooms(monitor, raw, counters))
		goto done;
	monitor_tell(monitor, monitor->control, CLIENT_MSG_ACCOUNT, account, sizeof(*account), -1);
	(void)event_base_dispatch(monitor->base);
done:
	ipc_free(monitor->control);
	ipc_free(monitor->forward);
	if (monitor->guard)
		ipc_flush(monitor->guard, 1000);
	ipc_free(monitor->guard);
	rooms_end(monitor->rooms);
	for (size_t i = 0; i < MONITOR_SIGNALS; i++) {
		if (events[i])
			event_free(events[i]);
	}
	event_base_free(monitor->base);
	return monitor->status;
}

static bool monitor_check_script(const char *script)
{
	struct stat status;

	if (!strchr(script, '/')) {
		log_warnx("-s %s: a path is needed, such as ./%s", script, script);
		return false;
	}
	if (stat(script, &status) == -1 || access(script, X_OK) == -1) {
		log_warn("-s %s", script);
		return false;
	}
	if (!S_ISREG(status.st_mode)) {
		log_warnx("-s %s: not a file that can be run", script);
		return false;
	}
	return true;
}

/* What must be right before the password is asked for. */
static enum client_exit monitor_check(const struct client_options *options)
{
	if (geteuid() != 0) {
		log_warnx("must be run as root: it makes a network interface and routes");
		return CLIENT_LOCAL;
	}
	if (!room_user(options->run_as)) {
		log_warnx("no user %s to run as; name one with --user",
			  options->run_as ? options->run_as : "_dtcp or nobody");
		return CLIENT_USAGE;
	}
	if (options->script_named && !monitor_check_script(options->script))
		return CLIENT_USAGE;
	return CLIENT_OK;
}

/* Tries what will be needed when the tunnel comes up, so that it fails now and plainly. */
static bool monitor_try_device(struct monitor *monitor)
{
	unsigned int index;
	int fd;

	if (monitor->options->no_device)
		return true;
	fd = tun_open(monitor->options->interface, &index);
	if (fd < 0)
		return false;
	close(fd);
	link_sweep(monitor->link.netlink);
	return true;
}

int client_monitor_run(const struct client_options *options, int argc, char *const argv[])
{
	struct monitor monitor = {.options = options};
	struct client_account account = {0};
	struct pidfh *pidfile = NULL;
	int counters = -1;
	int reader = -1;
	int raw = -1;
	int status = monitor_check(options);

	if (status != CLIENT_OK)
		return status;
	status = CLIENT_LOCAL;
	monitor.user = account_user(options);
	if (!monitor.user)
		return CLIENT_USAGE;
	monitor.link.options = options;
	if (!daemonize_claim(options->pidfile, &pidfile) ||
	    netlink_open(&monitor.link.netlink) != 0 || !monitor_try_device(&monitor))
		goto done;
	status = (int)account_get(options, monitor.user, &account);
	if (status != CLIENT_OK)
		goto done;
	status = CLIENT_LOCAL;
	if (!options->no_device) {
		raw = outside_raw_socket();
		counters = outside_counter_page(counters_size(1), &reader);
		if (raw < 0 || counters < 0)
			goto done;
		/* The client's counters have no reader yet but the forward room itself. */
		close(reader);
	}
	/* From here on a signal waits until there is somebody to take it. */
	monitor_block_signals(SIG_BLOCK);
	if (!daemonize(pidfile, options->daemon))
		goto done;
	(void)signal(SIGPIPE, SIG_IGN);
	setproctitle("monitor");
	status = monitor_serve(&monitor, argc, argv, &account, raw, counters);
done:
	daemonize_end(pidfile);
	explicit_bzero(&account, sizeof(account));
	netlink_close(monitor.link.netlink);
	return status;
}
