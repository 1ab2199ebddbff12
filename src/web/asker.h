/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One question to one daemon, asked for everybody who wants to know: an answer is good for a
 * while, and whoever comes meanwhile gets the same one. Nobody waits longer than the time limit.
 */
#ifndef DTCP_WEB_ASKER_H
#define DTCP_WEB_ASKER_H

#include "ctl/ask.h"

#include <event2/event.h>
#include <jansson.h>
#include <stdint.h>
#include <sys/queue.h>

/* Milliseconds: for how long an answer is good at least. */
#define ASKER_FRESH 1000

struct asker_question {
	const char *command; /* must stay valid */
	int limit;	     /* milliseconds for all of it */
	/* Of what it takes to ask, so many times as long is the answer good, if that is more than
	 * ASKER_FRESH: a long answer is not to keep a daemon busy. */
	int rest;
	/* The answer begins, its rows, and it is complete (false: it failed). May all be NULL. */
	void (*begin)(void *arg);
	ask_row row;
	void (*end)(bool ok, void *arg);
	void *arg;
};

/* Somebody who wants to know. Whoever it is part of must stay until it was called or forgotten. */
struct asker_waiter {
	TAILQ_ENTRY(asker_waiter) next;
	void (*done)(void *arg);
	void *arg;
	struct asker *asker; /* where it waits, NULL: nowhere */
};

struct asker;

/* path must stay valid. NULL if memory is short. */
struct asker *asker_new(struct event_base *base, const char *path,
			const struct asker_question *question);

/* Nobody may be waiting. */
void asker_free(struct asker *asker);

/* Calls waiter->done when there is an answer that is good: at once, or later. */
void asker_want(struct asker *asker, struct asker_waiter *waiter);
void asker_forget(struct asker_waiter *waiter);

/* The daemon went away or is another one: what it said is good for nobody who asks from now on. */
void asker_expire(struct asker *asker);

/* The last line of the last answer, "ok" or not; NULL: there was none. */
const json_t *asker_last(const struct asker *asker);

/* Whether the answer was ok; else a word and a line for people say why not. */
bool asker_ok(const struct asker *asker);
const char *asker_code(const struct asker *asker);
const char *asker_error(const struct asker *asker);

/* When the answer came, clock_ms(). */
int64_t asker_at(const struct asker *asker);

/* Whether it is being asked now. */
bool asker_busy(const struct asker *asker);

#endif
