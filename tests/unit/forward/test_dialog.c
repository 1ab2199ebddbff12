/* SPDX-License-Identifier: BSD-2-Clause */
/* What forward can say of a session, after what it was told: each message in each state. */
#include "forward/dialog.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

enum { MESSAGES = 7 };

static const enum forward_msg messages[MESSAGES] = {
	FORWARD_MSG_ADDED,  FORWARD_MSG_REFUSED, FORWARD_MSG_LEARNED, FORWARD_MSG_PATH,
	FORWARD_MSG_SILENT, FORWARD_MSG_RESULT,	 FORWARD_MSG_REMOVED,
};

/* Of the messages in their order: the state that each leads to, -1 if it cannot be said. */
static const int next[DIALOG_UP + 1][MESSAGES] = {
	[DIALOG_NONE] = {-1, -1, -1, -1, -1, -1, -1},
	[DIALOG_ASKED] = {DIALOG_UP, DIALOG_NONE, -1, DIALOG_HELD, DIALOG_HELD, DIALOG_HELD, -1},
	[DIALOG_HELD] = {DIALOG_UP, -1, -1, DIALOG_HELD, DIALOG_HELD, DIALOG_HELD, -1},
	[DIALOG_UP] = {-1, -1, DIALOG_UP, DIALOG_UP, DIALOG_UP, DIALOG_UP, -1},
};

/* Along the shortest way. */
static struct dialog reach(enum dialog_state state)
{
	struct dialog dialog = {.state = DIALOG_NONE};

	if (state == DIALOG_NONE)
		return dialog;
	dialog_tell(&dialog, FORWARD_MSG_ADD);
	if (state == DIALOG_HELD)
		assert_int_equal(dialog_hear(&dialog, FORWARD_MSG_PATH), DIALOG_COUNTS);
	if (state == DIALOG_UP)
		assert_int_equal(dialog_hear(&dialog, FORWARD_MSG_ADDED), DIALOG_COUNTS);
	assert_int_equal(dialog.state, state);
	return dialog;
}

static void test_each_in_each_state(void **test)
{
	(void)test;
	for (enum dialog_state state = DIALOG_NONE; state <= DIALOG_UP; state++) {
		for (size_t i = 0; i < MESSAGES; i++) {
			struct dialog dialog = reach(state);
			int want = next[state][i];

			assert_int_equal(dialog_hear(&dialog, messages[i]),
					 want == -1 ? DIALOG_WRONG : DIALOG_COUNTS);
			assert_int_equal(dialog.state, want == -1 ? (int)state : want);
		}
	}
}

/* Until REMOVED, whatever is said is about the session before. */
static void test_late(void **test)
{
	(void)test;
	for (enum dialog_state state = DIALOG_ASKED; state <= DIALOG_UP; state++) {
		for (size_t i = 0; i < MESSAGES; i++) {
			struct dialog dialog = reach(state);

			dialog_tell(&dialog, FORWARD_MSG_REMOVE);
			dialog_tell(&dialog, FORWARD_MSG_ADD);
			dialog_tell(&dialog, FORWARD_MSG_REMOVE);
			dialog_tell(&dialog, FORWARD_MSG_ADD);
			for (int removed = 0; removed < 2; removed++) {
				if (messages[i] != FORWARD_MSG_REMOVED)
					assert_int_equal(dialog_hear(&dialog, messages[i]),
							 DIALOG_LATE);
				assert_int_equal(dialog.state, DIALOG_ASKED);
				assert_int_equal(dialog_hear(&dialog, FORWARD_MSG_REMOVED),
						 DIALOG_COUNTS);
			}
			assert_int_equal(dialog_hear(&dialog, FORWARD_MSG_REMOVED), DIALOG_WRONG);
			assert_int_equal(dialog_hear(&dialog, FORWARD_MSG_ADDED), DIALOG_COUNTS);
		}
	}
}

/* What control says is not what forward says. */
static void test_other_messages(void **test)
{
	struct dialog dialog = reach(DIALOG_UP);

	(void)test;
	assert_int_equal(dialog_hear(&dialog, FORWARD_MSG_ADD), DIALOG_WRONG);
	dialog_tell(&dialog, FORWARD_MSG_HELLO);
	assert_int_equal(dialog.state, DIALOG_UP);
	assert_string_equal(dialog_message_name(FORWARD_MSG_ADD), "unknown");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_in_each_state),
		cmocka_unit_test(test_late),
		cmocka_unit_test(test_other_messages),
	};

	return cmocka_run_group_tests_name("dialog with forward", tests, NULL, NULL);
}
