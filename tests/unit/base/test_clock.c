/* SPDX-License-Identifier: BSD-2-Clause */
/* Sleep, as the two clocks show it. */
#include "base/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void test_first_call(void **state)
{
	struct clock_sleep sleep = {0};

	(void)state;
	/* What it slept before is not our business. */
	assert_int_equal(clock_slept_at(&sleep, 5000000, 1000000), 0);
	assert_int_equal(clock_slept_at(&sleep, 5001000, 1001000), 0);
}

static void test_sleep(void **state)
{
	struct clock_sleep sleep = {0};

	(void)state;
	(void)clock_slept_at(&sleep, 100000, 100000);
	assert_int_equal(clock_slept_at(&sleep, 1301000, 101000), 1200);
	/* Once. */
	assert_int_equal(clock_slept_at(&sleep, 1301000, 101000), 0);
	assert_int_equal(clock_slept_at(&sleep, 1311000, 111000), 0);
	assert_int_equal(clock_slept_at(&sleep, 1313500, 111500), 2);
}

/* Short ones add up, and what lies between two readings is none. */
static void test_short_sleep(void **state)
{
	struct clock_sleep sleep = {0};

	(void)state;
	(void)clock_slept_at(&sleep, 100000, 100000);
	assert_int_equal(clock_slept_at(&sleep, 100000, 99999), 0);
	assert_int_equal(clock_slept_at(&sleep, 100999, 100000), 0);
	assert_int_equal(clock_slept_at(&sleep, 101000, 100000), 1);
	assert_int_equal(clock_slept_at(&sleep, 101000, 100001), 0);
}

static void test_real(void **state)
{
	struct clock_sleep sleep = {0};
	int64_t before = clock_ms();

	(void)state;
	assert_int_equal(clock_slept(&sleep), 0);
	assert_int_equal(clock_slept(&sleep), 0);
	assert_true(clock_ms() >= before);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_first_call),
		cmocka_unit_test(test_sleep),
		cmocka_unit_test(test_short_sleep),
		cmocka_unit_test(test_real),
	};

	return cmocka_run_group_tests_name("clock", tests, NULL, NULL);
}
