/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A room's event loop without its clock and its channels: timers fire when the target lets time
 * pass, messages are delivered when it says so. The room calls event_base_dispatch(), which is led
 * to loop_play() of the target.
 */
#ifndef DTCP_TESTS_FUZZ_LOOP_H
#define DTCP_TESTS_FUZZ_LOOP_H

#include "process/ipc.h"

#include <event2/event.h>
#include <stdbool.h>
#include <stdint.h>

/* Before each input: no timers, no channels, and this time. */
void loop_reset(uint64_t microseconds);

uint64_t loop_now(void);

/* The room has ended its loop. */
bool loop_ended(void);

/* How many timers are set. */
size_t loop_timers(void);

/* Runs what is due now, once or a few times over. */
void loop_run(void);

/* Lets time pass and runs what is due then; each timer fires once at most. */
void loop_pass(uint64_t microseconds);

/*
 * Has the room handle a message of a channel, of those that it has made the first being number 0.
 * body is copied, so that the sanitizers see its end. fd is handed over.
 */
void loop_deliver(unsigned int channel, uint32_t type, const void *body, int fd);

/* The target's: the input is to be played; a message from the room, by the channel's number. */
void loop_play(void);
void loop_sent(unsigned int channel, uint32_t type, const void *body, size_t size);

#endif
