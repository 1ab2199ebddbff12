/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/clock.h"

#include "base/loop.h"

#include <time.h>

static uint64_t clock_read(clockid_t clock)
{
	struct timespec now;

	(void)clock_gettime(clock, &now);
	return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

uint64_t clock_us(void)
{
	return clock_read(CLOCK_BOOTTIME);
}

int64_t clock_ms(void)
{
	return (int64_t)(clock_us() / 1000);
}

int64_t clock_slept_at(struct clock_sleep *sleep, int64_t boot_ms, int64_t monotonic_ms)
{
	int64_t asleep = boot_ms - monotonic_ms;
	int64_t slept = sleep->known ? asleep - sleep->asleep : 0;

	/* The clocks are read one after the other, so they always differ a little. */
	if (sleep->known && slept < 1000)
		return 0;
	sleep->known = true;
	sleep->asleep = asleep;
	return slept / 1000;
}

int64_t clock_slept(struct clock_sleep *sleep)
{
	return clock_slept_at(sleep, (int64_t)(clock_read(CLOCK_BOOTTIME) / 1000),
			      (int64_t)(clock_read(CLOCK_MONOTONIC) / 1000));
}

void clock_arm(struct event *timer, int64_t deadline)
{
	int64_t wait = deadline - clock_ms();
	struct timeval timeout;

	(void)evtimer_del(timer);
	if (deadline < 0)
		return;
	if (wait < 0)
		wait = 0;
	timeout.tv_sec = (time_t)(wait / 1000);
	timeout.tv_usec = (suseconds_t)(wait % 1000 * 1000);
	loop_add(timer, &timeout);
}
