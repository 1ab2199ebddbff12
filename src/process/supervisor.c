/* SPDX-License-Identifier: BSD-2-Clause */
#include "process/supervisor.h"

#include "base/log.h"
#include "base/loop.h"
#include "ctl/listen.h"
#include "process/channels.h"
#include "process/notify.h"
#include "process/pid_file.h"
#include "process/signals.h"

#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* How long to wait for the cause of a process's end, and for a process to end when told. */
static const struct timeval supervisor_grace = {.tv_sec = 1};
static const struct timeval supervisor_patience = {.tv_sec = 10};

struct supervisor {
	const struct program *program;
	struct supervisor_events events;
	void *arg;
	struct notify notify;
	struct pidfh *pidfile;
	struct ctl_listen socket;
	struct event_base *base;
	struct service *service;
	struct signals signals;
	struct children *children;
	struct channels channels;
	bool stopping; /* the program has been told to end */
	bool ending;   /* status is the exit status */
	int status;
};

/* --- signals ------------------------------------------------------------------------------ */

static void supervisor_tell(const struct supervisor *supervisor, void (*event)(void *arg))
{
	if (event)
		event(supervisor->arg);
}

static void supervisor_on_late(evutil_socket_t fd, short what, void *arg)
{
	struct supervisor *supervisor = arg;

	(void)fd;
	(void)what;
	if (supervisor->ending)
		return;
	if (supervisor->events.busy && supervisor->events.busy(supervisor->arg))
		supervisor_end(supervisor, SUPERVISOR_OK);
	else
		supervisor_fail(supervisor, "a room does not answer any more");
}

static void supervisor_on_signal(evutil_socket_t number, short what, void *arg)
{
	struct supervisor *supervisor = arg;

	(void)what;
	if (number == SIGUSR1) {
		supervisor_tell(supervisor, supervisor->events.report);
	} else if (number == SIGHUP) {
		supervisor_tell(supervisor, supervisor->events.reload);
	} else if (number == SIGUSR2) {
		supervisor_tell(supervisor, supervisor->events.renew);
	} else if (supervisor->stopping) {
		supervisor_tell(supervisor, supervisor->events.hurry);
		supervisor_end(supervisor, SUPERVISOR_OK);
	} else {
		supervisor->stopping = true;
		supervisor_tell(supervisor, supervisor->events.stop);
		service_stopping(supervisor->service);
		loop_once(supervisor->base, &supervisor_patience, supervisor_on_late, supervisor);
	}
}

/* --- the processes ------------------------------------------------------------------------ */

static size_t supervisor_place(const struct supervisor *supervisor, const char *name)
{
	size_t i = 0;

	while (strcmp(supervisor->program->processes[i].name, name) != 0)
		i++;
	return i;
}

static void supervisor_tell_end(const char *name, int status)
{
	struct log_record record;

	log_record_begin(&record, LOG_WARNING, "process-ended",
			 "room %s ended unexpectedly: %s; ending", name,
			 children_status_text(status));
	log_record_text(&record, "room", "%s", name);
	log_record_text(&record, "reason", "%s", children_status_text(status));
	record.told = true;
	log_event(&record);
}

static void supervisor_on_child(const char *name, pid_t pid, int status, void *arg)
{
	struct supervisor *supervisor = arg;
	const struct process *process;

	process = name ? &supervisor->program->processes[supervisor_place(supervisor, name)] : NULL;
	if (!process || process->kind == PROCESS_ON_DEMAND) {
		if (supervisor->events.reaped)
			supervisor->events.reaped(pid, status, supervisor->arg);
	} else if (WIFEXITED(status) &&
		   (process->verdict == PROCESS_VERDICT ||
		    (process->verdict == PROCESS_VERDICT_AT_STOP && supervisor->stopping))) {
		supervisor_end(supervisor, WEXITSTATUS(status));
	} else if (children_is_consequence(status)) {
		loop_once(supervisor->base, &supervisor_grace, supervisor_on_late, supervisor);
	} else {
		if (!supervisor->ending)
			supervisor_tell_end(name, status);
		supervisor_end(supervisor, SUPERVISOR_FAILED);
	}
}

