/* SPDX-License-Identifier: BSD-2-Clause */
#include "process/children.h"

#include "base/log.h"
#include "process/capabilities.h"
#include "process/output.h"
#include "process/process.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* Largest number of descriptors of a child, and where they are parked while being reordered. */
enum { CHILDREN_FDS_MAX = PROCESS_MAX, CHILDREN_FD_PARK = 64 };

/* Two seconds in steps of ten milliseconds; and one more second for those that were killed. */
enum { CHILDREN_TICKS = 200, CHILDREN_TICKS_MAX = 300 };

struct child {
	const char *name;
	pid_t pid;
	struct output *output; /* its log; NULL: it logs by itself */
};

struct children {
	struct event_base *base;
	int argc;
	char *const *argv;
	children_ended ended;
	void *arg;
	struct event *child;
	struct child list[CHILDREN_MAX];
	size_t count;
};

static struct child *children_find(struct children *children, pid_t pid)
{
	for (size_t i = 0; i < children->count; i++) {
		if (children->list[i].pid == pid)
			return &children->list[i];
	}
	return NULL;
}

/* Returns its name, NULL if it is not in the list. */
static const char *children_forget(struct children *children, pid_t pid)
{
	struct child *child = children_find(children, pid);
	const char *name = child ? child->name : NULL;

	if (!child)
		return NULL;
	/* Its last lines come before the line about its end. */
	if (child->output)
		output_drain(child->output);
	output_free(child->output);
	*child = children->list[--children->count];
	return name;
}

/* Children reaped at once; more than can exist. */
enum { CHILDREN_REAPED = 16 };

static void children_on_child(evutil_socket_t fd, short what, void *arg)
{
	struct children *children = arg;
	int status[CHILDREN_REAPED];
	pid_t pid[CHILDREN_REAPED];
	size_t count = 0;

	(void)fd;
	(void)what;
	while (count < CHILDREN_REAPED && (pid[count] = waitpid(-1, &status[count], WNOHANG)) > 0)
		count++;
	/* A child that was killed is the cause if others have ended as a consequence. */
	for (int killed = 1; killed >= 0; killed--) {
		for (size_t i = 0; i < count; i++) {
			if (WIFSIGNALED(status[i]) == killed)
				children->ended(children_forget(children, pid[i]), pid[i],
						status[i], children->arg);
		}
	}
	/* There may be more. */
	if (count == CHILDREN_REAPED)
		event_active(children->child, EV_SIGNAL, 1);
}

struct children *children_new(struct event_base *base, int argc, char *const argv[],
			      children_ended ended, void *arg)
{
	struct children *children = calloc(1, sizeof(*children));

	if (!children)
		return NULL;
	children->base = base;
	children->argc = argc;
	children->argv = argv;
	children->ended = ended;
	children->arg = arg;
	children->child = evsignal_new(base, SIGCHLD, children_on_child, children);
	if (!children->child || evsignal_add(children->child, NULL) == -1) {
		free(children);
		return NULL;
	}
	return children;
}

/* In the child: only async-signal-safe calls. */
static void children_exec(char *const argv[], const int fds[], size_t n_fds, int log)
{
	int parked[CHILDREN_FDS_MAX];
	int parked_log = -1;

	/* A descriptor that dup2() finds at its own number would keep close-on-exec. */
	for (size_t i = 0; i < n_fds; i++) {
		parked[i] = fcntl(fds[i], F_DUPFD_CLOEXEC, CHILDREN_FD_PARK);
		if (parked[i] == -1)
			return;
	}
	if (log != -1 && (parked_log = fcntl(log, F_DUPFD_CLOEXEC, CHILDREN_FD_PARK)) == -1)
		return;
	for (size_t i = 0; i < n_fds; i++) {
		if (dup2(parked[i], PROCESS_FD + (int)i) == -1)
			return;
	}
	int null = open("/dev/null", O_RDWR);

	if (null == -1 || dup2(null, STDIN_FILENO) == -1)
		return;
	/* Last: until here errors are reported to the terminal. */
	if (log != -1 && (dup2(null, STDOUT_FILENO) == -1 || dup2(parked_log, STDERR_FILENO) == -1))
		return;
	closefrom(PROCESS_FD + (int)n_fds);
	execv("/proc/self/exe", argv);
}

