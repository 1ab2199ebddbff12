/* SPDX-License-Identifier: BSD-2-Clause */
/* Ends that somebody asked for: SIGTERM and SIGINT (stop), SIGHUP (reconnect). */
#include "rig.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* With and without -l it must be the same. */
static void begin(struct rig *rig, bool loop, enum session_state state)
{
	rig_init(rig);
	rig->session.config.loop = loop;
	rig_reach(rig, state);
}

static void test_stop_without_tunnel(void **state)
{
	static const enum session_state states[] = {SESSION_IDLE, SESSION_CONNECT, SESSION_GREETING,
						    SESSION_LOGIN, SESSION_WAIT};

	(void)state;
	for (size_t i = 0; i < 2 * sizeof(states) / sizeof(states[0]); i++) {
		struct rig rig;

		if (states[i / 2] == SESSION_WAIT && i % 2 == 0)
			continue;
		begin(&rig, i % 2, states[i / 2]);
		rig_input(&rig, SESSION_STOP);
		rig_expect(&rig, SESSION_DONE, RIG_CLOSE_EXIT, NULL, "");
		rig_expect_exit(&rig, CLIENT_OK);
	}
}

static void test_stop_when_up(void **state)
{
	(void)state;
	for (int loop = 0; loop < 2; loop++) {
		struct rig rig;

		begin(&rig, loop, SESSION_UP);
		rig_input(&rig, SESSION_STOP);
		rig_expect(&rig, SESSION_QUIT, SESSION_DO_SEND, "quit", "tunnel down: stopped");
		assert_false(rig.actions.warning);
		rig_line(&rig, "+OK good bye");
		rig_expect(&rig, SESSION_LOWER, RIG_CLOSE_LOWER, NULL, "");
		rig_input(&rig, SESSION_LOWERED);
		rig_expect(&rig, SESSION_DONE, SESSION_DO_EXIT, NULL, "");
		rig_expect_exit(&rig, CLIENT_OK);
	}
}

/* However the server takes the quit: the status is that of a stop. */
static void test_quit_answers(void **state)
{
	(void)state;
	for (int i = 0; i < 14; i++) {
		struct rig rig;

		begin(&rig, i % 2, SESSION_UP);
		rig_input(&rig, SESSION_STOP);
		switch (i / 2) {
		case 0:
			rig_line(&rig, "-ERR invalid command");
			break;
		case 1:
			rig_line(&rig, "garbage");
			break;
		case 2:
			rig_line(&rig, "");
			break;
		case 3:
			rig_closed(&rig, "the server closed the connection");
			break;
		case 4:
			rig_deadline(&rig, 2000);
			break;
		case 5:
			rig_bad_line(&rig, "a NUL byte in a line");
			break;
		default:
			rig_failed(&rig, CLIENT_LOCAL, "Cannot allocate memory");
			break;
		}
		rig_expect(&rig, SESSION_LOWER, RIG_CLOSE_LOWER, NULL, "");
		rig_input(&rig, SESSION_LOWERED);
		rig_expect(&rig, SESSION_DONE, SESSION_DO_EXIT, NULL, "");
		rig_expect_exit(&rig, CLIENT_OK);
	}
}

static void test_stop_while_raising(void **state)
{
	struct rig rig;

	(void)state;
	/* Answered before monitor is done. */
	begin(&rig, true, SESSION_RAISE);
	rig_input(&rig, SESSION_STOP);
	rig_expect(&rig, SESSION_QUIT, SESSION_DO_SEND, "quit", "");
	rig_line(&rig, "+OK good bye");
	rig_expect(&rig, SESSION_LOWER, SESSION_DO_CLOSE, NULL, "");
	rig_input(&rig, SESSION_RAISED);
	rig_expect(&rig, SESSION_LOWER, SESSION_DO_LOWER, NULL, "");
	rig_input(&rig, SESSION_LOWERED);
	rig_expect_exit(&rig, CLIENT_OK);

	/* Monitor is done before the answer. */
	begin(&rig, true, SESSION_RAISE);
	rig_input(&rig, SESSION_STOP);
	rig_input(&rig, SESSION_RAISED);
	rig_expect(&rig, SESSION_QUIT, 0, NULL, "");
	rig_deadline(&rig, 2000);
	rig_expect(&rig, SESSION_LOWER, RIG_CLOSE_LOWER, NULL, "");
	rig_input(&rig, SESSION_LOWERED);
	rig_expect_exit(&rig, CLIENT_OK);

	/* Monitor fails, before and after the answer: stopped is stopped. */
	begin(&rig, true, SESSION_RAISE);
	rig_input(&rig, SESSION_STOP);
	rig_input(&rig, SESSION_RAISE_ERROR);
	rig_expect(&rig, SESSION_QUIT, 0, NULL, "");
	rig_line(&rig, "+OK good bye");
	rig_expect(&rig, SESSION_DONE, RIG_CLOSE_EXIT, NULL, "");
	rig_expect_exit(&rig, CLIENT_OK);

	begin(&rig, true, SESSION_RAISE);
	rig_input(&rig, SESSION_STOP);
	rig_line(&rig, "+OK good bye");
	rig_input(&rig, SESSION_RAISE_ERROR);
	rig_expect(&rig, SESSION_DONE, SESSION_DO_EXIT, NULL, "");
	rig_expect_exit(&rig, CLIENT_OK);
}

