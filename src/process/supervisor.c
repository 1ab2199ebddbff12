/* SPDX-License-Identifier: BSD-2-Clause */
#include "process/supervisor.h"

#include "base/log.h"
#include "base/loop.h"
#include "ctl/listen.h"
#include "process/notify.h"

#include <errno.h>
#include <fcntl.h>
#include <libutil.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static const int supervisor_signals[] = {SIGHUP, SIGINT, SIGTERM, SIGUSR1, SIGUSR2};
enum { SUPERVISOR_SIGNALS = sizeof(supervisor_signals) / sizeof(supervisor_signals[0]) };

/* How long the real cause of a process's end may take to show, and a process to end when told. */
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
	struct event *signals[SUPERVISOR_SIGNALS];
	struct children *children;
	struct ipc *channels[PROCESS_MAX];
	/* Until it is started, what a process will find: its ends of channels to others; at its own
	 * place that to us. */
	int ends[PROCESS_MAX][PROCESS_MAX];
	bool stopping; /* the program was told to end */
	bool ending;   /* status is the exit status */
	int status;
};

/* --- signals ------------------------------------------------------------------------------ */

static void supervisor_mask(int how)
{
	sigset_t set;

	sigemptyset(&set);
	for (size_t i = 0; i < SUPERVISOR_SIGNALS; i++)
		sigaddset(&set, supervisor_signals[i]);
	(void)sigprocmask(how, &set, NULL);
}

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

static void supervisor_end_later(struct supervisor *supervisor, const struct timeval *wait)
{
	loop_once(supervisor->base, wait, supervisor_on_late, supervisor);
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
		supervisor_end_later(supervisor, &supervisor_patience);
	}
}

static bool supervisor_take_signals(struct supervisor *supervisor)
{
	for (size_t i = 0; i < SUPERVISOR_SIGNALS; i++) {
		supervisor->signals[i] = evsignal_new(supervisor->base, supervisor_signals[i],
						      supervisor_on_signal, supervisor);
		if (!supervisor->signals[i] || evsignal_add(supervisor->signals[i], NULL) == -1)
			return false;
	}
	supervisor_mask(SIG_UNBLOCK);
	return true;
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
		supervisor_end_later(supervisor, &supervisor_grace);
	} else {
		if (!supervisor->ending)
			supervisor_tell_end(name, status);
		supervisor_end(supervisor, SUPERVISOR_FAILED);
	}
}

/* The end of a process is reported by its exit; only a violation is acted upon here. */
static void supervisor_on_closed(struct ipc *ipc, bool violated, void *arg)
{
	(void)ipc;
	if (violated)
		supervisor_end(arg, SUPERVISOR_FAILED);
}

/* Makes the channel between us and a process. False after logging. */
static bool supervisor_open(struct supervisor *supervisor, size_t place)
{
	const struct process *process = &supervisor->program->processes[place];
	const struct process_rows *rows = process->rows;
	int pair[2];

	if (ipc_pair(pair)) {
		log_warn("cannot make a socket pair");
		return false;
	}
	supervisor->ends[place][place] = pair[1];
	supervisor->channels[place] =
		ipc_new(supervisor->base, pair[0], process->name, rows ? rows->list : NULL,
			rows ? rows->count : 0, supervisor_on_closed, supervisor);
	if (!supervisor->channels[place]) {
		log_warnx("out of memory");
		close(pair[0]);
		return false;
	}
	ipc_set_handlers_arg(supervisor->channels[place], supervisor->arg);
	if (process->batched)
		ipc_batch(supervisor->channels[place]);
	return true;
}

/* The channels between those that have one to each other. False after logging. */
static bool supervisor_link(struct supervisor *supervisor)
{
	size_t count = supervisor->program->n_processes;
	int pair[2];

	for (size_t i = 0; i < count; i++) {
		for (size_t j = 0; j < i; j++) {
			if (!process_linked(supervisor->program, i, j))
				continue;
			if (ipc_pair(pair)) {
				log_warn("cannot make a socket pair");
				return false;
			}
			supervisor->ends[i][j] = pair[0];
			supervisor->ends[j][i] = pair[1];
		}
	}
	return true;
}

/* With the descriptors that process_run() expects, in this order. False after logging. */
static bool supervisor_start_one(struct supervisor *supervisor, size_t place)
{
	const struct process *process = &supervisor->program->processes[place];
	bool guard = process->kind == PROCESS_GUARD;
	int fds[PROCESS_MAX];
	size_t n_fds = 0;

	/* A guard knows us by who has made its channel, so it must not be from before the fork. */
	if (guard && !supervisor_open(supervisor, place))
		return false;
	fds[n_fds++] = supervisor->ends[place][place];
	supervisor->ends[place][place] = -1;
	for (size_t i = 0; i < PROCESS_MAX; i++) {
		if (supervisor->ends[place][i] != -1)
			fds[n_fds++] = supervisor->ends[place][i];
		supervisor->ends[place][i] = -1;
	}
	if (guard && supervisor->socket.path[0] != '\0')
		fds[n_fds++] = fcntl(supervisor->socket.file, F_DUPFD_CLOEXEC, 0);
	if (children_start(supervisor->children, process->name, -1, guard, fds, n_fds) < 0)
		return false;
	if (!guard)
		service_watch(supervisor->service, process->name, &supervisor->channels[place]);
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
	/* The processes need more than that, to give it up themselves. */
	return capabilities_limit(program->keeps, program->scripts);
}

