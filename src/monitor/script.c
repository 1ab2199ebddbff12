/* SPDX-License-Identifier: BSD-2-Clause */
#include "monitor/script.h"

#include "base/log.h"

#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* Octets of a line of a script that are shown. */
enum { SCRIPT_LINE_MAX = 1000 };

struct script {
	char *path;
	pid_t pid;
	struct event *timeout;
	script_done done;
	void *arg;
};

static void script_on_timeout(evutil_socket_t fd, short what, void *arg)
{
	struct script *script = arg;

	(void)fd;
	(void)what;
	log_warnx("%s: still running after %d s, killed", script->path, SCRIPT_TIMEOUT);
	script_kill(script);
}

pid_t script_pid(const struct script *script)
{
	return script->pid;
}

void script_kill(struct script *script)
{
	/* The whole group: a hanging script usually hangs in a child. */
	if (kill(-script->pid, SIGKILL) == -1 && errno != ESRCH)
		log_warn("%s: cannot kill process group %d", script->path, (int)script->pid);
}

/* What a script, or what it has started, says: a line in the log for each of its lines. */
struct script_output {
	char *path;
	struct bufferevent *stream;
};

static void script_output_free(struct script_output *output)
{
	if (output->stream)
		bufferevent_free(output->stream);
	free(output->path);
	free(output);
}

static void script_on_output(struct bufferevent *stream, void *arg)
{
	const struct script_output *output = arg;
	struct evbuffer *input = bufferevent_get_input(stream);
	char shown[1000];
	char *line;
	size_t len;

	while ((line = evbuffer_readln(input, &len, EVBUFFER_EOL_LF))) {
		log_info("%s: %s", output->path, log_escape(line, len, shown, sizeof(shown)));
		free(line);
	}
	/* The beginning of a line without end is enough. */
	if (evbuffer_get_length(input) >= SCRIPT_LINE_MAX)
		(void)evbuffer_drain(input, evbuffer_get_length(input));
}

static void script_on_output_end(struct bufferevent *stream, short what, void *arg)
{
	(void)stream;
	(void)what;
	script_output_free(arg);
}

/*
 * A pipe into the log; returns the end to write to, or -1. It lives until all who can write to it
 * have gone, which can be long after the script.
 */
static int script_open_output(struct event_base *base, const char *path)
{
	struct script_output *output = calloc(1, sizeof(*output));
	int pipe_fds[2] = {-1, -1};

	if (!output || pipe2(pipe_fds, O_CLOEXEC) == -1)
		goto failed;
	output->path = strdup(path);
	if (!output->path || evutil_make_socket_nonblocking(pipe_fds[0]) == -1)
		goto failed;
	output->stream = bufferevent_socket_new(base, pipe_fds[0], BEV_OPT_CLOSE_ON_FREE);
	if (!output->stream)
		goto failed;
	bufferevent_setcb(output->stream, script_on_output, NULL, script_on_output_end, output);
	bufferevent_setwatermark(output->stream, EV_READ, 0, SCRIPT_LINE_MAX);
	(void)bufferevent_enable(output->stream, EV_READ);
	return pipe_fds[1];
failed:
	if (pipe_fds[0] != -1) {
		close(pipe_fds[0]);
		close(pipe_fds[1]);
	}
	if (output)
		script_output_free(output);
	return -1;
}

static int script_spawn(struct script *script, int output, char *const environment[])
{
	char *const argv[] = {script->path, NULL};
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	sigset_t all;
	sigset_t none;
	int error = posix_spawnattr_init(&attributes);

	if (error)
		return error;
	error = posix_spawn_file_actions_init(&actions);
	if (error) {
		(void)posix_spawnattr_destroy(&attributes);
		return error;
	}
	sigfillset(&all);
	sigemptyset(&none);
	(void)posix_spawnattr_setsigdefault(&attributes, &all);
	(void)posix_spawnattr_setsigmask(&attributes, &none);
	(void)posix_spawnattr_setpgroup(&attributes, 0);
	error = posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF |
							      POSIX_SPAWN_SETSIGMASK |
							      POSIX_SPAWN_SETPGROUP);
	if (!error && output != -1)
		error = posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
	if (!error && output != -1)
		error = posix_spawn_file_actions_adddup2(&actions, output, STDERR_FILENO);
	if (!error)
		error = posix_spawn(&script->pid, script->path, &actions, &attributes, argv,
				    environment);
	(void)posix_spawn_file_actions_destroy(&actions);
	(void)posix_spawnattr_destroy(&attributes);
	return error;
}

static void script_free(struct script *script)
{
	if (script->timeout)
		event_free(script->timeout);
	free(script->path);
	free(script);
}

struct script *script_start(struct event_base *base, const char *path, char *const environment[],
			    script_done done, void *arg)
{
	const struct timeval timeout = {.tv_sec = SCRIPT_TIMEOUT};
	struct script *script = calloc(1, sizeof(*script));
	int error = ENOMEM;
	int output;

	if (!script)
		goto failed;
	script->done = done;
	script->arg = arg;
	script->path = strdup(path);
	script->timeout = evtimer_new(base, script_on_timeout, script);
	if (!script->path || !script->timeout)
		goto failed;
	output = script_open_output(base, script->path);
	error = script_spawn(script, output, environment);
	if (output != -1)
		close(output);
	if (error)
		goto failed;
	(void)evtimer_add(script->timeout, &timeout);
	return script;
failed:
	errno = error;
	log_warn("cannot run %s", path);
	if (script)
		script_free(script);
	return NULL;
}

bool script_reaped(struct script *script, pid_t pid, int status)
{
	if (script->pid != pid)
		return false;
	if (WIFSIGNALED(status))
		log_warnx("%s: ended by signal %d", script->path, WTERMSIG(status));
	else if (WEXITSTATUS(status) != 0)
		log_warnx("%s: exit status %d", script->path, WEXITSTATUS(status));

	script_done done = script->done;
	void *arg = script->arg;

	script_free(script);
	done(arg);
	return true;
}
