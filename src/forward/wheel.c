/* SPDX-License-Identifier: BSD-2-Clause */
#include "forward/wheel.h"

void wheel_init(struct wheel *wheel, uint64_t now)
{
	wheel->tick = now / WHEEL_TICK;
	wheel->count = 0;
	for (size_t i = 0; i < WHEEL_SLOTS; i++)
		TAILQ_INIT(&wheel->slots[i]);
}

void wheel_set(struct wheel *wheel, struct wheel_entry *entry, uint64_t due)
{
	uint64_t tick = due / WHEEL_TICK + (due % WHEEL_TICK != 0);

	if (tick < wheel->tick)
		tick = wheel->tick;
	if (tick >= wheel->tick + WHEEL_SLOTS)
		tick = wheel->tick + WHEEL_SLOTS - 1;
	if (entry->set && entry->tick == tick)
		return;
	wheel_unset(wheel, entry);
	entry->tick = tick;
	entry->set = true;
	TAILQ_INSERT_TAIL(&wheel->slots[tick % WHEEL_SLOTS], entry, on_slot);
	wheel->count++;
}

void wheel_unset(struct wheel *wheel, struct wheel_entry *entry)
{
	if (!entry->set)
		return;
	TAILQ_REMOVE(&wheel->slots[entry->tick % WHEEL_SLOTS], entry, on_slot);
	entry->set = false;
	wheel->count--;
}

void *wheel_take(struct wheel *wheel, uint64_t now)
{
	uint64_t last = now / WHEEL_TICK;

	if (wheel->count == 0) {
		if (wheel->tick <= last)
			wheel->tick = last + 1;
		return NULL;
	}
	/* One round visits all slots. */
	if (last >= wheel->tick + WHEEL_SLOTS)
		wheel->tick = last - WHEEL_SLOTS + 1;
	for (; wheel->tick <= last; wheel->tick++) {
		struct wheel_entry *entry = TAILQ_FIRST(&wheel->slots[wheel->tick % WHEEL_SLOTS]);

		if (entry) {
			wheel_unset(wheel, entry);
			return entry->item;
		}
	}
	return NULL;
}

uint64_t wheel_next(const struct wheel *wheel)
{
	if (wheel->count == 0)
		return UINT64_MAX;
	for (uint64_t tick = wheel->tick;; tick++) {
		if (!TAILQ_EMPTY(&wheel->slots[tick % WHEEL_SLOTS]))
			return tick * WHEEL_TICK;
	}
}
