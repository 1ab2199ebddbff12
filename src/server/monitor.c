/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Makes what the rooms need (supplies.c, links.c), starts them, hands it over (furnish.c), and
 * answers control's questions about users (grants.c).
 */
#include "server/monitor.h"

#include "base/ipc.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/room.h"
#include "forward/msg.h"
#include "monitor/daemonize.h"
#include "monitor/netlink.h"
#include "monitor/powers.h"
#include "monitor/rooms.h"
#include "monitor/service.h"
#include "monitor/signals.h"
#include "server/furnish.h"
#include "server/grants.h"
#include "server/instance.h"
#include "server/links.h"
#include "server/msg.h"
#include "server/reload.h"
#include "server/supplies.h"
#include "server/users.h"

#include <errno.h>
#include <libgen.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { EXIT_FAILED = 1, EXIT_CONFIG = 2 };

/* How long a login may keep all others waiting because the database is locked. */
enum { MONITOR_PATIENCE_MS = 500 };

struct monitor {
	struct server_options *options;
	int argc; /* what the settings are read from again */
	char *const *argv;
	struct event_base *base;
	struct rooms *rooms;
	struct signals *signals;
	struct service *service;
	struct ipc *control;
	struct ipc *forward;
	struct netlink *netlink;
	struct links *links;
	struct users *users;
	struct grants *grants;
	struct supplies supplies; /* for the rooms */
	int guard;		  /* our end of its channel: it goes when we do */
	bool stopping;
	bool ending; /* status is the exit status */
	int status;
};

static void monitor_end(struct monitor *monitor, int status)
{
	monitor->ending = true;
	monitor->status = status;
	service_stopping(monitor->service);
	(void)event_base_loopbreak(monitor->base);
}

/* error is what came of sending to a room, 0 or -errno. */
static void monitor_told(struct monitor *monitor, int error)
{
	if (error) {
		log_warnx("cannot send to a room: %s", strerror(-error));
		monitor_end(monitor, EXIT_FAILED);
	}
}

static void monitor_tell(struct monitor *monitor, struct ipc *ipc, uint32_t type, const void *body,
			 size_t size, int fd)
{
	monitor_told(monitor, ipc_send(ipc, type, body, size, fd));
}

/* --- what links and grants ask for -------------------------------------------------------- */

static void monitor_device(uint32_t index, int fd, void *arg)
{
	const struct forward_device device = {.index = index};
	struct monitor *monitor = arg;

	monitor_tell(monitor, monitor->forward, FORWARD_MSG_DEVICE, &device, sizeof(device), fd);
}

static void monitor_no_device(uint32_t index, void *arg)
{
	const struct forward_device device = {.index = index};
	struct monitor *monitor = arg;

	monitor_tell(monitor, monitor->forward, FORWARD_MSG_NO_DEVICE, &device, sizeof(device), -1);
}

static void monitor_revoked(uint32_t id, void *arg)
{
	const struct server_id message = {.id = id};
	struct monitor *monitor = arg;

	monitor_tell(monitor, monitor->control, SERVER_MSG_REVOKE, &message, sizeof(message), -1);
}

/* --- what a service manager is told ------------------------------------------------------- */

static void monitor_tell_sessions(const struct monitor *monitor)
{
	uint32_t count = grants_count(monitor->grants);

	service_status(monitor->service, "%u: %u session%s", monitor->options->port, count,
		       count == 1 ? "" : "s");
}

static void monitor_on_here(struct ipc *ipc, const void *body, int fd, void *arg)
{
	struct monitor *monitor = arg;

	(void)body;
	(void)fd;
	if (!service_heard(monitor->service, ipc)) {
		log_warnx("a room answered what it was not asked; ending");
		monitor_end(monitor, EXIT_FAILED);
	}
}

/* --- messages and signals ----------------------------------------------------------------- */

