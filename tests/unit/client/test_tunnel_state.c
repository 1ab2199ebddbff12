/* SPDX-License-Identifier: BSD-2-Clause */
/* What control can ask root's side of the tunnel for, in each of its states. */
#include "client/root/tunnel_state.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* Any other question ends the program. While control waits for an answer, it can ask nothing. */
static const struct {
	enum tunnel_phase phase;
	bool lost, raise, lower;
} can[] = {
	{TUNNEL_STATE_DOWN, false, true, false},      {TUNNEL_STATE_UP, false, true, true},
	{TUNNEL_STATE_RAISING, false, false, false},  {TUNNEL_STATE_LOWERING, true, true, true},
	{TUNNEL_STATE_LOWERING, false, false, false}, {TUNNEL_STATE_DOWN, true, true, true},
};

static void test_each_state(void **test)
{
	(void)test;
	for (size_t i = 0; i < sizeof(can) / sizeof(can[0]); i++) {
		const struct tunnel_state state = {.phase = can[i].phase, .lost = can[i].lost};

		assert_true(tunnel_state_can_raise(&state) == can[i].raise);
		assert_true(tunnel_state_can_lower(&state) == can[i].lower);
	}
}

/* While the script runs for what control has not asked for, it can ask once. */
static void test_asked_already(void **test)
{
	struct tunnel_state state = {0};

	(void)test;
	for (int i = 0; i < 4; i++) {
		state.phase = i % 2 ? TUNNEL_STATE_UP : TUNNEL_STATE_LOWERING;
		state.lost = state.phase == TUNNEL_STATE_LOWERING;
		state.want = i / 2 ? TUNNEL_WANT_RAISE : TUNNEL_WANT_LOWER;
		assert_false(tunnel_state_can_raise(&state) || tunnel_state_can_lower(&state));
	}
}

/* Nor in the middle of a replacement. */
static void test_replacing(void **test)
{
	const struct tunnel_state state = {.phase = TUNNEL_STATE_LOWERING,
					   .want = TUNNEL_WANT_RAISE};

	(void)test;
	assert_false(tunnel_state_can_raise(&state) || tunnel_state_can_lower(&state));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_state),
		cmocka_unit_test(test_asked_already),
		cmocka_unit_test(test_replacing),
	};

	return cmocka_run_group_tests_name("client tunnel state", tests, NULL, NULL);
}
