/* SPDX-License-Identifier: BSD-2-Clause */
/* The clock of all state machines, and timers for their deadlines. */
#ifndef DTCP_BASE_CLOCK_H
#define DTCP_BASE_CLOCK_H

#include <event2/event.h>
#include <stdbool.h>
#include <stdint.h>

/*
 * Milliseconds, and microseconds; never goes back, and cannot be set by an administrator. It
 * continues while the machine sleeps, since the other end's time does.
 */
int64_t clock_ms(void);
uint64_t clock_us(void);

/*
 * Arms a libevent timer for a deadline in clock_ms() time, or disarms it if the deadline is
 * negative. libevent's own clock stops while the machine sleeps, so the timer can fire late. If
 * memory is short, ends the loop, after logging.
 */
void clock_arm(struct event *timer, int64_t deadline);

/* For clock_slept(); zero at first. */
struct clock_sleep {
	bool known;
	int64_t asleep; /* milliseconds of sleep since the machine was started */
};

/* Seconds that the machine has slept since the last call; 0 at the first. */
int64_t clock_slept(struct clock_sleep *sleep);

/* The same, from the times of a clock that continues during sleep and of one that does not. */
int64_t clock_slept_at(struct clock_sleep *sleep, int64_t boot_ms, int64_t monotonic_ms);

#endif
