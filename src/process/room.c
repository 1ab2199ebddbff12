/* SPDX-License-Identifier: BSD-2-Clause */
#include "process/room.h"

#include "base/log.h"

#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Most descriptors that a room is given, and where they are parked while they are put in order. */
enum { ROOM_FDS_MAX = 4, ROOM_FD_PARK = 64 };

static const char room_option[] = "--room=";

void room_title_init(int argc, char **argv)
{
	char *name = strdup(argv[0]);

	setproctitle_init(argc, argv, environ);
	/* The one argument that is left in the memory that a title is written to. */
	if (name)
		argv[0] = name;
}

const char *room_name(int *argc, char **argv)
{
	size_t len = sizeof(room_option) - 1;

	if (*argc < 2 || strncmp(argv[1], room_option, len) != 0)
		return NULL;
	const char *name = argv[1] + len;

	for (int i = 1; i < *argc; i++)
		argv[i] = argv[i + 1];
	(*argc)--;
	return name;
}

/* In the child. Only what may be called between fork and exec. */
static void room_exec(char *const argv[], const int fds[], size_t n_fds, int log)
{
	int parked[ROOM_FDS_MAX];
	int parked_log = -1;

	/* A descriptor that dup2() finds in its own place would keep close-on-exec. */
	for (size_t i = 0; i < n_fds; i++) {
		parked[i] = fcntl(fds[i], F_DUPFD_CLOEXEC, ROOM_FD_PARK);
		if (parked[i] == -1)
			return;
	}
	if (log != -1 && (parked_log = fcntl(log, F_DUPFD_CLOEXEC, ROOM_FD_PARK)) == -1)
		return;
	for (size_t i = 0; i < n_fds; i++) {
		if (dup2(parked[i], ROOM_FD + (int)i) == -1)
			return;
	}
	int null = open("/dev/null", O_RDWR);

	if (null == -1 || dup2(null, STDIN_FILENO) == -1)
		return;
	/* Last: until here what goes wrong is said to whom started us. */
	if (log != -1 && (dup2(null, STDOUT_FILENO) == -1 || dup2(parked_log, STDERR_FILENO) == -1))
		return;
	closefrom(ROOM_FD + (int)n_fds);
	execv("/proc/self/exe", argv);
}

pid_t room_spawn(const char *name, int argc, char *const argv[], const int fds[], size_t n_fds,
		 int log)
{
	char option[32];
	sigset_t none;

	if (n_fds > ROOM_FDS_MAX)
		return -EINVAL;
	(void)snprintf(option, sizeof(option), "%s%s", room_option, name);

	char **room_argv = calloc((size_t)argc + 2, sizeof(*room_argv));

	if (!room_argv)
		return -ENOMEM;
	room_argv[0] = argv[0];
	room_argv[1] = option;
	for (int i = 1; i < argc; i++)
		room_argv[i + 1] = argv[i];

	pid_t pid = fork();

	if (pid == 0) {
		sigemptyset(&none);
		(void)sigprocmask(SIG_SETMASK, &none, NULL);
		room_exec(room_argv, fds, n_fds, log);
		log_warn("cannot start the room %s", name);
		_exit(1);
	}
	int error = errno;

	free(room_argv);
	return pid == -1 ? -error : pid;
}

const char *room_user(const char *name)
{
	static const char *const candidates[] = {ROOM_USERS};

	if (name)
		return getpwnam(name) ? name : NULL;
	for (size_t i = 0; i < sizeof(candidates) / sizeof(candidates[0]); i++) {
		if (getpwnam(candidates[i]))
			return candidates[i];
	}
	return NULL;
}

bool room_user_check(const char *name)
{
	if (room_user(name))
		return true;
	log_warnx("no user %s to run as; name one with --user", name ? name : "_dtcp or nobody");
	return false;
}

/* What libevent has to say is in our own words, too. */
static void room_on_libevent(int severity, const char *text)
{
	(void)severity;
	log_debug("%s", text);
}

void room_begin(const char *program, const char *name, bool debug)
{
	static const int monitors[] = {SIGINT, SIGTERM, SIGHUP, SIGUSR1, SIGUSR2, SIGPIPE};

	log_init(program, name, debug);
	event_set_log_callback(room_on_libevent);
	setproctitle("%s", name);
	for (size_t i = 0; i < sizeof(monitors) / sizeof(monitors[0]); i++)
		(void)signal(monitors[i], SIG_IGN);
}
