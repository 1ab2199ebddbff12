/* SPDX-License-Identifier: BSD-2-Clause */
/* Makes what the rooms need (supplies.c, links.c), starts them and hands it over (furnish.c). */
#include "server/root/monitor.h"

#include "base/log.h"
#include "forward/msg.h"
#include "process/capabilities.h"
#include "process/daemonize.h"
#include "process/room.h"
#include "server/msg.h"
#include "server/root/furnish.h"
#include "server/root/instance.h"
#include "server/root/monitor_parts.h"

#include <libgen.h>
#include <limits.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

/* Prefixes that the fast path can tell apart; more of them are forward's. Memory is taken as it is
 * needed. */
enum { MONITOR_ROUTES_MAX = 1 << 20 };

/* How long a login may keep all others waiting because the database is locked. */
enum { MONITOR_PATIENCE_MS = 500 };

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
	return monitor_open_channels(monitor, control[0], forward[0]);
}

/* One more of the types that are offered; prefix NULL: it takes none. */
static void monitor_list(char *list, size_t size, const char *type, const struct prefix6 *prefix)
{
	char text[PREFIX6_STRLEN];

	(void)strlcat(list, list[0] ? ", " : "", size);
	(void)strlcat(list, type, size);
	if (prefix) {
		(void)strlcat(list, " from ", size);
		(void)strlcat(list, prefix6_format(prefix, text), size);
	}
}

static void monitor_log_ready(struct monitor *monitor)
{
	const struct server_options *options = monitor->options;
	char types[2 * PREFIX6_STRLEN + 80] = "";

	if (options->tunnelonly)
		monitor_list(types, sizeof(types), "tunnelonly", NULL);
	if (options->has_host)
		monitor_list(types, sizeof(types), "host", &options->host_prefix);
	if (options->has_pool)
		monitor_list(types, sizeof(types), "network", &options->pool);
	if (!types[0])
		monitor_list(types, sizeof(types), "network for users with a prefix of their own",
			     NULL);
	log_info("ready on port %u: %s", options->port, types);
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

static void monitor_on_addresses(void *arg)
{
	const struct monitor *monitor = arg;

	fastpath_join_uplinks(monitor->fast);
}

static int monitor_serve(struct monitor *monitor, const struct notify *notify)
{
	const struct timeval second = {.tv_sec = 1};
	const struct grants_owner owner = {
		.options = monitor->options,
		.links = monitor->links,
		.users = monitor->users,
		.revoked = monitor_revoked,
		.decided = monitor_decided,
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
	    !monitor_start_rooms(monitor) || !capabilities_limit(CAPABILITIES_MONITOR, false) ||
	    !monitor_check_database(monitor->options->database))
		goto done;
	monitor_told(monitor, furnish(&monitor->supplies, monitor->options, monitor->users,
				      monitor->control, monitor->forward));
	monitor_told(monitor,
		     fastpath_hand_counters(monitor->fast, monitor->control, SERVER_MSG_FAST));
	monitor_told(monitor, fastpath_hand(monitor->fast, monitor->forward));
	service_watch(monitor->service, "control", &monitor->control);
	service_watch(monitor->service, "forward", &monitor->forward);
	links_watch(monitor->links, monitor->base);
	if (monitor->fast)
		monitor->watch = watch_new(monitor->base, monitor_on_addresses, monitor);
	/* What ends a loop before it begins is forgotten by it. */
	if (!monitor->ending) {
		monitor_log_ready(monitor);
		(void)event_base_dispatch(monitor->base);
	}
done:
	/* All in one go; with forward's descriptors they would go one after the other. */
	links_remove_all(monitor->links);
	ipc_free(&monitor->control);
	ipc_free(&monitor->forward);
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
	watch_free(monitor->watch);
	if (monitor->base)
		event_base_free(monitor->base);
	return monitor->status;
}

static bool monitor_begin_fast(struct monitor *monitor)
{
	const struct server_options *options = monitor->options;
	const uint32_t ids = server_options_ids(options);
	const struct fastpath_config config = {
		.sessions_max = ids,
		/* Prefixes are remembered when their sessions have gone. */
		.routes_max = MONITOR_ROUTES_MAX,
		.server = true,
		.udp_port = options->udp ? options->udp_port : 0,
	};

	if (!fastpath_begin(options->fast, &config, &monitor->fast))
		return false;
	fastpath_join_uplinks(monitor->fast);
	return true;
}

static bool monitor_make_links(struct monitor *monitor)
{
	const struct links_owner owner = {
		.options = monitor->options,
		.netlink = monitor->netlink,
		.fast = monitor->fast,
		.device = monitor_device,
		.no_device = monitor_no_device,
		.arg = monitor,
	};

	monitor->links = links_new(&owner);
	if (!monitor->links)
		log_warnx("out of memory");
	return monitor->links != NULL;
}

/* -D was the foreground for the old server. */
static void monitor_say_old(const struct server_options *options)
{
	if (!options->old_interface && !options->old_prefix)
		return;
	if (options->daemon)
		log_warnx("-D: becomes a daemon; to stay in the foreground, leave it out");
	else
		log_warnx("stays in the foreground; -D makes it a daemon");
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
					       .counters_reader = -1,
					       .routes = -1}};
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
	if (!room_user_check(options->run_as))
		return EXIT_CONFIG;
	if (!capabilities_hide() || !daemonize_claim(options->pidfile, &pidfile))
		return EXIT_FAILED;
	if (users_open(options->database, false, &monitor.users, error, sizeof(error)) !=
	    USERS_OK) {
		log_warnx("%s", error);
		goto done;
	}
	if (!instance_claim(options->database, &lock))
		goto done;
	if (netlink_open(&monitor.netlink) != 0 || !monitor_begin_fast(&monitor) ||
	    !monitor_make_links(&monitor) ||
	    !supplies_open(&monitor.supplies, options, monitor.netlink, monitor.links))
		goto done;
	monitor_say_old(options);
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
	fastpath_close(monitor.fast);
	netlink_close(monitor.netlink);
	users_close(monitor.users);
	/* The last thing: the next instance may be waiting for it. */
	if (lock)
		(void)pidfile_remove(lock);
	notify_close(&notify);
	return status;
}