/* The end of a process is noticed by its exit; this handles only violations. */
static void supervisor_on_closed(struct ipc *ipc, bool violated, void *arg)
{
	(void)ipc;
	if (violated)
		supervisor_end(arg, SUPERVISOR_FAILED);
}

/* Starts a process with the descriptors that process_run() expects. False after logging. */
static bool supervisor_start_one(struct supervisor *supervisor, size_t place)
{
	const struct process *process = &supervisor->program->processes[place];
	bool guard = process->kind == PROCESS_GUARD;
	int fds[PROCESS_MAX];
	size_t n_fds;

	if (guard && !channels_open_one(&supervisor->channels, place))
		return false;
	n_fds = channels_take(&supervisor->channels, place, fds);
	if (guard && supervisor->socket.path[0] != '\0')
		fds[n_fds++] = fcntl(supervisor->socket.file, F_DUPFD_CLOEXEC, 0);
	if (children_start(supervisor->children, process->name, -1, guard, fds, n_fds) < 0)
		return false;
	if (!guard)
		service_watch(supervisor->service, process->name,
			      &supervisor->channels.root[place]);
	return true;
}

bool supervisor_start(struct supervisor *supervisor, int argc, char *const argv[])
{
	const struct program *program = supervisor->program;

	supervisor->children =
		children_new(supervisor->base, argc, argv, supervisor_on_child, supervisor);
	if (!supervisor->children)
		return false;
	for (size_t i = 0; i < program->n_processes; i++) {
		if (process_wanted(program, i) && !supervisor_start_one(supervisor, i))
			return false;
	}
	/* Only now, since the processes need more capabilities, which they give up themselves. */
	return capabilities_limit(program->keeps, program->scripts);
}

/* --- start and end ------------------------------------------------------------------------ */

/*
 * Opens /dev/null for standard input, output and error if they are closed. Otherwise files opened
 * later would take their places, and daemon(3) would replace them. False after logging.
 */
static bool supervisor_open_standard(void)
{
	int fd;

	do {
		fd = open("/dev/null", O_RDWR);
		if (fd == -1) {
			log_warn("cannot open /dev/null");
			return false;
		}
	} while (fd <= STDERR_FILENO);
	close(fd);
	return true;
}

/* Returns SUPERVISOR_OK, or the exit status after logging. */
static int supervisor_begin(struct supervisor *supervisor)
{
	const struct program *program = supervisor->program;
	struct user_ids user;

	/* Blocks only these signals until the event loop takes them. */
	signals_hold();
	if (!supervisor_open_standard())
		return SUPERVISOR_FAILED;
	notify_open(&supervisor->notify);
	if (geteuid() != 0) {
		log_warnx("must be run as root: it makes network interfaces and routes");
		return SUPERVISOR_FAILED;
	}
	if (!user_check(program->user, program->owns_files, &user))
		return SUPERVISOR_USAGE;
	supervisor->base = event_base_new();
	if (!capabilities_hide() || !supervisor->base ||
	    !channels_open(&supervisor->channels, supervisor->base))
		return SUPERVISOR_FAILED;
	return SUPERVISOR_OK;
}

struct supervisor *supervisor_new(const struct program *program,
				  const struct supervisor_events *events, void *arg, int *status)
{
	struct supervisor *supervisor = calloc(1, sizeof(*supervisor));

	*status = SUPERVISOR_FAILED;
	if (!supervisor)
		return NULL;
	supervisor->program = program;
	supervisor->events = *events;
	supervisor->arg = arg;
	supervisor->status = SUPERVISOR_FAILED;
	supervisor->notify.socket = -1;
	supervisor->channels = (struct channels){.program = program,
						 .closed = supervisor_on_closed,
						 .arg = supervisor,
						 .handlers_arg = arg};
	channels_init(&supervisor->channels);
	*status = supervisor_begin(supervisor);
	if (*status == SUPERVISOR_OK)
		return supervisor;
	supervisor_stop(supervisor);
	supervisor_free(supervisor);
	return NULL;
}

bool supervisor_claim(struct supervisor *supervisor)
{
	return pid_file_claim(supervisor->program->pidfile, &supervisor->pidfile);
}

bool supervisor_listen(struct supervisor *supervisor, int *fd)
{
	const char *path = supervisor->program->socket;

	*fd = path ? ctl_listen_open(path, &supervisor->socket) : -1;
	return !path || *fd >= 0;
}