static void monitor_on_login(struct ipc *ipc, const void *body, int fd, void *arg)
{
	struct monitor *monitor = arg;
	struct server_verdict verdict;

	(void)fd;
	/* There is one question for each number, which is not used again before the answer. */
	if (ipc_backlog(ipc) > server_options_ids(monitor->options)) {
		log_warnx("control asks and does not take the answers; ending");
		monitor_end(monitor, EXIT_FAILED);
		return;
	}
	if (!grants_login(monitor->grants, body, &verdict)) {
		log_warnx("control asked for a login that cannot be; ending");
		monitor_end(monitor, EXIT_FAILED);
		return;
	}
	monitor_tell(monitor, monitor->control, SERVER_MSG_VERDICT, &verdict, sizeof(verdict), -1);
	explicit_bzero(verdict.key, sizeof(verdict.key));
	monitor_tell_sessions(monitor);
}

static void monitor_on_logout(struct ipc *ipc, const void *body, int fd, void *arg)
{
	const struct server_id *id = body;
	struct monitor *monitor = arg;

	(void)ipc;
	(void)fd;
	if (!grants_logout(monitor->grants, id->id)) {
		log_warnx("control ended a session that is not there; ending");
		monitor_end(monitor, EXIT_FAILED);
		return;
	}
	monitor_tell_sessions(monitor);
}

static void monitor_on_closed(struct ipc *ipc, bool violated, void *arg)
{
	(void)ipc;
	/* A room's end is reported by its exit. */
	if (violated)
		monitor_end(arg, EXIT_FAILED);
}

/* How long the real cause of a room's end may take to show, and control to say good-bye. */
static const struct timeval monitor_grace = {.tv_sec = 1};
static const struct timeval monitor_patience = {.tv_sec = 10};

static void monitor_on_late(evutil_socket_t fd, short what, void *arg)
{
	struct monitor *monitor = arg;

	(void)fd;
	(void)what;
	log_warnx("a room does not answer any more; ending");
	monitor_end(monitor, EXIT_FAILED);
}

static void monitor_end_later(struct monitor *monitor, const struct timeval *wait)
{
	loop_once(monitor->base, wait, monitor_on_late, monitor);
}

static void monitor_on_child(const char *name, pid_t pid, int status, void *arg)
{
	struct monitor *monitor = arg;

	(void)pid;
	/* A child that this process had before it became ours. */
	if (!name)
		return;
	if (monitor->stopping && strcmp(name, "control") == 0 && WIFEXITED(status)) {
		monitor_end(monitor, WEXITSTATUS(status));
		return;
	}
	if (rooms_is_consequence(status)) {
		monitor_end_later(monitor, &monitor_grace);
		return;
	}
	log_warnx("room %s ended unexpectedly: %s; ending", name, rooms_status_text(status));
	monitor_end(monitor, EXIT_FAILED);
}

static void monitor_on_changed(size_t number, const char *value, void *arg)
{
	struct server_setting setting = {.number = (uint32_t)number};
	struct monitor *monitor = arg;

	(void)strlcpy(setting.value, value, sizeof(setting.value));
	monitor_tell(monitor, monitor->control, SERVER_MSG_SETTING, &setting, sizeof(setting), -1);
}

/* SIGHUP. */
static void monitor_reload(struct monitor *monitor)
{
	if (reload(monitor->options, monitor->argc, monitor->argv, monitor_on_changed, monitor)) {
		log_set_debug(monitor->options->debug);
		monitor_told(monitor, furnish_settings(monitor->options, monitor->forward));
	}
	grants_recheck(monitor->grants);
}

static void monitor_on_signal(int signal_number, void *arg)
{
	const struct server_none none = {0};
	struct monitor *monitor = arg;

	if (signal_number == SIGUSR1) {
		monitor_tell(monitor, monitor->control, SERVER_MSG_REPORT, &none, sizeof(none), -1);
		return;
	}
	if (signal_number == SIGHUP) {
		service_reloading(monitor->service);
		monitor_reload(monitor);
		service_ready(monitor->service);
		return;
	}
	if (monitor->stopping) { /* asked twice: without waiting for the clients */
		monitor_end(monitor, 0);
		return;
	}
	log_info("stopping");
	monitor->stopping = true;
	service_stopping(monitor->service);
	monitor_tell(monitor, monitor->control, SERVER_MSG_STOP, &none, sizeof(none), -1);
	monitor_end_later(monitor, &monitor_patience);
}

static void monitor_on_recheck(evutil_socket_t fd, short what, void *arg)
{
	struct monitor *monitor = arg;

	(void)fd;
	(void)what;
	grants_recheck(monitor->grants);
}

