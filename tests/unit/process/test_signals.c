/* SPDX-License-Identifier: BSD-2-Clause */
/* Signals wait before the loop takes them, and when it has left them. */
#include "process/signals.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static const int all[] = {SIGHUP, SIGINT, SIGTERM, SIGUSR1, SIGUSR2};
enum { ALL = sizeof(all) / sizeof(all[0]) };

static unsigned int got[NSIG];

static void on_signal(evutil_socket_t number, short what, void *arg)
{
	(void)what;
	assert_string_equal(arg, "arg");
	got[number]++;
}

static void raise_all(void)
{
	for (size_t i = 0; i < ALL; i++)
		assert_int_equal(raise(all[i]), 0);
}

/* Each would end this process. */
static void test_wait(void **state)
{
	struct event_base *base = event_base_new();
	struct signals signals = {.events = {NULL}};
	char arg[] = "arg";
	sigset_t waiting;

	(void)state;
	assert_non_null(base);
	memset(got, 0, sizeof(got));
	signals_hold();
	raise_all();
	assert_true(signals_take(&signals, base, on_signal, arg));
	assert_int_equal(event_base_loop(base, EVLOOP_NONBLOCK), 0);
	for (size_t i = 0; i < ALL; i++)
		assert_int_equal(got[all[i]], 1);
	raise_all();
	assert_int_equal(event_base_loop(base, EVLOOP_NONBLOCK), 0);
	for (size_t i = 0; i < ALL; i++)
		assert_int_equal(got[all[i]], 2);
	signals_leave(&signals);
	raise_all();
	assert_int_equal(sigpending(&waiting), 0);
	for (size_t i = 0; i < ALL; i++) {
		int number;

		assert_int_equal(sigismember(&waiting, all[i]), 1);
		assert_int_equal(got[all[i]], 2);
		assert_int_equal(sigwait(&waiting, &number), 0);
	}
	signals_leave(&signals);
	event_base_free(base);
}

/* What whoever started us has blocked, too, comes. */
static void test_others_do_not_wait(void **state)
{
	sigset_t blocked;

	(void)state;
	sigemptyset(&blocked);
	sigaddset(&blocked, SIGCHLD);
	assert_int_equal(sigprocmask(SIG_SETMASK, &blocked, NULL), 0);
	signals_hold();
	assert_int_equal(sigprocmask(SIG_SETMASK, NULL, &blocked), 0);
	assert_int_equal(sigismember(&blocked, SIGCHLD), 0);
	assert_int_equal(sigismember(&blocked, SIGTERM), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_wait),
		cmocka_unit_test(test_others_do_not_wait),
	};

	return cmocka_run_group_tests_name("signals", tests, NULL, NULL);
}
