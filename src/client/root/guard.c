/* SPDX-License-Identifier: BSD-2-Clause */
#include "client/root/guard.h"

#include "base/log.h"
#include "client/exits.h"
#include "client/msg.h"
#include "client/root/hook.h"
#include "client/root/lan_record.h"
#include "client/root/source_routes.h"
#include "fastpath/fastpath.h"
#include "netconf/netlink.h"
#include "netconf/rules.h"
#include "process/ipc.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

struct guard {
	const struct client_options *options;
	struct event_base *base;
	struct script *script;
	bool armed; /* a tunnel exists */
	struct client_guard told;
	pid_t running; /* the script's process, 0: none */
};

static void guard_on_guard(const void *body, void *arg)
{
	struct guard *guard = arg;
	const struct client_guard *told = body;

	guard->told = *told;
	guard->armed = true;
}

static void guard_on_unguard(void *arg)
{
	struct guard *guard = arg;

	guard->armed = false;
}

static void guard_on_running(const void *body, void *arg)
{
	const struct client_script *script = body;
	struct guard *guard = arg;

	guard->running = script->pid;
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
	struct prefix6 sources[SOURCE_ROUTES_MAX];
	struct netlink *netlink = NULL;
	size_t n_sources;

	(void)ipc;
	(void)violated;
	/* Nothing is left if root's process has ended properly. */
	fastpath_sweep(guard->options->interface);
	if (guard->options->lan.n > 0)
		(void)lan_record_sweep(guard->options->interface);
	if (!guard->armed) {
		(void)event_base_loopbreak(guard->base);
		return;
	}
	log_warnx("monitor is gone; removing what it has made");
	/* Its actions would follow those of "down". */
	if (guard->running > 0)
		(void)kill(-guard->running, SIGKILL);
	n_sources = source_routes_list(&guard->told.tunnel, guard->options, sources);
	if (netlink_open(&netlink) == 0) {
		for (size_t i = 0; i < guard->told.tunnel.reply.n_prefixes; i++)
			(void)netlink_reject_delete(netlink, &guard->told.tunnel.reply.prefixes[i]);
		for (size_t i = 0; i < n_sources; i++)
			(void)rules_delete(netlink, &sources[i]);
	}
	netlink_close(netlink);
	if (hook_wanted(guard->options))
		guard->script = hook_start(guard->base, guard->options, "down", &guard->told,
					   guard_on_script, guard);
	if (!guard->script)
		(void)event_base_loopbreak(guard->base);
}

static const struct ipc_row root_rows[] = {
	IPC_BODY(CLIENT_MSG_GUARD, struct client_guard, guard_on_guard),
	IPC_BODY(CLIENT_MSG_SCRIPT, struct client_script, guard_on_running),
	IPC_EVENT(CLIENT_MSG_UNGUARD, guard_on_unguard),
};

int client_guard_run(const struct process_self *self)
{
	struct guard guard = {.options = self->options};
	int result = CLIENT_LOCAL;
	struct event *child = NULL;
	struct ipc *root = NULL;

	guard.base = event_base_new();
	if (!guard.base)
		goto done;
	root = ipc_new(guard.base, self->root, "monitor", root_rows,
		       sizeof(root_rows) / sizeof(root_rows[0]), guard_on_closed, &guard);
	child = evsignal_new(guard.base, SIGCHLD, guard_on_child, &guard);
	if (!root || !child || evsignal_add(child, NULL) == -1)
		goto done;
	(void)event_base_dispatch(guard.base);
	result = CLIENT_OK;
done:
	if (result != CLIENT_OK)
		log_warnx("out of memory");
	if (child)
		event_free(child);
	ipc_free(&root);
	if (guard.base)
		event_base_free(guard.base);
	return result;
}
