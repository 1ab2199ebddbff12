/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/clock.h"
#include "base/log.h"
#include "base/loop.h"
#include "ctl/ctl_parts.h"

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Rows per turn, some 10 us each, and calls of next() per turn. */
enum { CTL_PIECE = 64, CTL_LOOKS = 1024 };

/* Octets of unread answers at which no more rows are made. */
enum { CTL_OUTPUT_MAX = 65536 };

/* Size of the input buffer; further requests stay in the kernel. */
enum { CTL_INPUT_MAX = 2 * CTL_REQUEST_MAX };

/* Timeouts in seconds: without a request, and of a client that does not read. */
enum { CTL_IDLE_SECONDS = 60, CTL_STUCK_SECONDS = 10 };

/* Size of a buffer for most lines. */
enum { CTL_LINE_USUAL = 1024 };

/* Digits of numbers with a fraction: enough for times with milliseconds. */
enum { CTL_DIGITS = 15 };

/* A connection, and its pending request. */
struct ctl_call {
	TAILQ_ENTRY(ctl_call) next_call;
	struct ctl *ctl;
	struct bufferevent *stream;
	struct event *timer; /* of a request that waits */
	bool root;
	bool input;		    /* the buffer may contain a request */
	bool closing;		    /* close once all answers are sent */
	struct ctl_request request; /* no command: no pending request */
	ctl_resumed resumed;	    /* called after waiting; NULL: does not wait */
	ctl_next next;		    /* makes rows; NULL: none */
	ctl_done done;
	void *state;
};

/* --- connections -------------------------------------------------------------------------- */

static struct evbuffer *call_output(const struct ctl_call *call)
{
	return bufferevent_get_output(call->stream);
}

/* Ends the pending request. */
static void call_end(struct ctl_call *call)
{
	if (call->done)
		call->done(call->state);
	call->next = NULL;
	call->done = NULL;
	call->state = NULL;
	call->resumed = NULL;
	(void)evtimer_del(call->timer);
	ctl_request_free(&call->request);
}

void ctl_call_free(struct ctl_call *call)
{
	struct ctl *ctl = call->ctl;

	call_end(call);
	TAILQ_REMOVE(&ctl->calls, call, next_call);
	ctl->count--;
	bufferevent_free(call->stream);
	event_free(call->timer);
	free(call);
}

void ctl_call_finish(struct ctl_call *call, int64_t deadline)
{
	if (call->request.command)
		ctl_fail(call, CTL_FAILED, "the program ends");
	ctl_leave_flush(call_output(call), bufferevent_getfd(call->stream), deadline);
	ctl_call_free(call);
}

/* Whether a connection has work for this turn. */
static bool call_has_work(const struct ctl_call *call)
{
	if (call->closing || evbuffer_get_length(call_output(call)) >= CTL_OUTPUT_MAX)
		return false;
	return call->next || (call->input && !call->request.command);
}

/* Schedules the next turn, after all other events. */
static void ctl_schedule(struct ctl *ctl)
{
	static const struct timeval now = {0};
	const struct ctl_call *call;

	TAILQ_FOREACH (call, &ctl->calls, next_call) {
		if (call_has_work(call)) {
			loop_add(ctl->turn, &now);
			return;
		}
	}
}

/* Closes the connection once the buffer is sent. */
static void call_close(struct ctl_call *call)
{
	call_end(call);
	call->closing = true;
	(void)bufferevent_disable(call->stream, EV_READ);
}

/* --- answers ------------------------------------------------------------------------------ */

/* Writes a line. False if memory is short. */
static bool call_write(const struct ctl_call *call, json_t *object)
{
	const size_t flags = JSON_COMPACT | JSON_REAL_PRECISION(CTL_DIGITS);
	char line[CTL_LINE_USUAL];
	size_t len = object ? json_dumpb(object, line, sizeof(line) - 1, flags) : 0;
	char *more = NULL;
	bool written;

	/* Most lines fit; others need a larger buffer. */
	if (len >= sizeof(line)) {
		more = malloc(len + 1);
		len = more ? json_dumpb(object, more, len, flags) : 0;
	}
	if (len > 0)
		(more ? more : line)[len++] = '\n';
	written = len > 0 && evbuffer_add(call_output(call), more ? more : line, len) == 0;
	free(more);
	json_decref(object);
	return written;
}

