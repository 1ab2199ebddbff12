/* SPDX-License-Identifier: BSD-2-Clause */
#include "netconf/ruleset.h"

#include "base/clock.h"
#include "netconf/launch.h"
#include "netconf/program.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* A longer one is not read, and nft is not waited for any longer. */
enum { RULESET_MAX = 4 * 1024 * 1024, RULESET_PATIENCE_MS = 3000 };

/* Without counters, and without what is in named sets. */
static char *const ruleset_words[] = {(char[]){"nft"},	(char[]){"-s"},	     (char[]){"-t"},
				      (char[]){"list"}, (char[]){"ruleset"}, NULL};
static char *const ruleset_environment[] = {(char[]){"PATH=/usr/sbin:/usr/bin:/sbin:/bin"},
					    (char[]){"LC_ALL=C"}, NULL};

static int ruleset_spawn(const char *program, int output, pid_t *pid)
{
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	int error = launch_begin(&attributes, &actions, 0);

	if (error)
		return error;
	error = posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
	if (!error)
		error = posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
	if (!error)
		error = posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null",
							 O_WRONLY, 0);
	if (!error)
		error = posix_spawn(pid, program, &actions, &attributes, ruleset_words,
				    ruleset_environment);
	launch_end(&attributes, &actions);
	return error;
}

/* All that comes until the end; NULL if it is too much or takes too long. */
static char *ruleset_collect(int fd)
{
	const int64_t deadline = clock_ms() + RULESET_PATIENCE_MS;
	char *text = NULL;
	size_t room = 0;
	size_t len = 0;

	for (;;) {
		struct pollfd ready = {.fd = fd, .events = POLLIN};
		int64_t left = deadline - clock_ms();
		ssize_t n;

		if (room - len < 4096) {
			size_t more = room ? 2 * room : 16384;
			char *grown = more > RULESET_MAX ? NULL : realloc(text, more);

			if (!grown)
				break;
			text = grown;
			room = more;
		}
		if (left <= 0 || poll(&ready, 1, (int)left) < 1)
			break;
		n = read(fd, text + len, room - len - 1);
		if (n == -1)
			break;
		if (n == 0) {
			text[len] = '\0';
			return text;
		}
		len += (size_t)n;
	}
	free(text);
	return NULL;
}

char *ruleset_read(void)
{
	char program[PROGRAM_PATH_SIZE];
	char *text = NULL;
	int error;
	int status = 0;
	int fds[2];
	pid_t pid = 0;

	if (!program_find("nft", program) || pipe2(fds, O_CLOEXEC) == -1)
		return NULL;
	error = ruleset_spawn(program, fds[1], &pid);
	close(fds[1]);
	if (!error) {
		text = ruleset_collect(fds[0]);
		if (!text)
			(void)kill(pid, SIGKILL);
		while (waitpid(pid, &status, 0) == -1 && errno == EINTR)
			;
		if (status != 0) {
			free(text);
			text = NULL;
		}
	}
	close(fds[0]);
	return text;
}
