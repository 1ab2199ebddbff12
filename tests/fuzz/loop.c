/* SPDX-License-Identifier: BSD-2-Clause */
#include "loop.h"

#include "base/clock.h"
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

enum { TIMERS = 64, CHANNELS = 3 };

struct timer {
	struct event *event;
	uint64_t due;
	uint64_t period; /* 0: once */
};

struct channel {
	const struct ipc_row *rows;
	size_t n_rows;
	void *arg;
};

static struct {
	uint64_t now;
	struct event_base *base;
	bool ended;
	struct timer timers[TIMERS];
	size_t n_timers;
	struct channel channels[CHANNELS];
	unsigned int n_channels;
} loop;

void loop_reset(uint64_t microseconds)
{
	memset(&loop, 0, sizeof(loop));
	loop.now = microseconds;
}

uint64_t loop_now(void)
{
	return loop.now;
}

bool loop_ended(void)
{
	return loop.ended;
}

size_t loop_timers(void)
{
	return loop.n_timers;
}

/* --- the clock ---------------------------------------------------------------------------- */

uint64_t __wrap_clock_us(void);
int64_t __wrap_clock_ms(void);
void __wrap_clock_arm(struct event *timer, int64_t deadline);
int __real_event_add(struct event *event, const struct timeval *after);
int __wrap_event_add(struct event *event, const struct timeval *after);
int __real_event_del(struct event *event);
int __wrap_event_del(struct event *event);
void __real_event_free(struct event *event);
void __wrap_event_free(struct event *event);

uint64_t __wrap_clock_us(void)
{
	return loop.now;
}

int64_t __wrap_clock_ms(void)
{
	return (int64_t)(loop.now / 1000);
}

static void loop_forget(const struct event *event)
{
	for (size_t i = 0; i < loop.n_timers; i++) {
		if (loop.timers[i].event == event)
			loop.timers[i] = loop.timers[--loop.n_timers];
	}
}

static void loop_set(struct event *event, uint64_t due, uint64_t period)
{
	loop_forget(event);
	FUZZ_CHECK(loop.n_timers < TIMERS);
	loop.timers[loop.n_timers++] = (struct timer){event, due, period};
}

void __wrap_clock_arm(struct event *timer, int64_t deadline)
{
	loop_forget(timer);
	if (deadline >= 0)
		loop_set(timer, (uint64_t)deadline * 1000, 0);
}

int __wrap_event_add(struct event *event, const struct timeval *after)
{
	uint64_t wait;

	if (!after)
		return __real_event_add(event, after);
	FUZZ_CHECK(after->tv_sec >= 0 && after->tv_usec >= 0 && after->tv_usec < 1000000);
	wait = (uint64_t)after->tv_sec * 1000000 + (uint64_t)after->tv_usec;
	loop_set(event, loop.now + wait, event_get_events(event) & EV_PERSIST ? wait : 0);
	return 0;
}

int __wrap_event_del(struct event *event)
{
	loop_forget(event);
	return __real_event_del(event);
}

void __wrap_event_free(struct event *event)
{
	loop_forget(event);
	__real_event_free(event);
}

static void loop_note_end(void)
{
	loop.ended = loop.ended || event_base_got_break(loop.base);
}

void loop_run(void)
{
	for (int i = 0; i < 3 && !loop.ended; i++) {
		/* ONCE, or what is always ready would keep it here for ever. */
		(void)event_base_loop(loop.base, EVLOOP_NONBLOCK | EVLOOP_ONCE);
		loop_note_end();
	}
}

void loop_pass(uint64_t microseconds)
{
	struct timer due[TIMERS];
	size_t n_due = 0;

	loop.now += microseconds;
	for (size_t i = 0; i < loop.n_timers; i++) {
		if (loop.timers[i].due <= loop.now)
			due[n_due++] = loop.timers[i];
	}
	for (size_t i = 0; i < n_due; i++) {
		loop_forget(due[i].event);
		if (due[i].period)
			loop_set(due[i].event, loop.now + due[i].period, due[i].period);
		event_active(due[i].event, EV_TIMEOUT, 1);
	}
	loop_run();
}

/* --- channels ----------------------------------------------------------------------------- */

struct ipc *__wrap_ipc_new(struct event_base *base, int fd, const char *name,
			   const struct ipc_row *rows, size_t n_rows, ipc_closed closed, void *arg);
void __wrap_ipc_set_handlers_arg(struct ipc *ipc, void *arg);
int __wrap_ipc_send(struct ipc *ipc, uint32_t type, const void *body, size_t size, int fd);
void __wrap_ipc_batch(struct ipc *ipc);
void __wrap_ipc_free(struct ipc **owner);
void __wrap_ipc_flush(struct ipc *ipc, int timeout_ms);
int __wrap_event_base_dispatch(struct event_base *base);

/* The room only ever hands it back. */
static struct ipc *loop_ipc(unsigned int channel)
{
	return (struct ipc *)(void *)&loop.channels[channel];
}

struct ipc *__wrap_ipc_new(struct event_base *base, int fd, const char *name,
			   const struct ipc_row *rows, size_t n_rows, ipc_closed closed, void *arg)
{
	(void)fd;
	(void)name;
	(void)closed;
	FUZZ_CHECK(loop.n_channels < CHANNELS);
	loop.base = base;
	loop.channels[loop.n_channels] = (struct channel){rows, n_rows, arg};
	return loop_ipc(loop.n_channels++);
}

void __wrap_ipc_set_handlers_arg(struct ipc *ipc, void *arg)
{
	struct channel *channel = (void *)ipc;

	channel->arg = arg;
}

int __wrap_ipc_send(struct ipc *ipc, uint32_t type, const void *body, size_t size, int fd)
{
	unsigned int channel = 0;
	void *copy = fuzz_copy(body, size);

	while (channel < loop.n_channels && ipc != loop_ipc(channel))
		channel++;
	FUZZ_CHECK(channel < loop.n_channels && fd == -1 && size <= IPC_BODY_MAX);
	loop_sent(channel, type, copy, size);
	free(copy);
	return 0;
}

void __wrap_ipc_batch(struct ipc *ipc)
{
	(void)ipc;
}

void __wrap_ipc_free(struct ipc **owner)
{
	*owner = NULL;
}

void __wrap_ipc_flush(struct ipc *ipc, int timeout_ms)
{
	(void)ipc;
	(void)timeout_ms;
}

void loop_deliver(unsigned int channel, uint32_t type, const void *body, int fd)
{
	const struct channel *from = &loop.channels[channel];

	for (size_t i = 0; i < from->n_rows; i++) {
		const struct ipc_row *row = &from->rows[i];
		void *copy;

		if (row->type != type)
			continue;
		FUZZ_CHECK(ipc_row_with_fd(row) == (fd != -1));
		copy = fuzz_copy(body, row->size);
		ipc_row_handle(row, copy, fd, from->arg);
		free(copy);
		loop_note_end();
		return;
	}
	FUZZ_CHECK(false);
}

int __wrap_event_base_dispatch(struct event_base *base)
{
	FUZZ_CHECK(base == loop.base && loop.n_channels >= 2);
	loop_play();
	return 0;
}
