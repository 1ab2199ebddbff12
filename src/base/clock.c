/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/clock.h"

#include <time.h>

uint64_t clock_us(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

int64_t clock_ms(void)
{
	return (int64_t)(clock_us() / 1000);
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
	(void)evtimer_add(timer, &timeout);
}
