/* SPDX-License-Identifier: BSD-2-Clause */
/* The clock that all state machines are driven by, and timers for their deadlines. */
#ifndef DTCP_BASE_CLOCK_H
#define DTCP_BASE_CLOCK_H

#include <event2/event.h>
#include <stdbool.h>
#include <stdint.h>

/*
 * Milliseconds, and microseconds; never goes back, and no administrator sets it. It goes on while
 * the machine sleeps: what the other end has waited for meanwhile, it has waited for.
 */
int64_t clock_ms(void);
uint64_t clock_us(void);

/*
 * Sets a timer of libevent for a deadline in clock_ms() time; stops it where that is negative.
 * libevent's own clock stands still while the machine sleeps, so that one can come too late.
 * If memory is short, ends the loop, after logging.
 */
void clock_arm(struct event *timer, int64_t deadline);

/* For clock_slept(); zero at first. */
struct clock_sleep {
	bool known;
	int64_t asleep; /* milliseconds that the machine has slept since it was started */
};

/* Seconds that the machine has slept since the last call; 0 at the first. */
int64_t clock_slept(struct clock_sleep *sleep);

/* The same; the times are those of a clock that goes on during sleep and of one that does not. */
int64_t clock_slept_at(struct clock_sleep *sleep, int64_t boot_ms, int64_t monotonic_ms);

#endif
