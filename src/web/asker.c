/* SPDX-License-Identifier: BSD-2-Clause */
#include "web/asker.h"

#include "base/clock.h"
#include "base/loop.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Codes for failures without an answer of the daemon. */
#define CODE_ABSENT  "absent"  /* no listener */
#define CODE_SILENT  "silent"  /* no answer in time */
#define CODE_REFUSED "refused" /* no permission for the socket */
#define CODE_FAILED  "failed"

struct asker {
	const char *path;
	struct asker_question question;
	struct event *ready; /* readiness of the connection, or the timeout */
	struct ask *ask;     /* NULL: no pending question */
	int64_t begun;
	int64_t at;
	int64_t good_until;
	json_t *last;
	bool ok;
	char code[24];
	char error[256];
	TAILQ_HEAD(, asker_waiter) waiters;
};

static void asker_step(evutil_socket_t fd, short events, void *arg);

struct asker *asker_new(struct event_base *base, const char *path,
			const struct asker_question *question)
{
	struct asker *asker = calloc(1, sizeof(*asker));

	if (!asker)
		return NULL;
	asker->path = path;
	asker->question = *question;
	TAILQ_INIT(&asker->waiters);
	asker->ready = event_new(base, -1, EV_READ, asker_step, asker);
	if (!asker->ready) {
		free(asker);
		return NULL;
	}
	return asker;
}

void asker_free(struct asker *asker)
{
	if (!asker)
		return;
	ask_close(asker->ask);
	event_free(asker->ready);
	json_decref(asker->last);
	free(asker);
}

/* Calls all waiters back. A callback that asks again gets this answer at once, without waiting. */
static void asker_tell(struct asker *asker)
{
	struct asker_waiter *waiter;

	while ((waiter = TAILQ_FIRST(&asker->waiters))) {
		asker_forget(waiter);
		waiter->done(waiter->arg);
	}
}

static void asker_finish(struct asker *asker, bool ok, const char *code, const char *error)
{
	int64_t now = clock_ms();
	int64_t rest = (now - asker->begun) * asker->question.rest;

	json_decref(asker->last);
	asker->last = asker->ask ? json_incref(ask_last(asker->ask)) : NULL;
	(void)snprintf(asker->code, sizeof(asker->code), "%s", code);
	(void)snprintf(asker->error, sizeof(asker->error), "%s", error);
	ask_close(asker->ask);
	asker->ask = NULL;
	asker->ok = ok;
	asker->at = now;
	asker->good_until = now + (rest > ASKER_FRESH ? rest : ASKER_FRESH);
	if (asker->question.end)
		asker->question.end(ok, asker->question.arg);
	asker_tell(asker);
}

static void asker_silent(struct asker *asker)
{
	char text[80];

	(void)snprintf(text, sizeof(text),
		       "the daemon does not answer: nothing whole came within %d s",
		       asker->question.limit / 1000);
	asker_finish(asker, false, CODE_SILENT, text);
}

/* Waits for readiness of the connection, or the timeout. */
static void asker_wait(struct asker *asker)
{
	int64_t left = asker->begun + asker->question.limit - clock_ms();
	int wait = ask_wait(asker->ask);
	short events = ask_events(asker->ask);
	struct timeval timeout;

	if (wait < left)
		left = wait;
	timeout = (struct timeval){.tv_sec = left / 1000, .tv_usec = left % 1000 * 1000};
	(void)event_assign(asker->ready, event_get_base(asker->ready), ask_fd(asker->ask),
			   (short)((events & POLLOUT ? EV_WRITE : 0) | EV_READ), asker_step, asker);
	loop_add(asker->ready, &timeout);
}

static void asker_step(evutil_socket_t fd, short events, void *arg)
{
	struct asker *asker = arg;
	struct ask *ask = asker->ask;
	enum ask_state state;

	(void)fd;
	(void)events;
	state = ask_step(ask);
	if ((state == ASK_GOES_ON || state == ASK_FAILED) &&
	    clock_ms() - asker->begun >= asker->question.limit) {
		asker_silent(asker);
		return;
	}
	switch (state) {
	case ASK_GOES_ON:
		asker_wait(asker);
		return;
	case ASK_OK:
		asker_finish(asker, true, "", "");
		return;
	case ASK_NO:
		asker_finish(asker, false, ask_code(ask), ask_error(ask));
		return;
	case ASK_FAILED:
		asker_finish(asker, false, CODE_FAILED, ask_error(ask));
		return;
	}
}

static void asker_unreachable(struct asker *asker, int error)
{
	switch (error) {
	case -ENOENT:
	case -ECONNREFUSED:
		asker_finish(asker, false, CODE_ABSENT, "the daemon is not running");
		return;
	case -EACCES:
		asker_finish(asker, false, CODE_REFUSED,
			     "dtcpweb may not ask the daemon: it must belong to the group of its "
			     "control socket");
		return;
	case -EAGAIN:
		asker_finish(asker, false, CODE_SILENT,
			     "the daemon does not answer: too many wait for it already");
		return;
	default:
		asker_finish(asker, false, CODE_FAILED, strerror(-error));
		return;
	}
}

static void asker_ask(struct asker *asker)
{
	json_t *question = json_pack("{s:s}", "command", asker->question.command);
	int error = question ? 0 : -ENOMEM;

	asker->begun = clock_ms();
	if (!error)
		error = ask_open(asker->path, &asker->ask);
	if (!error)
		error = ask_begin(asker->ask, question, asker->question.limit, asker->question.row,
				  asker->question.arg);
	json_decref(question);
	if (error) {
		asker_unreachable(asker, error);
		return;
	}
	if (asker->question.begin)
		asker->question.begin(asker->question.arg);
	asker_wait(asker);
}

void asker_want(struct asker *asker, struct asker_waiter *waiter)
{
	if (!asker->ask && clock_ms() < asker->good_until) {
		waiter->asker = NULL;
		waiter->done(waiter->arg);
		return;
	}
	waiter->asker = asker;
	TAILQ_INSERT_TAIL(&asker->waiters, waiter, next);
	if (!asker->ask)
		asker_ask(asker);
}

void asker_forget(struct asker_waiter *waiter)
{
	if (waiter->asker)
		TAILQ_REMOVE(&waiter->asker->waiters, waiter, next);
	waiter->asker = NULL;
}

void asker_expire(struct asker *asker)
{
	asker->good_until = 0;
}

const json_t *asker_last(const struct asker *asker)
{
	return asker->last;
}

bool asker_ok(const struct asker *asker)
{
	return asker->ok;
}

const char *asker_code(const struct asker *asker)
{
	return asker->code;
}

const char *asker_error(const struct asker *asker)
{
	return asker->error;
}

int64_t asker_at(const struct asker *asker)
{
	return asker->at;
}

bool asker_busy(const struct asker *asker)
{
	return asker->ask != NULL;
}
