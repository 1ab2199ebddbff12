/* SPDX-License-Identifier: BSD-2-Clause */
#include "process/supervisor.h"

#include "base/log.h"
#include "base/loop.h"
#include "process/daemonize.h"
#include "process/notify.h"

#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/wait.h>
#include <unistd.h>

static const int supervisor_signals[] = {SIGHUP, SIGINT, SIGTERM, SIGUSR1};
enum { SUPERVISOR_SIGNALS = sizeof(supervisor_signals) / sizeof(supervisor_signals[0]) };

/* How long the real cause of a process's end may take to show, and a process to end when told. */
static const struct timeval supervisor_grace = {.tv_sec = 1};
static const struct timeval supervisor_patience = {.tv_sec = 10};

/* A message that waits for its process to be started. */
struct supervisor_kept {
	STAILQ_ENTRY(supervisor_kept) next;
	size_t place;
	uint32_t type;
	int fd;
	size_t size;
	unsigned char body[];
};

struct supervisor {
	const struct program *program;
	struct supervisor_events events;
	void *arg;
	struct notify notify;
	struct pidfh *pidfile;
	STAILQ_HEAD(, supervisor_kept) kept;
	struct event_base *base;
	struct service *service;
	struct event *signals[SUPERVISOR_SIGNALS];
	struct children *children;
	struct ipc *channels[PROCESS_MAX];
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
			log_warnx("room %s ended unexpectedly: %s; ending", name,
				  children_status_text(status));
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

/* One end each of all channels between two processes, or root's and one: of [i][j] that of i. */
struct supervisor_ends {
	int root[PROCESS_MAX][2]; /* ours and that of the process */
	int peers[PROCESS_MAX][PROCESS_MAX];
};

static bool supervisor_make_ends(const struct supervisor *supervisor, struct supervisor_ends *ends)
{
	const struct program *program = supervisor->program;

	for (size_t i = 0; i < program->n_processes; i++) {
		if (process_wanted(program, i) && ipc_pair(ends->root[i]))
			return false;
		for (size_t j = 0; j < i; j++) {
			int pair[2];

			if (!process_linked(program, i, j))
				continue;
			if (ipc_pair(pair))
				return false;
			ends->peers[i][j] = pair[0];
			ends->peers[j][i] = pair[1];
		}
	}
	return true;
}

/* What process_run() expects to find, in this order. */
static bool supervisor_start_one(struct supervisor *supervisor, size_t place,
				 const struct supervisor_ends *ends)
{
	const struct program *program = supervisor->program;
	const struct process *process = &program->processes[place];
	const struct process_rows *rows = process->rows;
	int fds[PROCESS_MAX + 1];
	size_t n_fds = 0;

	fds[n_fds++] = ends->root[place][1];
	for (size_t i = 0; i < program->n_processes; i++) {
		if (process_linked(program, place, i))
			fds[n_fds++] = ends->peers[place][i];
	}
	if (children_start(supervisor->children, process->name, -1, process->kind == PROCESS_GUARD,
			   fds, n_fds) < 0)
		return false;
	supervisor->channels[place] = ipc_new(supervisor->base, ends->root[place][0], process->name,
					      rows ? rows->list : NULL, rows ? rows->count : 0,
					      supervisor_on_closed, supervisor);
	if (!supervisor->channels[place])
		return false;
	ipc_set_handlers_arg(supervisor->channels[place], supervisor->arg);
	if (process->kind != PROCESS_GUARD)
		service_watch(supervisor->service, process->name, &supervisor->channels[place]);
	return true;
}

bool supervisor_keep(struct supervisor *supervisor, size_t place, uint32_t type, const void *body,
		     size_t size, int fd)
{
	struct supervisor_kept *kept = malloc(sizeof(*kept) + size);

	if (!kept) {
		log_warnx("out of memory");
		if (fd != -1)
			close(fd);
		return false;
	}
	*kept = (struct supervisor_kept){.place = place, .type = type, .fd = fd, .size = size};
	if (size > 0)
		memcpy(kept->body, body, size);
	STAILQ_INSERT_TAIL(&supervisor->kept, kept, next);
	return true;
}

/* Sends what was kept, or only takes it away. */
static void supervisor_empty(struct supervisor *supervisor, bool send)
{
	struct supervisor_kept *kept;

	while ((kept = STAILQ_FIRST(&supervisor->kept))) {
		STAILQ_REMOVE_HEAD(&supervisor->kept, next);
		if (send)
			supervisor_send(supervisor, kept->place, kept->type, kept->body, kept->size,
					kept->fd);
		else if (kept->fd != -1)
			close(kept->fd);
		explicit_bzero(kept->body, kept->size);
		free(kept);
	}
}

void supervisor_hand_over(struct supervisor *supervisor)
{
	supervisor_empty(supervisor, true);
}

bool supervisor_start(struct supervisor *supervisor, int argc, char *const argv[])
{
	const struct program *program = supervisor->program;
	struct supervisor_ends ends;

	supervisor->children =
		children_new(supervisor->base, argc, argv, supervisor_on_child, supervisor);
	if (!supervisor->children)
		return false;
	if (!supervisor_make_ends(supervisor, &ends)) {
		log_warn("cannot make a socket pair");
		return false;
	}
	for (size_t i = 0; i < program->n_processes; i++) {
		if (process_wanted(program, i) && !supervisor_start_one(supervisor, i, &ends))
			return false;
	}
	/* The processes need more than that, to give it up themselves. */
	return capabilities_limit(program->keeps, program->scripts);
}

/* --- the way into the background, and the end --------------------------------------------- */

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
	STAILQ_INIT(&supervisor->kept);
	/* Until there is a loop to take them in; what else was blocked would never be heard of. */
	supervisor_mask(SIG_SETMASK);
	if (!daemonize_begin())
		goto failed;
	notify_open(&supervisor->notify);
	if (geteuid() != 0) {
		log_warnx("must be run as root: it makes network interfaces and routes");
		goto failed;
	}
	if (!process_user_check(program->user)) {
		*status = SUPERVISOR_USAGE;
		goto failed;
	}
	if (capabilities_hide())
		return supervisor;
failed:
	supervisor_free(supervisor);
	return NULL;
}