static void call_no_memory(struct ctl_call *call)
{
	log_warnx("no memory for an answer over the control socket");
	call_close(call);
}

/* Writes the last line of an answer. */
static void call_answer(struct ctl_call *call, json_t *object)
{
	call_end(call);
	if (!call_write(call, object))
		call_no_memory(call);
}

void ctl_ok_with(struct ctl_call *call, json_t *more)
{
	json_t *answer = json_pack("{s:b, s:i}", "ok", 1, "v", CTL_VERSION);

	if (!more || !answer || json_object_update(answer, more) == -1) {
		json_decref(answer);
		answer = NULL;
	}
	json_decref(more);
	call_answer(call, answer);
}

void ctl_ok(struct ctl_call *call)
{
	ctl_ok_with(call, json_object());
}

/* Makes the object of an error. */
json_t *ctl_call_refusal(const struct ctl_refusal *refusal)
{
	return json_pack("{s:b, s:i, s:s, s:o}", "ok", 0, "v", CTL_VERSION, "code",
			 ctl_code_name(refusal->code), "error", ctl_json_text(refusal->text));
}

void ctl_fail(struct ctl_call *call, enum ctl_code code, const char *format, ...)
{
	struct ctl_refusal refusal = {.code = code};
	va_list ap;

	va_start(ap, format);
	(void)vsnprintf(refusal.text, sizeof(refusal.text), format, ap);
	va_end(ap);
	call_answer(call, ctl_call_refusal(&refusal));
}

void ctl_rows(struct ctl_call *call, ctl_next next, ctl_done done, void *state)
{
	call->resumed = NULL;
	(void)evtimer_del(call->timer);
	call->next = next;
	call->done = done;
	call->state = state;
}

/* Makes rows, up to the limits of a turn. */
static void call_piece(struct ctl_call *call)
{
	unsigned int rows = 0;

	for (unsigned int looks = 0; looks < CTL_LOOKS && rows < CTL_PIECE; looks++) {
		json_t *row = NULL;
		enum ctl_row found = call->next(call->state, &row, call->ctl->arg);

		if (found == CTL_END) {
			ctl_ok(call);
			return;
		}
		if (found == CTL_LOOK)
			continue;
		if (!call_write(call, row)) {
			call_no_memory(call);
			return;
		}
		rows++;
	}
}

void ctl_wait(struct ctl_call *call, int64_t ms, ctl_resumed resumed)
{
	call->resumed = resumed;
	clock_arm(call->timer, clock_ms() + ms);
}

/* --- requests ----------------------------------------------------------------------------- */

const char *ctl_text(const struct ctl_call *call, const char *member)
{
	return ctl_request_text(&call->request, member);
}

bool ctl_number(const struct ctl_call *call, const char *member, int64_t *number)
{
	return ctl_request_number(&call->request, member, number);
}

static void call_handle(struct ctl_call *call, const char *line, size_t len)
{
	struct ctl *ctl = call->ctl;
	struct ctl_refusal refusal;

	if (ctl_request_read(ctl->commands, line, len, call->root, &call->request, &refusal))
		call->request.command->answer(call, ctl->arg);
	else
		call_answer(call, ctl_call_refusal(&refusal));
}

/* Handles the next request, if it is complete. */
static void call_next_request(struct ctl_call *call)
{
	struct evbuffer *input = bufferevent_get_input(call->stream);
	size_t len = 0;
	char *line = evbuffer_readln(input, &len, EVBUFFER_EOL_LF);

	if (line ? len > CTL_REQUEST_MAX : evbuffer_get_length(input) > CTL_REQUEST_MAX) {
		const struct ctl_refusal refusal = {CTL_BAD, "the request is too long"};

		if (!call_write(call, ctl_call_refusal(&refusal)))
			log_debug("no memory for an answer over the control socket");
		call_close(call);
	} else if (line) {
		call_handle(call, line, len);
	} else {
		call->input = false;
	}
	free(line);
}

