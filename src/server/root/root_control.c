/* SPDX-License-Identifier: BSD-2-Clause */
/* Requests of control, on behalf of clients of the control socket. */
#include "base/clock.h"
#include "base/log.h"
#include "server/root/root.h"
#include "server/root/root_parts.h"

#include <string.h>
#include <unistd.h>

/*
 * Control sends at most one request per id before it gets the answer, and each session can be
 * revoked as well; a longer backlog means that it does not read.
 */
bool root_control_listens(const struct server_root *root)
{
	if (supervisor_backlog(root->supervisor, SERVER_CONTROL) <=
	    2 * (size_t)server_options_ids(root->options))
		return true;
	supervisor_fail(root->supervisor, "control asks and does not take the answers");
	return false;
}

static void root_on_ask(void *arg)
{
	const struct server_root *root = arg;
	struct server_state state = {.pid = (int32_t)getpid()};
	struct log_warning warning;

	if (!root_control_listens(root))
		return;
	state.fast = root->fast && !fastpath_is_paused(root->fast);
	if (log_last_warning(&warning)) {
		(void)strlcpy(state.warning, warning.text, sizeof(state.warning));
		state.warned_ago = (uint32_t)(clock_ms() - warning.at);
	}
	supervisor_send(root->supervisor, SERVER_CONTROL, SERVER_MSG_STATE, &state, sizeof(state),
			-1);
}

static void root_say_done(const struct server_root *root, const struct server_order *order,
			  enum server_done_result result)
{
	const struct server_done done = {.number = order->number, .result = result};

	supervisor_send(root->supervisor, SERVER_CONTROL, SERVER_MSG_DONE, &done, sizeof(done), -1);
}

static void root_on_reload(const void *order, void *arg)
{
	struct server_root *root = arg;

	if (root_control_listens(root))
		root_say_done(root, order, reload_asked(&root->reload));
}

static void root_on_level(const void *body, void *arg)
{
	const struct server_order *level = body;
	const struct server_root *root = arg;

	if (!root_control_listens(root))
		return;
	if (level->debug > 1) {
		supervisor_fail(root->supervisor, "control asked for a level that the log has not");
		return;
	}
	log_info("log level: %s, until the settings are read again",
		 level->debug ? "debug" : "info");
	supervisor_log_debug(root->supervisor, level->debug == 1);
	root_say_done(root, level, SERVER_DONE);
}

static const struct ipc_row root_control_rows[] = {
	IPC_EVENT(SERVER_MSG_ASK, root_on_ask),
	IPC_BODY(SERVER_MSG_RELOAD, struct server_order, root_on_reload),
	IPC_BODY(SERVER_MSG_LEVEL, struct server_order, root_on_level),
};

const struct process_rows server_root_control_rows = PROCESS_ROWS(root_control_rows);