static void test_stop_while_lowering(void **state)
{
	(void)state;
	for (int loop = 0; loop < 2; loop++) {
		struct rig rig;

		begin(&rig, loop, SESSION_LOWER);
		rig_input(&rig, SESSION_STOP);
		rig_expect(&rig, SESSION_LOWER, 0, NULL, "");
		rig_input(&rig, SESSION_LOWERED);
		rig_expect(&rig, SESSION_DONE, SESSION_DO_EXIT, NULL, "");
		rig_expect_exit(&rig, CLIENT_OK);
	}
}

/* The connection broke while monitor made the tunnel; then comes the stop. */
static void test_stop_while_waiting_for_raised(void **state)
{
	struct rig rig;

	(void)state;
	begin(&rig, true, SESSION_RAISE);
	rig_closed(&rig, "gone");
	rig_input(&rig, SESSION_STOP);
	rig_expect(&rig, SESSION_LOWER, 0, NULL, "");
	rig_input(&rig, SESSION_RAISED);
	rig_expect(&rig, SESSION_LOWER, SESSION_DO_LOWER, NULL, "");
	rig_input(&rig, SESSION_STOP);
	rig_input(&rig, SESSION_LOWERED);
	rig_expect_exit(&rig, CLIENT_OK);
}

static void test_stop_again(void **state)
{
	struct rig rig;

	(void)state;
	begin(&rig, true, SESSION_QUIT);
	rig_wait(&rig, 1500);
	/* An impatient user does not make it last longer. */
	rig_input(&rig, SESSION_STOP);
	rig_expect(&rig, SESSION_QUIT, 0, NULL, "");
	rig_deadline(&rig, 500);
	rig_expect(&rig, SESSION_LOWER, RIG_CLOSE_LOWER, NULL, "");
	rig_input(&rig, SESSION_STOP);
	rig_expect(&rig, SESSION_LOWER, 0, NULL, "");
	rig_input(&rig, SESSION_LOWERED);
	rig_expect_exit(&rig, CLIENT_OK);
	rig_input(&rig, SESSION_STOP);
	rig_expect(&rig, SESSION_DONE, 0, NULL, "");
	rig_input(&rig, SESSION_TIME);
	rig_expect(&rig, SESSION_DONE, 0, NULL, "");
}

static void test_hup_without_tunnel(void **state)
{
	static const enum session_state states[] = {SESSION_CONNECT, SESSION_GREETING,
						    SESSION_LOGIN, SESSION_WAIT};

	(void)state;
	for (size_t i = 0; i < 2 * sizeof(states) / sizeof(states[0]); i++) {
		struct rig rig;

		if (states[i / 2] == SESSION_WAIT && i % 2 == 0)
			continue;
		begin(&rig, i % 2, states[i / 2]);
		rig_wait(&rig, 200);
		rig_input(&rig, SESSION_RECONNECT);
		rig_expect(&rig, SESSION_CONNECT, RIG_CLOSE_CONNECT, NULL, "");
		assert_int_equal(rig.session.deadline, rig.now + SESSION_CONNECT_MS);
	}
}

