/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/histogram.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void test_each_bound(void **state)
{
	struct histogram histogram = {0};

	(void)state;
	for (unsigned int i = 0; i < HISTOGRAM_BOUNDS; i++) {
		assert_true(i == 0 || histogram_bounds[i] > histogram_bounds[i - 1]);
		/* A bound is within itself, and what is longer within the next. */
		histogram_add(&histogram, histogram_bounds[i]);
		histogram_add(&histogram, histogram_bounds[i] + 1);
		assert_int_equal(histogram.within[i], i == 0 ? 1 : 2);
	}
	assert_int_equal(histogram.count, 2 * HISTOGRAM_BOUNDS);
}

static void test_sum(void **state)
{
	struct histogram histogram = {0};

	(void)state;
	histogram_add(&histogram, 0);
	histogram_add(&histogram, 1700);
	/* Longer than any bound: counted all the same. */
	histogram_add(&histogram, UINT32_MAX);
	assert_int_equal(histogram.count, 3);
	assert_int_equal(histogram.sum, UINT64_C(1700) + UINT32_MAX);
	assert_int_equal(histogram.within[0], 1);
	assert_int_equal(histogram.within[1], 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_bound),
		cmocka_unit_test(test_sum),
	};

	return cmocka_run_group_tests_name("base histogram", tests, NULL, NULL);
}