/* The last answer is sent: hands the descriptor over for a graceful close. */
static void call_dismiss(struct ctl_call *call)
{
	struct ctl *ctl = call->ctl;
	int fd = bufferevent_getfd(call->stream);

	(void)bufferevent_setfd(call->stream, -1);
	ctl_call_free(call);
	ctl_leave(ctl, fd);
}

/* Stops reading during a request, so that further ones stay in the kernel. */
static void call_mind_input(struct ctl_call *call)
{
	bool reads = bufferevent_get_enabled(call->stream) & EV_READ;
	bool wanted = !call->closing && !call->input && !call->request.command;

	if (wanted && !reads)
		(void)bufferevent_enable(call->stream, EV_READ);
	else if (!wanted && reads)
		(void)bufferevent_disable(call->stream, EV_READ);
}

/* Called last for each event: continues or frees the connection. */
static void call_leave(struct ctl_call *call)
{
	struct ctl *ctl = call->ctl;

	if (call->closing && evbuffer_get_length(call_output(call)) == 0)
		call_dismiss(call);
	else
		call_mind_input(call);
	ctl_schedule(ctl);
}

static void call_resume(struct ctl_call *call)
{
	ctl_resumed resumed = call->resumed;

	(void)evtimer_del(call->timer);
	call->resumed = NULL;
	if (resumed)
		resumed(call, call->ctl->arg);
	call_leave(call);
}

void ctl_resume(struct ctl *ctl, ctl_resumed resumed)
{
	struct ctl_call *call = TAILQ_FIRST(&ctl->calls);

	while (call) {
		struct ctl_call *next = TAILQ_NEXT(call, next_call);

		if (call->resumed == resumed)
			call_resume(call);
		call = next;
	}
}

void ctl_call_turn(struct ctl *ctl)
{
	struct ctl_call *call;

	TAILQ_FOREACH (call, &ctl->calls, next_call) {
		if (call_has_work(call))
			break;
	}
	if (!call)
		return;
	TAILQ_REMOVE(&ctl->calls, call, next_call);
	TAILQ_INSERT_TAIL(&ctl->calls, call, next_call);
	if (call->next)
		call_piece(call);
	else
		call_next_request(call);
	call_leave(call);
}

static void call_on_readable(struct bufferevent *stream, void *arg)
{
	struct ctl_call *call = arg;

	(void)stream;
	call->input = true;
	call_leave(call);
}

static void call_on_written(struct bufferevent *stream, void *arg)
{
	(void)stream;
	call_leave(arg);
}

static void call_on_timer(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	call_resume(arg);
}

/* Handles end of file, errors and timeouts. */
static void call_on_event(struct bufferevent *stream, short what, void *arg)
{
	struct ctl_call *call = arg;

	(void)stream;
	if (what & BEV_EVENT_WRITING || !(what & (BEV_EVENT_EOF | BEV_EVENT_TIMEOUT))) {
		ctl_call_free(call);
		return;
	}
	/* Requests that were already received are answered. */
	call_close(call);
	call_leave(call);
}

bool ctl_call_add(struct ctl *ctl, int fd, bool root)
{
	const struct timeval idle = {.tv_sec = CTL_IDLE_SECONDS};
	const struct timeval stuck = {.tv_sec = CTL_STUCK_SECONDS};
	struct ctl_call *call = calloc(1, sizeof(*call));

	if (!call)
		return false;
	call->ctl = ctl;
	call->root = root;
	call->timer = evtimer_new(ctl->base, call_on_timer, call);
	if (call->timer)
		call->stream = bufferevent_socket_new(ctl->base, fd, BEV_OPT_CLOSE_ON_FREE);
	if (!call->stream) {
		if (call->timer)
			event_free(call->timer);
		free(call);
		return false;
	}
	bufferevent_setcb(call->stream, call_on_readable, call_on_written, call_on_event, call);
	bufferevent_setwatermark(call->stream, EV_READ, 0, CTL_INPUT_MAX);
	bufferevent_set_timeouts(call->stream, &idle, &stuck);
	TAILQ_INSERT_TAIL(&ctl->calls, call, next_call);
	ctl->count++;
	if (bufferevent_enable(call->stream, EV_READ) == -1)
		ctl_call_free(call);
	return true;
}