/* Forks and executes this program again as that process. Returns its process id or -errno. */
static pid_t children_fork(const struct children *children, char *option, const int fds[],
			   size_t n_fds, int log)
{
	char **argv = calloc((size_t)children->argc + 2, sizeof(*argv));
	sigset_t none;

	if (!argv)
		return -ENOMEM;
	argv[0] = children->argv[0];
	argv[1] = option;
	for (int i = 1; i < children->argc; i++)
		argv[i + 1] = children->argv[i];

	pid_t pid = fork();

	if (pid == 0) {
		sigemptyset(&none);
		(void)sigprocmask(SIG_SETMASK, &none, NULL);
		children_exec(argv, fds, n_fds, log);
		log_warn("cannot execute this program again");
		_exit(1);
	}
	int error = errno;

	free(argv);
	return pid == -1 ? -error : pid;
}

pid_t children_start(struct children *children, const char *name, int number, bool logs,
		     const int fds[], size_t n_fds)
{
	struct child *child = &children->list[children->count];
	struct output *output = NULL;
	char option[40];
	pid_t pid = -EMFILE;
	int log = -1;

	(void)snprintf(option, sizeof(option), number < 0 ? "%s%s" : "%s%s%d", PROCESS_OPTION, name,
		       number);
	if (!logs && children->count < CHILDREN_MAX)
		output = output_new(children->base, name, true, &log);
	/* If this process is busy, the child continues and its lines are lost. */
	if (children->count < CHILDREN_MAX && n_fds <= CHILDREN_FDS_MAX &&
	    (logs || (output && evutil_make_socket_nonblocking(log) == 0)))
		pid = children_fork(children, option, fds, n_fds, log);
	for (size_t i = 0; i < n_fds; i++)
		close(fds[i]);
	if (log != -1)
		close(log);
	if (pid < 0) {
		errno = -pid;
		log_warn("cannot start the process %s", name);
		output_free(output);
		return pid;
	}
	*child = (struct child){name, pid, output};
	children->count++;
	return pid;
}

void children_kill(struct children *children, pid_t pid)
{
	struct child *child = children_find(children, pid);

	if (!child)
		return;
	capabilities_kill(pid);
	output_let_go(child->output);
	*child = children->list[--children->count];
}

void children_end(struct children *children)
{
	const struct timespec tick = {.tv_nsec = 10000000};

	if (!children)
		return;
	event_free(children->child);
	for (int ticks = 0; children->count > 0; ticks++) {
		int status;
		pid_t pid = waitpid(-1, &status, WNOHANG);

		if (pid > 0) {
			const char *name = children_forget(children, pid);

			/* It may be the cause, although another's end was noticed first. */
			if (name && WIFSIGNALED(status) && ticks < CHILDREN_TICKS)
				log_warnx("room %s: %s", name, children_status_text(status));
			continue;
		}
		if ((pid == -1 && errno == ECHILD) || ticks == CHILDREN_TICKS_MAX)
			break;
		for (size_t i = 0; i < children->count && ticks == CHILDREN_TICKS; i++) {
			log_warnx("room %s does not end, killed", children->list[i].name);
			capabilities_kill(children->list[i].pid);
		}
		(void)nanosleep(&tick, NULL);
	}
	while (children->count > 0)
		(void)children_forget(children, children->list[0].pid);
	free(children);
}

bool children_is_consequence(int status)
{
	return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

const char *children_status_text(int status)
{
	static char text[80];

	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS)
		(void)snprintf(text, sizeof(text), "killed by its sandbox (signal %d, SIGSYS)",
			       SIGSYS);
	else if (WIFSIGNALED(status))
		(void)snprintf(text, sizeof(text), "killed by signal %d", WTERMSIG(status));
	else
		(void)snprintf(text, sizeof(text), "exit status %d", WEXITSTATUS(status));
	return text;
}