/* Nobody can log in before the account has come. */
static void test_hup_when_idle(void **state)
{
	struct rig rig;

	(void)state;
	rig_init(&rig);
	rig_input(&rig, SESSION_RECONNECT);
	rig_expect(&rig, SESSION_IDLE, 0, NULL, "");
	rig_input(&rig, SESSION_START);
	rig_expect(&rig, SESSION_CONNECT, SESSION_DO_CONNECT, NULL, "");
}

static void test_hup_when_up(void **state)
{
	(void)state;
	for (int i = 0; i < 6; i++) {
		struct rig rig;

		begin(&rig, i % 2, SESSION_UP);
		rig_input(&rig, SESSION_RECONNECT);
		rig_expect(&rig, SESSION_QUIT, SESSION_DO_SEND, "quit",
			   "tunnel down: reconnecting on request");
		assert_false(rig.actions.warning);
		if (i / 2 == 0)
			rig_line(&rig, "+OK good bye");
		else if (i / 2 == 1)
			rig_deadline(&rig, 2000);
		else
			rig_bad_line(&rig, "a NUL byte in a line");
		rig_expect(&rig, SESSION_LOWER, RIG_CLOSE_LOWER, NULL, "");
		rig_input(&rig, SESSION_LOWERED);
		/* At once, without the pause between attempts. */
		rig_expect(&rig, SESSION_CONNECT, SESSION_DO_CONNECT, NULL, "");
	}
}

/* SIGUSR2: the tunnel stays, and what is to come then comes at once; see test_session_hold.c. */
static void test_renew(void **state)
{
	static const enum session_state states[] = {SESSION_CONNECT, SESSION_GREETING,
						    SESSION_LOGIN};
	struct rig rig;

	(void)state;
	for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++) {
		begin(&rig, false, states[i]);
		rig_renew(&rig);
		rig_expect(&rig, SESSION_CONNECT, RIG_CLOSE_CONNECT, NULL,
			   "logging in again on request");
	}
	/* Without --hold no tunnel outlives its session. */
	begin(&rig, false, SESSION_UP);
	rig_renew(&rig);
	rig_expect(&rig, SESSION_LOWER, RIG_CLOSE_LOWER, NULL, "logging in again on request");
	rig_renew(&rig);
	rig_expect(&rig, SESSION_LOWER, 0, NULL, "");
	rig_input(&rig, SESSION_LOWERED);
	rig_expect(&rig, SESSION_CONNECT, SESSION_DO_CONNECT, NULL, "");
	/* It is going to end. */
	begin(&rig, false, SESSION_UP);
	rig_input(&rig, SESSION_STOP);
	rig_renew(&rig);
	rig_expect(&rig, SESSION_QUIT, 0, NULL, "");
	rig_line(&rig, "+OK good bye");
	rig_input(&rig, SESSION_LOWERED);
	rig_expect_exit(&rig, CLIENT_OK);
}

static void test_hup_while_raising(void **state)
{
	struct rig rig;

	(void)state;
	begin(&rig, false, SESSION_RAISE);
	rig_input(&rig, SESSION_RECONNECT);
	rig_expect(&rig, SESSION_QUIT, SESSION_DO_SEND, "quit", "");
	rig_closed(&rig, "gone");
	rig_expect(&rig, SESSION_LOWER, SESSION_DO_CLOSE, NULL, "");
	rig_input(&rig, SESSION_RAISED);
	rig_expect(&rig, SESSION_LOWER, SESSION_DO_LOWER, NULL, "");
	rig_input(&rig, SESSION_LOWERED);
	rig_expect(&rig, SESSION_CONNECT, SESSION_DO_CONNECT, NULL, "");

	begin(&rig, false, SESSION_RAISE);
	rig_input(&rig, SESSION_RECONNECT);
	rig_closed(&rig, "gone");
	rig_input(&rig, SESSION_RAISE_ERROR);
	rig_expect(&rig, SESSION_CONNECT, SESSION_DO_CONNECT, NULL, "");
}

