/* SPDX-License-Identifier: BSD-2-Clause */
#include "client/guard.h"

#include "base/ipc.h"
#include "base/log.h"
#include "client/exits.h"
#include "client/hook.h"
#include "client/msg.h"
#include "monitor/netlink.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

struct guard {
	const struct client_options *options;
	const char *user;
	struct event_base *base;
	struct script *script;
	bool armed; /* there is a tunnel */
	struct client_tunnel tunnel;
};

static void guard_on_guard(struct ipc *ipc, const void *body, int fd, void *arg)
{
	struct guard *guard = arg;
	const struct client_tunnel *tunnel = body;

	(void)ipc;
	(void)fd;
	guard->tunnel = *tunnel;
	guard->armed = true;
}

static void guard_on_unguard(struct ipc *ipc, const void *body, int fd, void *arg)
{
	struct guard *guard = arg;

	(void)ipc;
	(void)body;
	(void)fd;
	guard->armed = false;
}

static void guard_on_script(void *arg)
{
	struct guard *guard = arg;

	guard->script = NULL;
	(void)event_base_loopbreak(guard->base);
}

static void guard_on_child(evutil_socket_t fd, short what, void *arg)
{
	struct guard *guard = arg;
	int status;
	pid_t pid;

	(void)fd;
	(void)what;
	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		if (guard->script)
			(void)script_reaped(guard->script, pid, status);
	}
}

static void guard_on_closed(struct ipc *ipc, bool violated, void *arg)
{
	struct guard *guard = arg;
	struct netlink *netlink = NULL;

	(void)ipc;
	(void)violated;
	if (!guard->armed) {
		(void)event_base_loopbreak(guard->base);
		return;
	}
	log_warnx("monitor is gone; removing what it has made");
	if (netlink_open(&netlink) == 0) {
		for (size_t i = 0; i < guard->tunnel.reply.n_prefixes; i++)
			(void)netlink_reject_delete(netlink, &guard->tunnel.reply.prefixes[i]);
	}
	netlink_close(netlink);
	if (guard->options->pidfile)
		(void)unlink(guard->options->pidfile);
	if (hook_wanted(guard->options))
		guard->script = hook_start(guard->base, guard->options, "down", guard->user,
					   &guard->tunnel, guard_on_script, guard);
	if (!guard->script)
		(void)event_base_loopbreak(guard->base);
}

static const struct ipc_row monitor_rows[] = {
	{CLIENT_MSG_GUARD, sizeof(struct client_tunnel), false, guard_on_guard},
	{CLIENT_MSG_UNGUARD, sizeof(struct client_none), false, guard_on_unguard},
};

int client_guard_run(const struct client_options *options, const char *user, int monitor_fd)
{
	struct guard guard = {.options = options, .user = user};
	int result = CLIENT_LOCAL;
	struct event *child = NULL;
	struct ipc *monitor = NULL;

	guard.base = event_base_new();
	if (!guard.base)
		goto done;
	monitor = ipc_new(guard.base, monitor_fd, "monitor", monitor_rows,
			  sizeof(monitor_rows) / sizeof(monitor_rows[0]), guard_on_closed, &guard);
	child = evsignal_new(guard.base, SIGCHLD, guard_on_child, &guard);
	if (!monitor || !child || evsignal_add(child, NULL) == -1)
		goto done;
	(void)event_base_dispatch(guard.base);
	result = CLIENT_OK;
done:
	if (result != CLIENT_OK)
		log_warnx("out of memory");
	if (child)
		event_free(child);
	ipc_free(monitor);
	if (guard.base)
		event_base_free(guard.base);
	return result;
}
