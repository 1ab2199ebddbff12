/* SPDX-License-Identifier: BSD-2-Clause */
/* The signals of a monitor, which must not be killed by one, whenever it comes. */
#include "process/signals.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static const int list[] = {SIGHUP, SIGTERM};

static void taken(int signal_number, void *arg)
{
	*(int *)arg = signal_number;
}

static bool waits(int signal_number)
{
	sigset_t set;

	assert_int_equal(sigpending(&set), 0);
	return sigismember(&set, signal_number) == 1;
}

/* Each of these would end the test if it were not held back. */
static void test_never_killed(void **state)
{
	struct event_base *base = event_base_new();
	int got = 0;

	(void)state;
	assert_non_null(base);
	signals_block(list, 2);
	assert_int_equal(raise(SIGTERM), 0);
	assert_true(waits(SIGTERM));

	struct signals *signals = signals_new(base, list, 2, taken, &got);

	assert_non_null(signals);
	assert_false(waits(SIGTERM));
	(void)event_base_loop(base, EVLOOP_NONBLOCK);
	assert_int_equal(got, SIGTERM);
	assert_int_equal(raise(SIGHUP), 0);
	(void)event_base_loop(base, EVLOOP_NONBLOCK);
	assert_int_equal(got, SIGHUP);

	signals_free(signals);
	assert_int_equal(raise(SIGTERM), 0);
	assert_int_equal(raise(SIGHUP), 0);
	assert_true(waits(SIGTERM) && waits(SIGHUP));
	assert_int_equal(got, SIGHUP);
	event_base_free(base);
}

static void test_free_nothing(void **state)
{
	(void)state;
	signals_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_never_killed),
		cmocka_unit_test(test_free_nothing),
	};

	return cmocka_run_group_tests_name("monitor signals", tests, NULL, NULL);
}
