/* SPDX-License-Identifier: BSD-2-Clause */
#include "netconf/script.h"

#include "base/log.h"
#include "base/loop.h"
#include "netconf/program.h"
#include "process/output.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct script {
	char *path;
	pid_t pid;
	struct event *timeout;
	struct output *output; /* its output; NULL: discarded */
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

static void script_free(struct script *script)
{
	if (script->timeout)
		event_free(script->timeout);
	/* It lives until all writers have closed it, which can be long after the script. */
	if (script->output)
		output_let_go(script->output);
	free(script->path);
	free(script);
}

struct script *script_start(struct event_base *base, char *const words[], char *const environment[],
			    script_done done, void *arg)
{
	const struct timeval timeout = {.tv_sec = SCRIPT_TIMEOUT};
	struct program_child child = {
		.path = words[0], .words = words, .environment = environment, .input = -1};
	struct script *script = calloc(1, sizeof(*script));
	int error = ENOMEM;

	if (!script)
		goto failed;
	script->done = done;
	script->arg = arg;
	script->path = strdup(words[0]);
	script->timeout = evtimer_new(base, script_on_timeout, script);
	if (!script->path || !script->timeout)
		goto failed;
	script->output = output_new(base, words[0], false, &child.output);
	child.errors = child.output;
	script->pid = program_spawn(&child);
	error = script->pid < 0 ? -script->pid : 0;
	if (child.output != -1)
		close(child.output);
	if (error)
		goto failed;
	loop_add(script->timeout, &timeout);
	return script;
failed:
	errno = error;
	log_warn("cannot run %s", words[0]);
	if (script)
		script_free(script);
	return NULL;
}

bool script_reaped(struct script *script, pid_t pid, int status)
{
	if (script->pid != pid)
		return false;
	/* Its last lines come before the line about its end, which may end the program. */
	if (script->output)
		output_drain(script->output);
	(void)program_succeeded(script->path, status);

	script_done done = script->done;
	void *arg = script->arg;

	script_free(script);
	done(arg);
	return true;
}
