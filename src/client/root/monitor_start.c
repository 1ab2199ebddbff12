/* SPDX-License-Identifier: BSD-2-Clause */
/* Makes what the rooms need (supplies.c), starts them and hands it over (furnish.c). */
#include "client/root/monitor.h"

#include "base/log.h"
#include "client/exits.h"
#include "client/resolver/resolver.h"
#include "client/root/account.h"
#include "client/root/furnish.h"
#include "client/root/hook.h"
#include "client/root/monitor_parts.h"
#include "fastpath/root.h"
#include "forward/msg.h"
#include "process/capabilities.h"
#include "process/daemonize.h"

#include <signal.h>
#include <string.h>
#include <unistd.h>

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
	monitor->control = monitor_open_control(monitor, control[0]);
	monitor->carrier.guard = monitor_open_guard(monitor, guard[0]);
	if (!monitor->control || !monitor->carrier.guard)
		return false;
	service_watch(monitor->service, "control", &monitor->control);
	if (!with_forward)
		return true;
	monitor->carrier.forward = monitor_open_forward(monitor, forward[0]);
	if (!monitor->carrier.forward)
		return false;
	service_watch(monitor->service, "forward", &monitor->carrier.forward);
	return furnish(&monitor->supplies, monitor->control, monitor->carrier.forward) == 0 &&
	       fastpath_hand_counters(monitor->carrier.link.fast, monitor->control,
				      CLIENT_MSG_FAST) == 0 &&
	       fastpath_hand(monitor->carrier.link.fast, monitor->carrier.forward) == 0;
}

static const int monitor_signals[] = {SIGHUP, SIGINT, SIGTERM, SIGUSR1};
enum { MONITOR_SIGNALS = sizeof(monitor_signals) / sizeof(monitor_signals[0]) };

static int monitor_serve(struct monitor *monitor, const struct notify *notify, int argc,
			 char *const argv[], struct account_passwords *passwords)
{
	monitor->status = CLIENT_LOCAL;
	monitor->base = event_base_new();
	if (!monitor->base)
		return CLIENT_LOCAL;
	monitor->carrier.base = monitor->base;
	monitor_limit_ports(monitor);
	monitor->rooms = rooms_new(monitor->base, argc, argv, monitor_on_child, monitor);
	if (!monitor->rooms)
		return CLIENT_LOCAL;
	monitor->signals = signals_new(monitor->base, monitor_signals, MONITOR_SIGNALS,
				       monitor_on_signal, monitor);
	if (!monitor->signals)
		goto done;
	monitor->reconnect = reconnect_new(monitor->base, monitor_reconnect, monitor);
	monitor->lookups =
		lookups_new(monitor->base, monitor->options, argc, argv, RESOLVER_TIMEOUT);
	monitor->service = service_new(monitor->base, notify);
	/* The rooms need more than that, to give it up themselves. */
	if (!monitor->reconnect || !monitor->lookups || !monitor->service ||
	    !monitor_start_rooms(monitor) ||
	    !capabilities_limit(lookups_any(monitor->options) ? CAPABILITIES_STARTER
							      : CAPABILITIES_MONITOR,
				hook_wanted(monitor->options)))
		goto done;
	monitor_tell_status(monitor);
	/* Without them a change is noticed when a ping goes unanswered. */
	monitor->watch = watch_new(monitor->base, monitor_on_network, monitor);
	carrier_watch(&monitor->carrier);
	monitor->wake = wake_new(monitor->base, monitor_on_woke, monitor);
	monitor_told(monitor, furnish_account(&monitor->supplies, monitor->options,
					      monitor->carrier.user, passwords, monitor->control));
	if (!monitor->ending)
		(void)event_base_dispatch(monitor->base);
done:
	carrier_unwatch(&monitor->carrier);
	wake_free(monitor->wake);
	watch_free(monitor->watch);
	ipc_free(&monitor->control);
	ipc_free(&monitor->carrier.forward);
	if (monitor->carrier.guard)
		ipc_flush(monitor->carrier.guard, 1000);
	ipc_free(&monitor->carrier.guard);
	lookups_free(monitor->lookups);
	rooms_end(monitor->rooms);
	reconnect_free(monitor->reconnect);
	signals_free(monitor->signals);
	service_free(monitor->service);
	event_base_free(monitor->base);
	return monitor->status;
}

static bool monitor_begin_fast(struct monitor *monitor)
{
	const struct fastpath_config config = {
		.sessions_max = 1,
		.routes_max = 1,
		.udp_port = (uint16_t)monitor->supplies.udp_port,
	};

	if (monitor->options->no_device)
		return true;
	if (!fastpath_begin(monitor->options->fast, &config, &monitor->carrier.link.fast))
		return false;
	fastpath_join_uplinks(monitor->carrier.link.fast);
	return true;
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
	status = supplies_check(options, monitor.carrier.script_path);
	if (status != CLIENT_OK)
		return status;
	if (!capabilities_hide())
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
	    !supplies_open(&monitor.supplies, options) || !monitor_begin_fast(&monitor) ||
	    !daemonize(pidfile, options->daemon))
		goto done;
	(void)signal(SIGPIPE, SIG_IGN);
	setproctitle("monitor");
	status = monitor_serve(&monitor, &notify, argc, argv, &passwords);
done:
	daemonize_end(pidfile);
	explicit_bzero(&passwords, sizeof(passwords));
	fastpath_close(monitor.carrier.link.fast);
	netlink_close(monitor.carrier.link.netlink);
	supplies_close(&monitor.supplies);
	notify_close(&notify);
	return status;
}
