/* SPDX-License-Identifier: BSD-2-Clause */
#include "packets.h"

#include "forward/pmtu.h"

static void unknown_at_first(void **state)
{
	struct pmtu pmtu = {0};

	(void)state;
	assert_int_equal(pmtu_get(&pmtu, 0), PMTU_UNKNOWN);
	assert_int_equal(pmtu_get(&pmtu, 123456789), PMTU_UNKNOWN);
}

static void ages_after_ten_minutes(void **state)
{
	struct pmtu pmtu = {0};

	(void)state;
	assert_true(pmtu_lower(&pmtu, 1400, 5000));
	assert_int_equal(pmtu_get(&pmtu, 5000), 1400);
	assert_int_equal(pmtu_get(&pmtu, 5000 + 600000 - 1), 1400);
	assert_int_equal(pmtu_get(&pmtu, 5000 + 600000), PMTU_UNKNOWN);
	/* Then a larger value than before is news again. */
	assert_true(pmtu_lower(&pmtu, 1450, 700000));
	assert_int_equal(pmtu_get(&pmtu, 700000), 1450);
}

static void never_rises_while_believed(void **state)
{
	struct pmtu pmtu = {0};

	(void)state;
	assert_true(pmtu_lower(&pmtu, 1400, 0));
	assert_false(pmtu_lower(&pmtu, 1450, 300000));
	assert_int_equal(pmtu_get(&pmtu, 300000), 1400);
	/* The larger report has not made it last longer either. */
	assert_int_equal(pmtu_get(&pmtu, 600000), PMTU_UNKNOWN);
}

static void the_same_again_starts_anew(void **state)
{
	struct pmtu pmtu = {0};

	(void)state;
	assert_true(pmtu_lower(&pmtu, 1400, 0));
	assert_true(pmtu_lower(&pmtu, 1400, 300000));
	assert_int_equal(pmtu_get(&pmtu, 899999), 1400);
	assert_int_equal(pmtu_get(&pmtu, 900000), PMTU_UNKNOWN);
}

static void unsaid_and_absurd_values_are_the_least(void **state)
{
	(void)state;
	for (uint32_t mtu = 0; mtu <= 68; mtu++) {
		struct pmtu pmtu = {0};

		assert_true(pmtu_lower(&pmtu, mtu, 1));
		assert_int_equal(pmtu_get(&pmtu, 1), 68);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(unknown_at_first),
		cmocka_unit_test(ages_after_ten_minutes),
		cmocka_unit_test(never_rises_while_believed),
		cmocka_unit_test(the_same_again_starts_anew),
		cmocka_unit_test(unsaid_and_absurd_values_are_the_least),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
