/* SPDX-License-Identifier: BSD-2-Clause */
#include "process/process.h"

#include "base/log.h"
#include "ctl/listen.h"
#include "process/pid_file.h"

#include <errno.h>
#include <event2/event.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

enum { PROCESS_FAILED = 1 };

static const char process_option[] = PROCESS_OPTION;

void process_title_init(int argc, char **argv)
{
	char *name = strdup(argv[0]);

	setproctitle_init(argc, argv, environ);
	/* The only argument left in the memory that titles overwrite. */
	if (name)
		argv[0] = name;
}

const char *process_name(int *argc, char **argv)
{
	size_t len = sizeof(process_option) - 1;

	if (*argc < 2 || strncmp(argv[1], process_option, len) != 0)
		return NULL;
	const char *name = argv[1] + len;

	for (int i = 1; i < *argc; i++)
		argv[i] = argv[i + 1];
	(*argc)--;
	return name;
}

/* Failures of libevent are logged by our own code. */
static void process_on_libevent(int severity, const char *text)
{
	(void)severity;
	log_debug("%s", text);
}

/* First: title, log, and ignoring signals that only the root process handles. */
static void process_begin(const struct program *program, const struct process *process)
{
	static const int roots[] = {SIGINT, SIGTERM, SIGHUP, SIGUSR1, SIGUSR2, SIGPIPE};

	log_init(program->name, process->name, program->debug);
	event_set_log_callback(process_on_libevent);
	setproctitle("%s", process->name);
	/* Sets the short name for process lists, after executing /proc/self/exe. */
	(void)prctl(PR_SET_NAME, program->name);
	for (size_t i = 0; i < sizeof(roots) / sizeof(roots[0]); i++)
		(void)signal(roots[i], SIG_IGN);
}

bool process_wanted(const struct program *program, size_t place)
{
	const struct process *process = &program->processes[place];

	return process->kind != PROCESS_ON_DEMAND &&
	       (!process->wanted || process->wanted(program->options));
}

bool process_linked(const struct program *program, size_t one, size_t other)
{
	uint32_t either =
		program->processes[one].peers >> other | program->processes[other].peers >> one;

	return (either & 1) != 0 && process_wanted(program, one) && process_wanted(program, other);
}

/* The row of that name, which is followed by a number if the process is started on demand. */
static const struct process *process_find(const struct program *program, const char *name,
					  unsigned int *number)
{
	*number = 0;
	for (size_t i = 0; i < program->n_processes; i++) {
		const struct process *process = &program->processes[i];
		size_t len = strlen(process->name);
		const char *error = NULL;

		if (strncmp(name, process->name, len) != 0)
			continue;
		if (process->kind != PROCESS_ON_DEMAND && name[len] == '\0')
			return process;
		if (process->kind != PROCESS_ON_DEMAND || name[len] < '0' || name[len] > '9')
			continue;
		*number = (unsigned int)strtonum(name + len, 0, INT32_MAX, &error);
		if (!error)
			return process;
	}
	return NULL;
}

/* As passed by the root process (supervisor.c). */
static void process_channels(const struct program *program, const struct process *process,
			     struct process_self *self)
{
	int next = PROCESS_FD;

	self->root = next++;
	for (size_t i = 0; i < PROCESS_MAX; i++) {
		bool there = i < program->n_processes &&
			     process_linked(program, (size_t)(process - program->processes), i);

		self->peers[i] = there ? next++ : -1;
	}
}

void process_await_end(const struct process_self *self)
{
	char octet;

	while (read(self->root, &octet, 1) == -1 && errno == EINTR)
		;
}

/* Waits for the end of the root process, and removes its files if that did not. */
static int process_guard(const struct program *program, const struct process *process,
			 const struct process_self *self)
{
	struct ctl_listen socket = {.path = ""};
	pid_t root = ipc_maker(self->root);
	int status;

	if (program->socket)
		ctl_listen_take(program->socket, PROCESS_FD + 1, &socket);
	/* It has to outlive root's process, to which the others log. */
	if (program->daemon)
		log_to_syslog();
	if (!capabilities_hide() || !capabilities_limit(process->keeps, program->scripts))
		return PROCESS_FAILED;
	status = process->run(self);
	ctl_listen_remove(&socket);
	pid_file_sweep(program->pidfile, root);
	return status;
}

int process_run(const struct program *program, const char *name)
{
	struct process_self self = {.options = program->options};
	const struct process *process = process_find(program, name, &self.number);

	if (!process) {
		log_warnx("there is no process %s", name);
		return PROCESS_FAILED;
	}
	process_begin(program, process);
	process_channels(program, process, &self);
	if (process->kind == PROCESS_GUARD)
		return process_guard(program, process, &self);

	struct sandbox sandbox = {
		.kind = process->sandbox,
		.folder = process->folder ? process->folder(program->options) : NULL,
		.files = program->files,
	};

	log_to_root();
	if (!user_check(program->user, program->owns_files, &sandbox.user))
		return PROCESS_FAILED;
	if (process->prepare && !process->prepare(&self))
		return PROCESS_FAILED;
	sandbox_enter(&sandbox);
	return process->run(&self);
}
