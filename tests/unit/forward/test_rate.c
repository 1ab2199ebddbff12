/* SPDX-License-Identifier: BSD-2-Clause */
#include "packets.h"

#include "forward/rate.h"

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_burst_then_the_rate),
		cmocka_unit_test(rest_fills_no_more_than_the_burst),
		cmocka_unit_test(small_rates),
		cmocka_unit_test(the_largest_rate_does_not_overflow),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