static void test_hup_while_lowering(void **state)
{
	struct rig rig;

	(void)state;
	/* With -l: the pause falls away. */
	begin(&rig, true, SESSION_LOWER);
	rig_input(&rig, SESSION_RECONNECT);
	rig_expect(&rig, SESSION_LOWER, 0, NULL, "");
	rig_input(&rig, SESSION_LOWERED);
	rig_expect(&rig, SESSION_CONNECT, SESSION_DO_CONNECT, NULL, "");
	/* Without it the program is ending already, and keeps its reason. */
	begin(&rig, false, SESSION_LOWER);
	rig_input(&rig, SESSION_RECONNECT);
	rig_expect(&rig, SESSION_LOWER, 0, NULL, "");
	rig_input(&rig, SESSION_LOWERED);
	rig_expect_exit(&rig, CLIENT_CLOSED);
}

static void test_both_signals(void **state)
{
	struct rig rig;

	(void)state;
	/* A stop ends a reconnection that is under way. */
	begin(&rig, true, SESSION_UP);
	rig_input(&rig, SESSION_RECONNECT);
	rig_input(&rig, SESSION_STOP);
	rig_expect(&rig, SESSION_QUIT, 0, NULL, "");
	rig_line(&rig, "+OK good bye");
	rig_input(&rig, SESSION_LOWERED);
	rig_expect_exit(&rig, CLIENT_OK);

	begin(&rig, true, SESSION_LOWER);
	rig_input(&rig, SESSION_RECONNECT);
	rig_input(&rig, SESSION_STOP);
	rig_input(&rig, SESSION_LOWERED);
	rig_expect_exit(&rig, CLIENT_OK);

	/* But nothing takes a stop back. */
	begin(&rig, true, SESSION_UP);
	rig_input(&rig, SESSION_STOP);
	rig_input(&rig, SESSION_RECONNECT);
	rig_expect(&rig, SESSION_QUIT, 0, NULL, "");
	rig_line(&rig, "+OK good bye");
	rig_input(&rig, SESSION_RECONNECT);
	rig_expect(&rig, SESSION_LOWER, 0, NULL, "");
	rig_input(&rig, SESSION_LOWERED);
	rig_expect_exit(&rig, CLIENT_OK);
	rig_input(&rig, SESSION_RECONNECT);
	rig_expect(&rig, SESSION_DONE, 0, NULL, "");
}

static void test_hup_again(void **state)
{
	struct rig rig;

	(void)state;
	begin(&rig, false, SESSION_UP);
	rig_input(&rig, SESSION_RECONNECT);
	rig_wait(&rig, 1999);
	rig_input(&rig, SESSION_RECONNECT);
	rig_expect(&rig, SESSION_QUIT, 0, NULL, "");
	rig_deadline(&rig, 1);
	rig_input(&rig, SESSION_RECONNECT);
	rig_expect(&rig, SESSION_LOWER, 0, NULL, "");
	rig_input(&rig, SESSION_LOWERED);
	rig_expect(&rig, SESSION_CONNECT, SESSION_DO_CONNECT, NULL, "");
}

/* After a reconnection, failures are judged anew: without -l they end the program. */
static void test_failure_after_hup(void **state)
{
	struct rig rig;

	(void)state;
	begin(&rig, false, SESSION_UP);
	rig_input(&rig, SESSION_RECONNECT);
	rig_line(&rig, "+OK good bye");
	rig_input(&rig, SESSION_LOWERED);
	rig_failed(&rig, CLIENT_REFUSED, "refused");
	/* No "tunnel down": that has been said. */
	rig_expect(&rig, SESSION_DONE, RIG_CLOSE_EXIT, NULL, "broker.example: refused");
	rig_expect_exit(&rig, CLIENT_REFUSED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_stop_without_tunnel),
		cmocka_unit_test(test_stop_when_up),
		cmocka_unit_test(test_quit_answers),
		cmocka_unit_test(test_stop_while_raising),
		cmocka_unit_test(test_stop_while_lowering),
		cmocka_unit_test(test_stop_while_waiting_for_raised),
		cmocka_unit_test(test_stop_again),
		cmocka_unit_test(test_hup_without_tunnel),
		cmocka_unit_test(test_hup_when_idle),
		cmocka_unit_test(test_hup_when_up),
		cmocka_unit_test(test_renew),
		cmocka_unit_test(test_hup_while_raising),
		cmocka_unit_test(test_hup_while_lowering),
		cmocka_unit_test(test_both_signals),
		cmocka_unit_test(test_hup_again),
		cmocka_unit_test(test_failure_after_hup),
	};

	return cmocka_run_group_tests_name("client session ending", tests, NULL, NULL);
}
