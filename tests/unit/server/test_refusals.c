/* SPDX-License-Identifier: BSD-2-Clause */
#include "server/control/refusals.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

static void test_time(void **state)
{
	static struct refusals refusals;

	(void)state;
	assert_false(refusals_has(&refusals, "alice", 0));
	assert_true(refusals_add(&refusals, "alice", 1000, 2000));
	assert_true(refusals_has(&refusals, "alice", 1999));
	assert_false(refusals_has(&refusals, "alice", 2000));
	assert_false(refusals_has(&refusals, "alic", 1000));
	/* The last word counts. */
	assert_true(refusals_add(&refusals, "alice", 1000, 5000));
	assert_true(refusals_add(&refusals, "alice", 1000, 3000));
	assert_true(refusals_has(&refusals, "alice", 2999));
	assert_false(refusals_has(&refusals, "alice", 3000));
	assert_true(refusals_remove(&refusals, "alice", 2500));
	assert_false(refusals_has(&refusals, "alice", 2500));
	assert_false(refusals_remove(&refusals, "alice", 2500));
}

static void test_full(void **state)
{
	static struct refusals refusals;
	char user[16];

	(void)state;
	for (int i = 0; i < REFUSALS_MAX; i++) {
		(void)snprintf(user, sizeof(user), "user%d", i);
		assert_true(refusals_add(&refusals, user, 0, 1000 + i));
	}
	assert_false(refusals_add(&refusals, "alice", 0, 9000));
	/* Who is in it can be said anew. */
	assert_true(refusals_add(&refusals, "user0", 0, 1000));
	/* A time that is over makes room. */
	assert_true(refusals_add(&refusals, "alice", 1000, 9000));
	assert_false(refusals_add(&refusals, "bob", 1000, 9000));
	assert_true(refusals_has(&refusals, "alice", 1000));
	assert_true(refusals_has(&refusals, "user63", 1000));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_time),
		cmocka_unit_test(test_full),
	};

	return cmocka_run_group_tests_name("server refusals", tests, NULL, NULL);
}
