/* SPDX-License-Identifier: BSD-2-Clause */
/* The timer wheel. */
#include "forward/wheel.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#define REACH ((uint64_t)WHEEL_TICK * WHEEL_SLOTS)
#define BEGIN UINT64_C(1000007)

static struct wheel wheel;

static void put(struct wheel_entry *entry, uint64_t due)
{
	entry->item = entry;
	wheel_set(&wheel, entry, due);
}

static void in_time(void **state)
{
	struct wheel_entry soon = {0};
	struct wheel_entry late = {0};

	(void)state;
	wheel_init(&wheel, BEGIN);
	assert_null(wheel_take(&wheel, BEGIN));
	assert_true(wheel_next(&wheel) == UINT64_MAX);
	put(&late, BEGIN + 20000);
	put(&soon, BEGIN + 5000);
	/* Never early, and late by less than a tick. */
	assert_in_range(wheel_next(&wheel), BEGIN + 5000, BEGIN + 5000 + WHEEL_TICK);
	assert_null(wheel_take(&wheel, BEGIN + 4999));
	assert_ptr_equal(wheel_take(&wheel, BEGIN + 5000 + WHEEL_TICK), &soon);
	assert_null(wheel_take(&wheel, BEGIN + 19999));
	assert_ptr_equal(wheel_take(&wheel, BEGIN + 30000), &late);
	assert_null(wheel_take(&wheel, BEGIN + 30000));
	assert_true(wheel_next(&wheel) == UINT64_MAX);
}

static void moved_and_removed(void **state)
{
	struct wheel_entry one = {0};
	struct wheel_entry two = {0};

	(void)state;
	wheel_init(&wheel, BEGIN);
	put(&one, BEGIN + 20000);
	put(&two, BEGIN + 20000);
	put(&one, BEGIN + 1000);
	put(&one, BEGIN + 1000);
	wheel_unset(&wheel, &two);
	wheel_unset(&wheel, &two);
	assert_ptr_equal(wheel_take(&wheel, BEGIN + 1100), &one);
	assert_null(wheel_take(&wheel, BEGIN + 60000));
	/* What is due already comes with the next tick, and not for ever. */
	put(&one, BEGIN);
	assert_null(wheel_take(&wheel, BEGIN + 60000));
	assert_ptr_equal(wheel_take(&wheel, BEGIN + 60000 + WHEEL_TICK), &one);
	assert_null(wheel_take(&wheel, BEGIN + 60000 + WHEEL_TICK));
}

/* Further than the wheel reaches; and after a time in which nobody looked. */
static void far_away(void **state)
{
	enum { ENTRIES = 100 };
	static struct wheel_entry entries[ENTRIES];
	struct wheel_entry one = {0};
	struct wheel_entry *entry;
	size_t found = 0;

	(void)state;
	wheel_init(&wheel, BEGIN);
	put(&one, BEGIN + 3 * REACH);
	assert_null(wheel_take(&wheel, BEGIN + REACH - 2 * WHEEL_TICK));
	assert_ptr_equal(wheel_take(&wheel, BEGIN + REACH), &one);
	assert_null(wheel_take(&wheel, BEGIN + 10 * REACH));
	for (size_t i = 0; i < ENTRIES; i++)
		put(&entries[i], BEGIN + 10 * REACH + 1 + i * 600);
	while ((entry = wheel_take(&wheel, BEGIN + 1000 * REACH))) {
		assert_false(entry->set);
		found++;
	}
	assert_int_equal(found, ENTRIES);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(in_time),
		cmocka_unit_test(moved_and_removed),
		cmocka_unit_test(far_away),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
