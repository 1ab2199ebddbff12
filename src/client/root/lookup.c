/* SPDX-License-Identifier: BSD-2-Clause */
#include "client/root/lookup.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/loop.h"
#include "client/resolver/resolver.h"
#include "process/capabilities.h"
#include "process/ipc.h"
#include "process/output.h"
#include "process/room.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* Far more than control has a reason for: a burst, and how many a second. */
enum { LOOKUP_BURST = 40, LOOKUP_RATE = 20 };

struct lookup {
	const char *name; /* of the server */
	pid_t pid;	  /* 0: none runs */
	struct output *output;
	struct event *deadline;
};

struct lookups {
	struct event_base *base;
	int argc;
	char *const *argv;
	struct timeval timeout;
	struct rate rate;
	size_t count;
	struct lookup list[CLIENT_SERVERS_MAX];
};

bool lookups_any(const struct client_options *options)
{
	bool any = false;

	for (size_t i = 0; i < options->n_servers; i++)
		any = any || client_options_named(options, i);
	return any;
}

/* Its output goes by itself, once nobody can write to it any more. */
static void lookup_kill(struct lookup *lookup)
{
	if (!lookup->pid)
		return;
	capabilities_kill(lookup->pid);
	output_let_go(lookup->output);
	lookup->output = NULL;
	lookup->pid = 0;
	(void)event_del(lookup->deadline);
}

static void lookup_on_deadline(evutil_socket_t fd, short what, void *arg)
{
	struct lookup *lookup = arg;

	(void)fd;
	(void)what;
	/* Control has long said that there is no answer. */
	log_debug("looking up %s takes too long; given up", lookup->name);
	lookup_kill(lookup);
}

struct lookups *lookups_new(struct event_base *base, const struct client_options *options, int argc,
			    char *const argv[], unsigned int timeout)
{
	struct lookups *lookups = calloc(1, sizeof(*lookups));

	if (!lookups)
		return NULL;
	lookups->base = base;
	lookups->argc = argc;
	lookups->argv = argv;
	lookups->timeout.tv_sec = timeout;
	rate_init_burst(&lookups->rate, LOOKUP_RATE, LOOKUP_BURST, (uint64_t)clock_ms());
	for (; lookups->count < options->n_servers; lookups->count++) {
		struct lookup *lookup = &lookups->list[lookups->count];

		lookup->name = options->servers[lookups->count];
		lookup->deadline = evtimer_new(base, lookup_on_deadline, lookup);
		if (!lookup->deadline) {
			lookups_free(lookups);
			return NULL;
		}
	}
	return lookups;
}

void lookups_free(struct lookups *lookups)
{
	if (!lookups)
		return;
	for (size_t i = 0; i < lookups->count; i++) {
		struct lookup *lookup = &lookups->list[i];

		if (lookup->pid)
			capabilities_kill(lookup->pid);
		output_free(lookup->output);
		event_free(lookup->deadline);
	}
	free(lookups);
}

/* Returns its process id or -errno; log and channel are closed. */
static pid_t lookup_spawn(const struct lookups *lookups, uint32_t server, int channel, int log)
{
	char name[sizeof(RESOLVER_NAME) + 10];
	pid_t pid = -EMFILE;

	(void)snprintf(name, sizeof(name), RESOLVER_NAME "%u", server);
	/* If we are busy it goes on, and what it has to say is lost. */
	if (log != -1 && evutil_make_socket_nonblocking(log) == 0)
		pid = room_spawn(name, lookups->argc, lookups->argv, &channel, 1, log);
	if (log != -1)
		close(log);
	close(channel);
	return pid;
}

int lookups_start(struct lookups *lookups, uint32_t server)
{
	struct lookup *lookup = &lookups->list[server];
	struct output *output;
	int channel[2];
	int error;
	int log;
	pid_t pid;

	lookup_kill(lookup);
	if (!rate_take(&lookups->rate, (uint64_t)clock_ms()))
		return -EAGAIN;
	error = ipc_pair(channel);
	if (error)
		return error;
	output = output_new(lookups->base, RESOLVER_NAME, true, &log);
	pid = lookup_spawn(lookups, server, channel[1], log);
	if (pid < 0) {
		output_free(output);
		close(channel[0]);
		return pid;
	}
	lookup->pid = pid;
	lookup->output = output;
	loop_add(lookup->deadline, &lookups->timeout);
	return channel[0];
}

bool lookups_reaped(struct lookups *lookups, pid_t pid, int status)
{
	for (size_t i = 0; i < lookups->count; i++) {
		struct lookup *lookup = &lookups->list[i];

		if (lookup->pid != pid)
			continue;
		lookup->pid = 0;
		(void)event_del(lookup->deadline);
		output_drain(lookup->output);
		output_free(lookup->output);
		lookup->output = NULL;
		/* The usual end of one that control does not wait for any more. */
		if (WIFSIGNALED(status) && WTERMSIG(status) != SIGIO)
			log_warnx("looking up %s: the process was killed by signal %d",
				  lookup->name, WTERMSIG(status));
		return true;
	}
	return false;
}
