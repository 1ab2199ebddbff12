/* SPDX-License-Identifier: BSD-2-Clause */
#include "client/root/lookup.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/loop.h"
#include "client/resolver/resolver.h"
#include "process/ipc.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* A rate limit far above what control needs: a burst, and look-ups a second. */
enum { LOOKUP_BURST = 40, LOOKUP_RATE = 20 };

struct lookup {
	const char *name; /* of the server */
	struct lookups *lookups;
	pid_t pid; /* 0: none is running */
	struct event *deadline;
};

struct lookups {
	struct children *children;
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

static void lookup_kill(struct lookup *lookup)
{
	if (!lookup->pid)
		return;
	children_kill(lookup->lookups->children, lookup->pid);
	lookup->pid = 0;
	(void)event_del(lookup->deadline);
}

static void lookup_on_deadline(evutil_socket_t fd, short what, void *arg)
{
	struct lookup *lookup = arg;

	(void)fd;
	(void)what;
	/* Control has timed out long before. */
	log_debug("looking up %s takes too long; given up", lookup->name);
	lookup_kill(lookup);
}

struct lookups *lookups_new(struct event_base *base, const struct client_options *options,
			    struct children *children, unsigned int timeout)
{
	struct lookups *lookups = calloc(1, sizeof(*lookups));

	if (!lookups)
		return NULL;
	lookups->children = children;
	lookups->timeout.tv_sec = timeout;
	rate_init_burst(&lookups->rate, LOOKUP_RATE, LOOKUP_BURST, (uint64_t)clock_ms());
	for (; lookups->count < options->n_servers; lookups->count++) {
		struct lookup *lookup = &lookups->list[lookups->count];

		lookup->lookups = lookups;
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
		lookup_kill(&lookups->list[i]);
		event_free(lookups->list[i].deadline);
	}
	free(lookups);
}

int lookups_start(struct lookups *lookups, uint32_t server)
{
	struct lookup *lookup = &lookups->list[server];
	int channel[2];
	int error;
	pid_t pid;

	lookup_kill(lookup);
	if (!rate_take(&lookups->rate, (uint64_t)clock_ms()))
		return -EAGAIN;
	error = ipc_pair(channel);
	if (error)
		return error;
	pid = children_start(lookups->children, RESOLVER_NAME, (int)server, false, &channel[1], 1);
	if (pid < 0) {
		close(channel[0]);
		return pid;
	}
	lookup->pid = pid;
	loop_add(lookup->deadline, &lookups->timeout);
	return channel[0];
}

void lookups_answer(struct lookups *lookups, const struct client_options *options,
		    struct supervisor *supervisor, const struct client_server *server)
{
	int channel;

	if (server->server >= options->n_servers ||
	    !client_options_named(options, server->server)) {
		supervisor_fail(supervisor,
				"control asked for the address of a server that has no name");
		return;
	}
	if (supervisor_backlog(supervisor, CLIENT_CONTROL) > CLIENT_BACKLOG) {
		supervisor_fail(supervisor, "control asks and does not take the answers");
		return;
	}
	channel = lookups_start(lookups, server->server);
	if (channel < 0)
		log_debug("no look-up of %s now: %s", options->servers[server->server],
			  strerror(-channel));
	supervisor_send(supervisor, CLIENT_CONTROL,
			channel < 0 ? CLIENT_MSG_NO_RESOLVER : CLIENT_MSG_RESOLVER, server,
			sizeof(*server), channel < 0 ? -1 : channel);
}

bool lookups_reaped(struct lookups *lookups, pid_t pid, int status)
{
	for (size_t i = 0; i < lookups->count; i++) {
		struct lookup *lookup = &lookups->list[i];

		if (lookup->pid != pid)
			continue;
		lookup->pid = 0;
		(void)event_del(lookup->deadline);
		/* The usual end of a resolver whose channel control has closed. */
		if (WIFSIGNALED(status) && WTERMSIG(status) != SIGIO)
			log_warnx("looking up %s: the process was killed by signal %d",
				  lookup->name, WTERMSIG(status));
		return true;
	}
	return false;
}
