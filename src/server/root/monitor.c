/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Answers control's questions about users (grants.c), takes signals, and ends when a room does.
 * monitor_start.c is what comes before.
 */
#include "base/log.h"
#include "base/loop.h"
#include "forward/msg.h"
#include "server/msg.h"
#include "server/root/furnish.h"
#include "server/root/monitor_parts.h"
#include "server/root/reload.h"

#include <signal.h>
#include <string.h>
#include <sys/wait.h>

static void monitor_end(struct monitor *monitor, int status)
{
	monitor->ending = true;
	monitor->status = status;
	service_stopping(monitor->service);
	(void)event_base_loopbreak(monitor->base);
}

void monitor_told(struct monitor *monitor, int error)
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

void monitor_device(uint32_t number, unsigned int interface, int fd, void *arg)
{
	const struct forward_device device = {.index = number, .interface = interface};
	struct monitor *monitor = arg;

	monitor_tell(monitor, monitor->forward, FORWARD_MSG_DEVICE, &device, sizeof(device), fd);
}

void monitor_no_device(uint32_t index, void *arg)
{
	const struct forward_device device = {.index = index};
	struct monitor *monitor = arg;

	monitor_tell(monitor, monitor->forward, FORWARD_MSG_NO_DEVICE, &device, sizeof(device), -1);
}

void monitor_revoked(uint32_t id, void *arg)
{
	const struct server_id message = {.id = id};
	struct monitor *monitor = arg;

	monitor_tell(monitor, monitor->control, SERVER_MSG_REVOKE, &message, sizeof(message), -1);
}

/* --- what a service manager is told ------------------------------------------------------- */

void monitor_tell_sessions(const struct monitor *monitor)
{
	uint32_t count = grants_count(monitor->grants);

	service_status(monitor->service, "%u: %u session%s", monitor->options->port, count,
		       count == 1 ? "" : "s");
}

/* --- messages and signals ----------------------------------------------------------------- */

void monitor_decided(const struct server_verdict *verdict, void *arg)
{
	struct monitor *monitor = arg;

	monitor_tell(monitor, monitor->control, SERVER_MSG_VERDICT, verdict, sizeof(*verdict), -1);
}

static void monitor_on_flush(evutil_socket_t fd, short what, void *arg)
{
	struct monitor *monitor = arg;

	(void)fd;
	(void)what;
	monitor->flushing = false;
	grants_flush(monitor->grants);
}

/* When all the logins have been looked into that have come by now. */
static void monitor_flush_soon(struct monitor *monitor)
{
	static const struct timeval at_once = {0};

	if (!monitor->flushing)
		loop_once(monitor->base, &at_once, monitor_on_flush, monitor);
	monitor->flushing = true;
}

static void monitor_on_login(const void *body, void *arg)
{
	struct monitor *monitor = arg;
	struct server_verdict verdict;

	/* There is one question for each number, which is not used again before the answer. */
	if (ipc_backlog(monitor->control) > server_options_ids(monitor->options)) {
		log_warnx("control asks and does not take the answers; ending");
		monitor_end(monitor, EXIT_FAILED);
		return;
	}
	if (!grants_login(monitor->grants, body, &verdict)) {
		log_warnx("control asked for a login that cannot be; ending");
		monitor_end(monitor, EXIT_FAILED);
		return;
	}
	if (verdict.result == GRANTS_LATER)
		monitor_flush_soon(monitor);
	else
		monitor_decided(&verdict, monitor);
	explicit_bzero(verdict.key, sizeof(verdict.key));
	monitor_tell_sessions(monitor);
}

static void monitor_on_logout(const void *body, void *arg)
{
	const struct server_id *id = body;
	struct monitor *monitor = arg;

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

void monitor_on_child(const char *name, pid_t pid, int status, void *arg)
{
	struct monitor *monitor = arg;

	/* Else it is a child that this process had before it became ours. */
	if (!name) {
		(void)links_reaped(monitor->links, pid, status);
		return;
	}
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

void monitor_on_signal(int signal_number, void *arg)
{
	struct monitor *monitor = arg;

	if (signal_number == SIGUSR1) {
		fastpath_say(monitor->fast);
		monitor_tell(monitor, monitor->control, SERVER_MSG_REPORT, NULL, 0, -1);
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
	monitor_tell(monitor, monitor->control, SERVER_MSG_STOP, NULL, 0, -1);
	monitor_end_later(monitor, &monitor_patience);
}

void monitor_on_recheck(evutil_socket_t fd, short what, void *arg)
{
	struct monitor *monitor = arg;

	(void)fd;
	(void)what;
	grants_recheck(monitor->grants);
	links_tidy(monitor->links);
}

static const struct ipc_row control_rows[] = {
	IPC_BODY(SERVER_MSG_LOGIN, struct server_login, monitor_on_login),
	IPC_BODY(SERVER_MSG_LOGOUT, struct server_id, monitor_on_logout),
};

bool monitor_open_channels(struct monitor *monitor, int control, int forward)
{
	monitor->control =
		ipc_new(monitor->base, control, "control", control_rows,
			sizeof(control_rows) / sizeof(control_rows[0]), monitor_on_closed, monitor);
	monitor->forward =
		ipc_new(monitor->base, forward, "forward", NULL, 0, monitor_on_closed, monitor);
	return monitor->control && monitor->forward;
}