static const struct ipc_row control_rows[] = {
	{SERVER_MSG_LOGIN, sizeof(struct server_login), false, monitor_on_login},
	{SERVER_MSG_LOGOUT, sizeof(struct server_id), false, monitor_on_logout},
	{SERVER_MSG_HERE, sizeof(struct server_none), false, monitor_on_here},
};

static const struct ipc_row forward_rows[] = {
	{FORWARD_MSG_HERE, sizeof(struct forward_none), false, monitor_on_here},
};

/* --- start -------------------------------------------------------------------------------- */

static bool monitor_start_rooms(struct monitor *monitor)
{
	int control[2];
	int forward[2];
	int between[2];
	int guard[2] = {-1, -1};

	if (ipc_pair(control) || ipc_pair(forward) || ipc_pair(between)) {
		log_warn("cannot make a socket pair");
		return false;
	}
	if (rooms_start(monitor->rooms, "control", (const int[]){control[1], between[0]}, 2) ||
	    rooms_start(monitor->rooms, "forward", (const int[]){forward[1], between[1]}, 2))
		return false;
	if (monitor->options->pidfile &&
	    (ipc_pair(guard) || rooms_start_guard(monitor->rooms, "guard", &guard[1], 1)))
		return false;
	monitor->guard = guard[0];
	monitor->control =
		ipc_new(monitor->base, control[0], "control", control_rows,
			sizeof(control_rows) / sizeof(control_rows[0]), monitor_on_closed, monitor);
	monitor->forward =
		ipc_new(monitor->base, forward[0], "forward", forward_rows,
			sizeof(forward_rows) / sizeof(forward_rows[0]), monitor_on_closed, monitor);
	return monitor->control && monitor->forward;
}

static void monitor_log_ready(struct monitor *monitor)
{
	const struct server_options *options = monitor->options;
	char host[PREFIX6_STRLEN];
	char pool[PREFIX6_STRLEN];

	log_info("ready on port %u: tunnelonly%s%s%s%s", options->port,
		 options->has_host ? ", host from " : "",
		 options->has_host ? prefix6_format(&options->host_prefix, host) : "",
		 options->has_pool ? ", network from " : "",
		 options->has_pool ? prefix6_format(&options->pool, pool) : "");
	monitor_tell_sessions(monitor);
	service_ready(monitor->service);
}

/* What only a power that has been given up would let us write is better found out now. */
static bool monitor_check_database(const char *database)
{
	char copy[PATH_MAX];

	(void)strlcpy(copy, database, sizeof(copy));
	if (access(database, R_OK | W_OK) == 0 && access(dirname(copy), R_OK | W_OK | X_OK) == 0)
		return true;
	log_warn("%s: the file and its folder must belong to root", database);
	return false;
}

static const int monitor_signals[] = {SIGHUP, SIGINT, SIGTERM, SIGUSR1};
enum { MONITOR_SIGNALS = sizeof(monitor_signals) / sizeof(monitor_signals[0]) };

static int monitor_serve(struct monitor *monitor, const struct notify *notify)
{
	const struct timeval second = {.tv_sec = 1};
	const struct grants_owner owner = {
		.options = monitor->options,
		.links = monitor->links,
		.users = monitor->users,
		.revoked = monitor_revoked,
		.arg = monitor,
	};
	struct event *recheck = NULL;
	char **words = NULL;
	int n_words = 0;

	monitor->status = EXIT_FAILED;
	monitor->grants = grants_new(&owner);
	monitor->base = event_base_new();
	if (!monitor->grants || !monitor->base)
		goto done;
	monitor->service = service_new(monitor->base, notify);
	if (!monitor->service)
		goto done;
	monitor->signals = signals_new(monitor->base, monitor_signals, MONITOR_SIGNALS,
				       monitor_on_signal, monitor);
	if (!monitor->signals)
		goto done;
	recheck = event_new(monitor->base, -1, EV_PERSIST, monitor_on_recheck, monitor);
	words = server_options_words(monitor->options, monitor->argv[0], &n_words);
	if (!words)
		goto done;
	monitor->rooms = rooms_new(monitor->base, n_words, words, monitor_on_child, monitor);
	/* The rooms need more than that, to give it up themselves. */
	if (!recheck || event_add(recheck, &second) == -1 || !monitor->rooms ||
	    !monitor_start_rooms(monitor) || !powers_limit(POWERS_MONITOR, false) ||
	    !monitor_check_database(monitor->options->database))
		goto done;
	monitor_told(monitor, furnish(&monitor->supplies, monitor->options, monitor->users,
				      monitor->control, monitor->forward));
	service_watch(monitor->service, "control", monitor->control, SERVER_MSG_CALL);
	service_watch(monitor->service, "forward", monitor->forward, FORWARD_MSG_CALL);
	links_watch(monitor->links, monitor->base);
	/* What ends a loop before it begins is forgotten by it. */
	if (!monitor->ending) {
		monitor_log_ready(monitor);
		(void)event_base_dispatch(monitor->base);
	}
done:
	ipc_free(monitor->control);
	ipc_free(monitor->forward);
	if (monitor->guard >= 0)
		close(monitor->guard);
	if (monitor->rooms)
		rooms_end(monitor->rooms);
	signals_free(monitor->signals);
	service_free(monitor->service);
	server_options_free_words(words, n_words);
	if (recheck)
		event_free(recheck);
	grants_free(monitor->grants);
	links_unwatch(monitor->links);
	if (monitor->base)
		event_base_free(monitor->base);
	return monitor->status;
}