/* --- the way into the background, and the end --------------------------------------------- */

/*
 * Standard input, output and error that whoever started us has closed become /dev/null. What we
 * open would else take their places, and daemon(3) would replace it. False after logging.
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

	/* Until there is a loop to take them in; what else was blocked would never be heard of. */
	supervisor_mask(SIG_SETMASK);
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
	if (!capabilities_hide() || !supervisor->base || !supervisor_link(supervisor))
		return SUPERVISOR_FAILED;
	for (size_t i = 0; i < program->n_processes; i++) {
		if (process_wanted(program, i) && program->processes[i].kind != PROCESS_GUARD &&
		    !supervisor_open(supervisor, i))
			return SUPERVISOR_FAILED;
	}
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
	memset(supervisor->ends, -1, sizeof(supervisor->ends));
	*status = supervisor_begin(supervisor);
	if (*status == SUPERVISOR_OK)
		return supervisor;
	supervisor_stop(supervisor);
	supervisor_free(supervisor);
	return NULL;
}

bool supervisor_claim(struct supervisor *supervisor)
{
	const char *path = supervisor->program->pidfile;
	pid_t other = 0;

	if (!path)
		return true;
	supervisor->pidfile = pidfile_open(path, 0644, &other);
	if (!supervisor->pidfile && errno == EEXIST)
		log_warnx("%s: running already, process %d", path, (int)other);
	else if (!supervisor->pidfile)
		log_warn("cannot write the pid file %s", path);
	return supervisor->pidfile;
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
		/* The directory stays: files named on the command line may be relative to it. */
		if (daemon(1, 0) == -1 || event_reinit(supervisor->base) == -1) {
			log_warn("cannot become a daemon");
			return false;
		}
		log_to_syslog();
	}
	if (supervisor->pidfile && pidfile_write(supervisor->pidfile) == -1)
		log_warn("cannot write the pid file");
	(void)signal(SIGPIPE, SIG_IGN);
	setproctitle("monitor");
	supervisor->service = service_new(supervisor->base, &supervisor->notify);
	return supervisor->service && supervisor_take_signals(supervisor);
}

int supervisor_run(struct supervisor *supervisor)
{
	/* What ends a loop before it begins is forgotten by it. */
	if (!supervisor->ending)
		(void)event_base_dispatch(supervisor->base);
	return supervisor->status;
}

void supervisor_stop(struct supervisor *supervisor)
{
	const struct program *program = supervisor->program;

	ctl_listen_remove(&supervisor->socket);
	for (size_t i = 0; i < program->n_processes; i++) {
		if (program->processes[i].kind != PROCESS_GUARD)
			ipc_free(&supervisor->channels[i]);
	}
	for (size_t i = 0; i < program->n_processes; i++) {
		if (supervisor->channels[i])
			ipc_flush(supervisor->channels[i], 1000);
		ipc_free(&supervisor->channels[i]);
		for (size_t j = 0; j < program->n_processes; j++) {
			if (supervisor->ends[i][j] != -1)
				close(supervisor->ends[i][j]);
			supervisor->ends[i][j] = -1;
		}
	}
	children_end(supervisor->children);
	supervisor->children = NULL;
	/* One that comes now asks for what is being done, and must not kill in the middle of it. */
	supervisor_mask(SIG_BLOCK);
	for (size_t i = 0; i < SUPERVISOR_SIGNALS; i++) {
		if (supervisor->signals[i])
			event_free(supervisor->signals[i]);
		supervisor->signals[i] = NULL;
	}
}

void supervisor_free(struct supervisor *supervisor)
{
	if (!supervisor)
		return;
	/* A guard may have been quicker. */
	if (supervisor->pidfile && pidfile_remove(supervisor->pidfile) == -1 && errno != ENOENT)
		log_warn("cannot remove the pid file");
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

	if (!supervisor->channels[place]) {
		if (fd != -1)
			close(fd);
		return;
	}
	error = ipc_send(supervisor->channels[place], type, body, size, fd);
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
	return supervisor->channels[place] ? ipc_backlog(supervisor->channels[place]) : 0;
}

void supervisor_close(struct supervisor *supervisor, size_t place)
{
	ipc_free(&supervisor->channels[place]);
}

void supervisor_end(struct supervisor *supervisor, int status)
{
	if (supervisor->ending)
		return;
	supervisor->ending = true;
	supervisor->status = status;
	/* There is nothing to end yet: supervisor_run() will return at once. */
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
