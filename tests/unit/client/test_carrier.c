/* SPDX-License-Identifier: BSD-2-Clause */
/* What control can ask root's side of the tunnel for, in each of its states. */
#include "client/root/carrier.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* Any other question ends the program. */
static const struct {
	bool raise, lower;
} can[] = {
	[CARRIER_DOWN] = {true, false},	     [CARRIER_RAISING] = {false, false},
	[CARRIER_UP] = {true, true},	     [CARRIER_MENDING] = {true, true},
	[CARRIER_LOSING] = {true, true},     [CARRIER_REPLACING] = {false, false},
	[CARRIER_LOWERING] = {false, false},
};

static void test_each_state(void **test)
{
	(void)test;
	for (enum carrier_state state = CARRIER_DOWN; state <= CARRIER_LOWERING; state++) {
		const struct carrier carrier = {.state = state};

		assert_true(carrier_can_raise(&carrier) == can[state].raise);
		assert_true(carrier_can_lower(&carrier) == can[state].lower);
	}
}

/* While the script runs for what control has not asked for, it can ask once. */
static void test_asked_already(void **test)
{
	struct carrier carrier = {.state = CARRIER_DOWN};

	(void)test;
	for (carrier.state = CARRIER_MENDING; carrier.state <= CARRIER_LOSING; carrier.state++) {
		carrier.want = CARRIER_WANT_RAISE;
		assert_false(carrier_can_raise(&carrier) || carrier_can_lower(&carrier));
		carrier.want = CARRIER_WANT_LOWER;
		assert_false(carrier_can_raise(&carrier) || carrier_can_lower(&carrier));
	}
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
		cmocka_unit_test(test_unheard),
	};

	return cmocka_run_group_tests_name("client carrier", tests, NULL, NULL);
}