static bool monitor_make_links(struct monitor *monitor)
{
	const struct links_owner owner = {
		.options = monitor->options,
		.netlink = monitor->netlink,
		.device = monitor_device,
		.no_device = monitor_no_device,
		.arg = monitor,
	};

	monitor->links = links_new(&owner);
	if (!monitor->links)
		log_warnx("out of memory");
	return monitor->links != NULL;
}

int server_monitor_run(struct server_options *options, int argc, char *const argv[])
{
	struct monitor monitor = {.options = options,
				  .argc = argc,
				  .argv = argv,
				  .guard = -1,
				  .supplies = {.tun = -1,
					       .raw = -1,
					       .udp = -1,
					       .listener = -1,
					       .counters = -1,
					       .counters_reader = -1}};
	struct pidfh *pidfile = NULL;
	struct pidfh *lock = NULL;
	struct notify notify;
	char error[512];
	int status = EXIT_FAILED;

	signals_block(monitor_signals, MONITOR_SIGNALS);
	if (!daemonize_begin())
		return EXIT_FAILED;
	notify_open(&notify);
	if (geteuid() != 0) {
		log_warnx("must be run as root: it makes network interfaces and routes");
		return EXIT_FAILED;
	}
	if (!room_user(options->run_as)) {
		log_warnx("no user %s to run as; name one with --user",
			  options->run_as ? options->run_as : "_dtcp or nobody");
		return EXIT_CONFIG;
	}
	if (!powers_hide() || !daemonize_claim(options->pidfile, &pidfile))
		return EXIT_FAILED;
	if (users_open(options->database, false, &monitor.users, error, sizeof(error)) !=
	    USERS_OK) {
		log_warnx("%s", error);
		goto done;
	}
	if (!instance_claim(options->database, &lock))
		goto done;
	if (netlink_open(&monitor.netlink) != 0 || !monitor_make_links(&monitor) ||
	    !supplies_open(&monitor.supplies, options, monitor.netlink, monitor.links))
		goto done;
	/* An SQLite connection does not survive the fork of a daemon. */
	users_close(monitor.users);
	monitor.users = NULL;
	if (!daemonize(pidfile, options->daemon))
		goto done;
	if (pidfile_write(lock) == -1)
		log_warn("cannot write into the lock of the database");
	if (users_open(options->database, false, &monitor.users, error, sizeof(error)) !=
	    USERS_OK) {
		log_warnx("%s", error);
		goto done;
	}
	users_set_patience(monitor.users, MONITOR_PATIENCE_MS);
	(void)signal(SIGPIPE, SIG_IGN);
	setproctitle("monitor");
	status = monitor_serve(&monitor, &notify);
done:
	daemonize_end(pidfile);
	supplies_close(&monitor.supplies);
	links_free(monitor.links);
	netlink_close(monitor.netlink);
	users_close(monitor.users);
	/* The last thing: the next instance may be waiting for it. */
	if (lock)
		(void)pidfile_remove(lock);
	notify_close(&notify);
	return status;
}
