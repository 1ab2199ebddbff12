/* SPDX-License-Identifier: BSD-2-Clause */
#include "web/daemons.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/loop.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Milliseconds between scans of the folder. */
#define LOOK_MS 1000

/* The pause after listing all sessions, as a multiple of the time that the listing took. */
#define SESSIONS_REST 4

struct daemons {
	struct event_base *base;
	const char *folder;
	struct event *tick;
	int64_t looked; /* 0: never */
	int error;	/* of the last scan, logged when it changes */
	size_t count;
	struct daemon *list[DAEMONS_MAX];
};

static void daemon_free(struct daemon *daemon)
{
	asker_forget(&daemon->sampler);
	asker_free(daemon->status);
	asker_free(daemon->sessions);
	sessions_free(daemon->table);
	free(daemon);
}

static void daemon_sessions_begin(void *arg)
{
	struct daemon *daemon = arg;

	sessions_begin(daemon->table);
}

static void daemon_sessions_row(json_t *row, const char *line, void *arg)
{
	struct daemon *daemon = arg;

	(void)line;
	sessions_add(daemon->table, row);
}

static void daemon_sessions_end(bool ok, void *arg)
{
	struct daemon *daemon = arg;

	if (ok)
		sessions_end(daemon->table, clock_ms());
	else
		sessions_begin(daemon->table);
}

static void daemon_sampled(void *arg)
{
	struct daemon *daemon = arg;
	struct timespec now;

	(void)clock_gettime(CLOCK_REALTIME, &now);
	history_add(&daemon->history, now.tv_sec * INT64_C(1000) + now.tv_nsec / 1000000,
		    asker_ok(daemon->status) ? json_object_get(asker_last(daemon->status), "status")
					     : NULL);
}

static void daemon_id(const struct ask_daemon *at, char id[static DAEMON_ID_SIZE])
{
	(void)snprintf(id, DAEMON_ID_SIZE, "%s-%s", ask_program(at), at->interface);
}

/* NULL if memory is short. */
static struct daemon *daemon_new(struct event_base *base, const struct ask_daemon *at)
{
	struct daemon *daemon = calloc(1, sizeof(*daemon));
	const struct asker_question status = {.command = "status", .limit = DAEMON_STATUS_LIMIT};
	const struct asker_question sessions = {
		.command = "sessions",
		.limit = DAEMON_SESSIONS_LIMIT,
		.rest = SESSIONS_REST,
		.begin = daemon_sessions_begin,
		.row = daemon_sessions_row,
		.end = daemon_sessions_end,
		.arg = daemon,
	};

	if (!daemon)
		return NULL;
	daemon->at = *at;
	daemon_id(at, daemon->id);
	daemon->sampler = (struct asker_waiter){.done = daemon_sampled, .arg = daemon};
	daemon->status = asker_new(base, daemon->at.path, &status);
	if (!at->client) {
		daemon->sessions = asker_new(base, daemon->at.path, &sessions);
		daemon->table = sessions_new();
	}
	if (!daemon->status || (!at->client && (!daemon->sessions || !daemon->table))) {
		daemon_free(daemon);
		return NULL;
	}
	return daemon;
}

struct daemon *daemons_find(struct daemons *daemons, const char *id)
{
	for (size_t i = 0; i < daemons->count; i++) {
		if (strcmp(daemons->list[i]->id, id) == 0)
			return daemons->list[i];
	}
	return NULL;
}

/* Frees a daemon that is gone and has no waiters. False if there is none. */
static bool daemons_make_place(struct daemons *daemons)
{
	for (size_t i = 0; i < daemons->count; i++) {
		struct daemon *daemon = daemons->list[i];

		if (daemon->there || asker_busy(daemon->status) ||
		    (daemon->sessions && asker_busy(daemon->sessions)))
			continue;
		daemon_free(daemon);
		daemons->count--;
		for (; i < daemons->count; i++)
			daemons->list[i] = daemons->list[i + 1];
		return true;
	}
	return false;
}

static void daemons_add(struct daemons *daemons, struct daemon *daemon)
{
	size_t place = daemons->count++;

	for (; place > 0 && strcmp(daemons->list[place - 1]->id, daemon->id) > 0; place--)
		daemons->list[place] = daemons->list[place - 1];
	daemons->list[place] = daemon;
}

static void daemons_see(struct daemons *daemons, const struct ask_daemon *at)
{
	char id[DAEMON_ID_SIZE];
	struct daemon *daemon;

	daemon_id(at, id);
	daemon = daemons_find(daemons, id);
	if (!daemon) {
		if (daemons->count == DAEMONS_MAX && !daemons_make_place(daemons))
			return;
		daemon = daemon_new(daemons->base, at);
		if (!daemon)
			return;
		daemons_add(daemons, daemon);
		/* Starts the graphs. */
		asker_want(daemon->status, &daemon->sampler);
	}
	daemon->there = true;
}

static void daemon_expire(struct daemon *daemon)
{
	asker_expire(daemon->status);
	if (daemon->sessions)
		asker_expire(daemon->sessions);
}

void daemons_look(struct daemons *daemons)
{
	int64_t now = clock_ms();
	struct ask_daemon *found;
	int count;

	if (daemons->looked && now - daemons->looked < LOOK_MS)
		return;
	daemons->looked = now;
	count = ask_find(daemons->folder, &found);
	if (count < 0 && count != daemons->error) {
		errno = -count;
		log_warn("cannot look for control sockets in %s", daemons->folder);
	}
	daemons->error = count < 0 ? count : 0;
	for (size_t i = 0; i < daemons->count; i++)
		daemons->list[i]->there = false;
	for (int i = 0; i < count; i++)
		daemons_see(daemons, &found[i]);
	free(found);
	for (size_t i = 0; i < daemons->count; i++) {
		if (!daemons->list[i]->there)
			daemon_expire(daemons->list[i]);
	}
}

static void daemons_tick(evutil_socket_t fd, short events, void *arg)
{
	struct daemons *daemons = arg;
	const struct timeval step = {.tv_sec = HISTORY_STEP};

	(void)fd;
	(void)events;
	loop_add(daemons->tick, &step);
	daemons_look(daemons);
	for (size_t i = 0; i < daemons->count; i++) {
		struct daemon *daemon = daemons->list[i];

		if (!daemon->sampler.asker)
			asker_want(daemon->status, &daemon->sampler);
	}
}

struct daemons *daemons_new(struct event_base *base, const char *folder)
{
	struct daemons *daemons = calloc(1, sizeof(*daemons));
	const struct timeval step = {.tv_sec = HISTORY_STEP};

	if (daemons)
		daemons->tick = evtimer_new(base, daemons_tick, daemons);
	if (!daemons || !daemons->tick) {
		log_warnx("no memory for what the daemons say");
		free(daemons);
		return NULL;
	}
	daemons->base = base;
	daemons->folder = folder;
	loop_add(daemons->tick, &step);
	return daemons;
}

void daemons_free(struct daemons *daemons)
{
	if (!daemons)
		return;
	for (size_t i = 0; i < daemons->count; i++)
		daemon_free(daemons->list[i]);
	event_free(daemons->tick);
	free(daemons);
}

size_t daemons_count(const struct daemons *daemons)
{
	return daemons->count;
}

struct daemon *daemons_get(struct daemons *daemons, size_t place)
{
	return daemons->list[place];
}
