/* SPDX-License-Identifier: BSD-2-Clause */
/* The clock that all state machines are driven by, and timers for their deadlines. */
#ifndef DTCP_BASE_CLOCK_H
#define DTCP_BASE_CLOCK_H

#include <event2/event.h>
#include <stdint.h>

/* Milliseconds, and microseconds; never goes back, and no administrator sets it. */
int64_t clock_ms(void);
uint64_t clock_us(void);

/* Sets a timer of libevent for a deadline in clock_ms() time; stops it where that is negative. */
void clock_arm(struct event *timer, int64_t deadline);

#endif