bool supervisor_claim(struct supervisor *supervisor)
{
	return daemonize_claim(supervisor->program->pidfile, &supervisor->pidfile);
}

bool supervisor_daemonize(struct supervisor *supervisor)
{
	if (!daemonize(supervisor->pidfile, supervisor->program->daemon))
		return false;
	(void)signal(SIGPIPE, SIG_IGN);
	setproctitle("monitor");
	supervisor->base = event_base_new();
	if (!supervisor->base)
		return false;
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

	for (size_t i = 0; i < program->n_processes; i++) {
		if (program->processes[i].kind != PROCESS_GUARD)
			ipc_free(&supervisor->channels[i]);
	}
	for (size_t i = 0; i < program->n_processes; i++) {
		if (supervisor->channels[i])
			ipc_flush(supervisor->channels[i], 1000);
		ipc_free(&supervisor->channels[i]);
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
	daemonize_end(supervisor->pidfile);
	supervisor_empty(supervisor, false);
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
	if (supervisor->events.end)
		supervisor->events.end(status, supervisor->arg);
	else
		supervisor_leave(supervisor);
	service_stopping(supervisor->service);
}

void supervisor_fail(struct supervisor *supervisor, const char *format, ...)
{
	char text[300];
	va_list ap;

	va_start(ap, format);
	(void)vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	log_warnx("%s; ending", text);
	supervisor_end(supervisor, SUPERVISOR_FAILED);
}

void supervisor_leave(struct supervisor *supervisor)
{
	(void)event_base_loopbreak(supervisor->base);
}
