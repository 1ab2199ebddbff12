/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A timer wheel for any number of entries, at a cost that does not depend on the number. Times are
 * in milliseconds. An entry can be returned a little late, or early if its time is beyond the
 * wheel's range; then it has to be set again.
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

/* Sets the time of an entry, replacing an earlier one. The item belongs to the caller. */
void wheel_set(struct wheel *wheel, struct wheel_entry *entry, uint64_t due);
void wheel_unset(struct wheel *wheel, struct wheel_entry *entry);

/* Removes an entry that is due and returns its item; NULL if there is none. */
void *wheel_take(struct wheel *wheel, uint64_t now);

/* When the next entry is due; UINT64_MAX: never. Scans the empty slots before it. */
uint64_t wheel_next(const struct wheel *wheel);

#endif
