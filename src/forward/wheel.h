/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A timer wheel: who is due when, of any number, at a cost that does not depend on it. Times are in
 * milliseconds. Somebody can be found due a little late, or early if the time is further away
 * than the wheel reaches; then they are to be set anew.
 */
#ifndef DTCP_FORWARD_WHEEL_H
#define DTCP_FORWARD_WHEEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#define WHEEL_TICK  32	 /* milliseconds of a slot */
#define WHEEL_SLOTS 2048 /* so it reaches 65 s */

struct wheel_entry {
	TAILQ_ENTRY(wheel_entry) on_slot;
	void *item;
	uint64_t tick; /* of its slot */
	bool set;
};

struct wheel {
	uint64_t tick; /* the first that may have entries */
	size_t count;
	TAILQ_HEAD(, wheel_entry) slots[WHEEL_SLOTS];
};

void wheel_init(struct wheel *wheel, uint64_t now);

/* The entry is due then, and not when it was before. Its item is the caller's. */
void wheel_set(struct wheel *wheel, struct wheel_entry *entry, uint64_t due);
void wheel_unset(struct wheel *wheel, struct wheel_entry *entry);

/* Takes out one that is due and returns its item; NULL if there is none. */
void *wheel_take(struct wheel *wheel, uint64_t now);

/* When the next one is due; UINT64_MAX for never. Its cost is that of the empty slots before. */
uint64_t wheel_next(const struct wheel *wheel);

#endif