bool supervisor_daemonize(struct supervisor *supervisor)
{
	if (supervisor->program->daemon) {
		/* Keeps the directory: the command line may contain relative paths. */
		if (daemon(1, 0) == -1 || event_reinit(supervisor->base) == -1) {
			log_warn("cannot become a daemon");
			return false;
		}
		log_to_syslog();
	}
	pid_file_write(supervisor->pidfile);
	(void)signal(SIGPIPE, SIG_IGN);
	setproctitle("monitor");
	supervisor->service = service_new(supervisor->base, &supervisor->notify);
	return supervisor->service && signals_take(&supervisor->signals, supervisor->base,
						   supervisor_on_signal, supervisor);
}

int supervisor_run(struct supervisor *supervisor)
{
	/* event_base_dispatch() forgets a loopbreak from before it started. */
	if (!supervisor->ending)
		(void)event_base_dispatch(supervisor->base);
	return supervisor->status;
}

void supervisor_stop(struct supervisor *supervisor)
{
	ctl_listen_remove(&supervisor->socket);
	channels_close(&supervisor->channels);
	children_end(supervisor->children);
	supervisor->children = NULL;
	/* A signal now asks for what is being done, and must not interrupt it. */
	signals_leave(&supervisor->signals);
}

void supervisor_free(struct supervisor *supervisor)
{
	if (!supervisor)
		return;
	pid_file_remove(supervisor->pidfile);
	service_free(supervisor->service);
	if (supervisor->base)
		event_base_free(supervisor->base);
	notify_close(&supervisor->notify);
	free(supervisor);
}

struct event_base *supervisor_base(const struct supervisor *supervisor)
{
	return supervisor->base;
}

struct children *supervisor_children(const struct supervisor *supervisor)
{
	return supervisor->children;
}

struct service *supervisor_service(const struct supervisor *supervisor)
{
	return supervisor->service;
}

bool supervisor_is_ending(const struct supervisor *supervisor)
{
	return supervisor->ending;
}

void supervisor_send(struct supervisor *supervisor, size_t place, uint32_t type, const void *body,
		     size_t size, int fd)
{
	int error;

	if (!supervisor->channels.root[place]) {
		if (fd != -1)
			close(fd);
		return;
	}
	error = ipc_send(supervisor->channels.root[place], type, body, size, fd);
	if (error)
		supervisor_fail(supervisor, "cannot send to %s: %s",
				supervisor->program->processes[place].name, strerror(-error));
}

void supervisor_log_debug(struct supervisor *supervisor, bool debug)
{
	const struct program *program = supervisor->program;

	log_set_debug(debug);
	for (size_t i = 0; i < program->n_processes; i++) {
		if (program->processes[i].kind != PROCESS_GUARD)
			supervisor_send(supervisor, i, debug ? IPC_DEBUG : IPC_INFO, NULL, 0, -1);
	}
}

size_t supervisor_backlog(const struct supervisor *supervisor, size_t place)
{
	return supervisor->channels.root[place] ? ipc_backlog(supervisor->channels.root[place]) : 0;
}

void supervisor_close(struct supervisor *supervisor, size_t place)
{
	ipc_free(&supervisor->channels.root[place]);
}

void supervisor_end(struct supervisor *supervisor, int status)
{
	if (supervisor->ending)
		return;
	supervisor->ending = true;
	supervisor->status = status;
	/* Nothing runs yet: supervisor_run() will return at once. */
	if (!supervisor->service)
		return;
	if (supervisor->events.end)
		supervisor->events.end(status, supervisor->arg);
	else
		supervisor_leave(supervisor);
	service_stopping(supervisor->service);
}

void supervisor_fail(struct supervisor *supervisor, const char *format, ...)
{
	struct log_record record;
	char text[300];
	va_list ap;

	va_start(ap, format);
	(void)vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	log_record_begin(&record, LOG_WARNING, "ending", "%s; ending", text);
	log_record_text(&record, "reason", "%s", text);
	record.told = true;
	log_event(&record);
	supervisor_end(supervisor, SUPERVISOR_FAILED);
}

void supervisor_leave(struct supervisor *supervisor)
{
	(void)event_base_loopbreak(supervisor->base);
}
