/* SPDX-License-Identifier: BSD-2-Clause */
/* What control can ask root's side of the tunnel for, in each of its states. */
#include "client/root/carrier.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* Any other question ends the program. While control waits for an answer, it can ask nothing. */
static const struct {
	enum carrier_state state;
	bool again, raise, lower;
} can[] = {
	{CARRIER_DOWN, false, true, false},	{CARRIER_UP, false, true, true},
	{CARRIER_RAISING, false, false, false}, {CARRIER_RAISING, true, true, true},
	{CARRIER_LOWERING, true, true, true},	{CARRIER_LOWERING, false, false, false},
};

static void test_each_state(void **test)
{
	(void)test;
	for (size_t i = 0; i < sizeof(can) / sizeof(can[0]); i++) {
		const struct carrier carrier = {.state = can[i].state, .again = can[i].again};

		assert_true(carrier_can_raise(&carrier) == can[i].raise);
		assert_true(carrier_can_lower(&carrier) == can[i].lower);
	}
}

/* While the script runs for what control has not asked for, it can ask once. */
static void test_asked_already(void **test)
{
	struct carrier carrier = {.again = true};

	(void)test;
	for (int i = 0; i < 4; i++) {
		carrier.state = i % 2 ? CARRIER_RAISING : CARRIER_LOWERING;
		carrier.want = i / 2 ? CARRIER_WANT_RAISE : CARRIER_WANT_LOWER;
		assert_false(carrier_can_raise(&carrier) || carrier_can_lower(&carrier));
	}
}

/* Nor in the middle of a replacement. */
static void test_replacing(void **test)
{
	const struct carrier carrier = {.state = CARRIER_LOWERING, .want = CARRIER_WANT_RAISE};

	(void)test;
	assert_false(carrier_can_raise(&carrier) || carrier_can_lower(&carrier));
}

/* Control has not heard yet that its tunnel is gone. */
static void test_unheard(void **test)
{
	const struct carrier carrier = {.state = CARRIER_DOWN, .unheard = true};

	(void)test;
	assert_true(carrier_can_raise(&carrier));
	assert_true(carrier_can_lower(&carrier));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_state),
		cmocka_unit_test(test_asked_already),
		cmocka_unit_test(test_replacing),
		cmocka_unit_test(test_unheard),
	};

	return cmocka_run_group_tests_name("client carrier", tests, NULL, NULL);
}
