/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A query to a daemon, shared by all who need its answer: an answer is cached for a while, and
 * requests during a pending query get its answer. The time limit bounds the wait.
 */
#ifndef DTCP_WEB_ASKER_H
#define DTCP_WEB_ASKER_H

#include "ctl/ask.h"

#include <event2/event.h>
#include <jansson.h>
#include <stdint.h>
#include <sys/queue.h>

/* Shortest time that an answer is cached, milliseconds. */
#define ASKER_FRESH 1000

struct asker_question {
	const char *command; /* must stay valid */
	int limit;	     /* time limit of a query, milliseconds */
	/*
	 * The answer is cached for this many times the duration of the query, if that is more than
	 * ASKER_FRESH, so that long answers do not keep a daemon busy.
	 */
	int rest;
	/* Called at the start of the answer, for its rows, and at its end (false: it failed). Can
	 * be NULL. */
	void (*begin)(void *arg);
	ask_row row;
	void (*end)(bool ok, void *arg);
	void *arg;
};

/* A request for the answer. It must stay valid until done() was called, or asker_forget(). */
struct asker_waiter {
	TAILQ_ENTRY(asker_waiter) next;
	void (*done)(void *arg);
	void *arg;
	struct asker *asker; /* the asker that it waits for, NULL: none */
};

struct asker;

/* path must stay valid. NULL if memory is short. */
struct asker *asker_new(struct event_base *base, const char *path,
			const struct asker_question *question);

/* No request may be waiting. */
void asker_free(struct asker *asker);

/* Calls waiter->done when there is a valid answer: at once, or later. */
void asker_want(struct asker *asker, struct asker_waiter *waiter);
void asker_forget(struct asker_waiter *waiter);

/* The daemon has ended or was replaced: drops the cached answer. */
void asker_expire(struct asker *asker);

/* The last line of the last answer, "ok" or not; NULL: none. */
const json_t *asker_last(const struct asker *asker);

/* Whether the answer was ok; otherwise its error code and text. */
bool asker_ok(const struct asker *asker);
const char *asker_code(const struct asker *asker);
const char *asker_error(const struct asker *asker);

/* When the answer came, clock_ms(). */
int64_t asker_at(const struct asker *asker);

/* Whether a query is pending. */
bool asker_busy(const struct asker *asker);

#endif
