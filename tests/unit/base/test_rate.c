/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/rate.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static unsigned take_all(struct rate *rate, uint64_t now)
{
	unsigned n = 0;

	while (rate_take(rate, now))
		n++;
	return n;
}

static void a_burst_then_the_rate(void **state)
{
	struct rate rate;
	unsigned n = 0;

	(void)state;
	rate_init(&rate, 100, 1000);
	assert_int_equal(take_all(&rate, 1000), 10);
	/* 100 a second is one each 10 ms. */
	assert_int_equal(take_all(&rate, 1009), 0);
	assert_int_equal(take_all(&rate, 1010), 1);
	for (uint64_t now = 1011; now <= 2010; now++)
		n += take_all(&rate, now);
	assert_int_equal(n, 100);
}

static void rest_fills_no_more_than_the_burst(void **state)
{
	struct rate rate;

	(void)state;
	rate_init(&rate, 1000, 0);
	assert_int_equal(take_all(&rate, 0), 100);
	assert_int_equal(take_all(&rate, UINT64_MAX), 100);
}

static void a_burst_of_ones_own(void **state)
{
	struct rate rate;

	(void)state;
	rate_init_burst(&rate, 50, 50, 1000);
	assert_int_equal(take_all(&rate, 1000), 50);
	assert_int_equal(take_all(&rate, 1100), 5);
	assert_int_equal(take_all(&rate, 9000), 50);
}

static void small_rates(void **state)
{
	struct rate rate;

	(void)state;
	rate_init(&rate, 1, 0);
	assert_int_equal(take_all(&rate, 0), 1);
	assert_int_equal(take_all(&rate, 999), 0);
	assert_int_equal(take_all(&rate, 1000), 1);
}

static void the_largest_rate_does_not_overflow(void **state)
{
	struct rate rate;

	(void)state;
	rate_init(&rate, UINT32_MAX, 0);
	assert_true(rate_take(&rate, 0));
	assert_true(rate_take(&rate, UINT64_MAX));
	assert_int_equal(rate.tokens, rate.full - 1000);
}

/* How long to wait is exactly how long nothing is to be had. */
static void waiting(void **state)
{
	static const uint32_t rates[] = {1, 3, 7, 10, 999, 1000, 5000};
	struct rate never;

	(void)state;
	for (size_t i = 0; i < sizeof(rates) / sizeof(rates[0]); i++) {
		struct rate rate;
		uint64_t now = 500;

		rate_init(&rate, rates[i], now);
		assert_int_equal(rate_wait(&rate, now), 0);
		(void)take_all(&rate, now);
		for (int j = 0; j < 5; j++) {
			uint64_t wait = rate_wait(&rate, now);

			assert_in_range(wait, 1, 1000);
			assert_false(rate_take(&rate, now + wait - 1));
			now += wait;
			assert_int_equal(rate_wait(&rate, now), 0);
			(void)take_all(&rate, now);
		}
	}
	/* Of nothing there is never any. */
	rate_init(&never, 0, 0);
	assert_int_equal(rate_wait(&never, 5000), UINT64_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_burst_then_the_rate),
		cmocka_unit_test(rest_fills_no_more_than_the_burst),
		cmocka_unit_test(a_burst_of_ones_own),
		cmocka_unit_test(small_rates),
		cmocka_unit_test(waiting),
		cmocka_unit_test(the_largest_rate_does_not_overflow),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
