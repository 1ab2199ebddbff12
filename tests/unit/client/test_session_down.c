/* SPDX-License-Identifier: BSD-2-Clause */
/* Down on request, and up again. That nothing else leads out of it is the bench's to check. */
#include "held.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void down(struct rig *rig)
{
	rig_input(rig, SESSION_GO_DOWN);
}

static void up(struct rig *rig)
{
	rig_input(rig, SESSION_GO_UP);
}

static void reach(struct rig *rig, enum session_state state)
{
	rig_init_udp(rig, SESSION_IPV6, true, 30);
	rig_reach(rig, state);
}

/* As at the end of the program: quit, the tunnel goes, whatever --hold is. But nothing ends. */
static void test_from_up(void **state)
{
	struct rig rig;

	(void)state;
	for (int loop = 0; loop < 2; loop++) {
		rig_init_udp(&rig, SESSION_IPV6, loop, 30);
		rig_reach(&rig, SESSION_UP);
		assert_false(session_is_down(&rig.session));
		down(&rig);
		rig_expect(&rig, SESSION_QUIT, SESSION_DO_SEND, "quit", "tunnel down: on request");
		assert_true(session_is_down(&rig.session));
		assert_int_equal(session_client_state(&rig.session), CLIENT_STATE_DOWN);
		rig_line(&rig, "+OK good bye");
		rig_expect(&rig, SESSION_LOWER, RIG_CLOSE_LOWER, NULL, "");
		rig_input(&rig, SESSION_LOWERED);
		rig_expect(&rig, SESSION_DOWN, 0, NULL, "");
		assert_true(session_is_down(&rig.session));
		up(&rig);
		rig_expect(&rig, SESSION_CONNECT, SESSION_DO_CONNECT, NULL,
			   "connecting on request");
		assert_false(session_is_down(&rig.session));
		rig_come_up(&rig);
	}
}

/* A server that does not answer quit is waited for as ever. */
static void test_silent_server(void **state)
{
	struct rig rig;

	(void)state;
	reach(&rig, SESSION_UP);
	down(&rig);
	rig_deadline(&rig, SESSION_QUIT_MS);
	rig_expect(&rig, SESSION_LOWER, RIG_CLOSE_LOWER, NULL, "");
	rig_input(&rig, SESSION_LOWERED);
	rig_expect(&rig, SESSION_DOWN, 0, NULL, "");
}

/* Before there is a session, there is nobody to say good-bye to. */
static void test_from_others(void **state)
{
	static const enum session_state states[] = {SESSION_CONNECT, SESSION_GREETING,
						    SESSION_LOGIN, SESSION_WAIT};
	struct rig rig;

	(void)state;
	for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++) {
		reach(&rig, states[i]);
		down(&rig);
		rig_expect(&rig, SESSION_DOWN, SESSION_DO_CLOSE, NULL, "down on request");
	}
	/* Nor is there anything to be taken down before the start, or after the end. */
	rig_init(&rig);
	down(&rig);
	rig_expect(&rig, SESSION_IDLE, 0, NULL, "");
	rig_init(&rig);
	rig_reach(&rig, SESSION_DONE);
	down(&rig);
	rig_expect(&rig, SESSION_DONE, 0, NULL, "");
}

/* While root's process makes the tunnel, its end waits for that. */
static void test_from_raise(void **state)
{
	struct rig rig;

	(void)state;
	reach(&rig, SESSION_RAISE);
	down(&rig);
	rig_expect(&rig, SESSION_QUIT, SESSION_DO_SEND, "quit", "down on request");
	rig_line(&rig, "+OK good bye");
	rig_expect(&rig, SESSION_LOWER, SESSION_DO_CLOSE, NULL, "");
	rig_input(&rig, SESSION_RAISED);
	rig_expect(&rig, SESSION_LOWER, SESSION_DO_LOWER, NULL, "");
	rig_input(&rig, SESSION_LOWERED);
	rig_expect(&rig, SESSION_DOWN, 0, NULL, "");
}

/* A tunnel that is held is not held any longer. */
static void test_held(void **state)
{
	struct rig rig;

	(void)state;
	held_lose(&rig);
	assert_int_equal(session_client_state(&rig.session), CLIENT_STATE_HELD);
	down(&rig);
	rig_expect(&rig, SESSION_LOWER, RIG_CLOSE_LOWER, NULL, "tunnel down: on request");
	rig_input(&rig, SESSION_LOWERED);
	rig_expect(&rig, SESSION_DOWN, 0, NULL, "");
}

/* An end that has been decided takes another turn. */
static void test_while_leaving(void **state)
{
	struct rig rig;

	(void)state;
	reach(&rig, SESSION_UP);
	rig_input(&rig, SESSION_RECONNECT);
	assert_int_equal(rig.session.state, SESSION_QUIT);
	down(&rig);
	rig_expect(&rig, SESSION_QUIT, 0, NULL, "down on request");
	up(&rig);
	rig_expect(&rig, SESSION_QUIT, 0, NULL, "connecting on request");
	rig_line(&rig, "+OK good bye");
	rig_input(&rig, SESSION_LOWERED);
	rig_expect(&rig, SESSION_CONNECT, SESSION_DO_CONNECT, NULL, "");
	/* The end of the program is the last word. */
	reach(&rig, SESSION_UP);
	rig_input(&rig, SESSION_STOP);
	down(&rig);
	rig_expect(&rig, SESSION_QUIT, 0, NULL, "");
	up(&rig);
	rig_expect(&rig, SESSION_QUIT, 0, NULL, "");
	rig_line(&rig, "+OK good bye");
	rig_input(&rig, SESSION_LOWERED);
	rig_expect_exit(&rig, CLIENT_OK);
}

/* Neither time, nor the network, nor a signal but that for the end. */
static void test_stays(void **state)
{
	static const char signalled[] = "down on request, which a signal does not change";
	struct rig rig;

	(void)state;
	reach(&rig, SESSION_DOWN);
	rig_wait(&rig, 86400000);
	rig_input(&rig, SESSION_TIME);
	rig_network(&rig, HELD_OTHER);
	rig_expect(&rig, SESSION_DOWN, 0, NULL, "");
	rig_woke(&rig, 3600);
	rig_expect(&rig, SESSION_DOWN, 0, NULL, "this machine has slept for 3600 s");
	rig_input(&rig, SESSION_RECONNECT);
	rig_expect(&rig, SESSION_DOWN, 0, NULL, signalled);
	rig_renew(&rig);
	rig_expect(&rig, SESSION_DOWN, 0, NULL, signalled);
	down(&rig);
	rig_expect(&rig, SESSION_DOWN, 0, NULL, "");
	rig_input(&rig, SESSION_STOP);
	rig_expect(&rig, SESSION_DONE, RIG_CLOSE_EXIT, NULL, "");
	rig_expect_exit(&rig, CLIENT_OK);
}

/* Where nothing was taken down, there is nothing to be brought up. */
static void test_up_alone(void **state)
{
	static const enum session_state states[] = {SESSION_IDLE, SESSION_CONNECT, SESSION_UP,
						    SESSION_WAIT, SESSION_DONE};
	struct rig rig;

	(void)state;
	for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++) {
		reach(&rig, states[i]);
		up(&rig);
		rig_expect(&rig, states[i], 0, NULL, "");
	}
}

/* What a server has said before does not count any more. */
static void test_up_forgets(void **state)
{
	struct rig rig;

	(void)state;
	reach(&rig, SESSION_LOGIN);
	rig_line(&rig, "-ERR authentication failed");
	assert_int_equal(rig.session.state, SESSION_WAIT);
	down(&rig);
	up(&rig);
	rig_failed(&rig, CLIENT_REFUSED, "no");
	rig_expect(&rig, SESSION_WAIT, SESSION_DO_CLOSE, NULL,
		   "broker.example: no; next attempt in about 1 s");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_from_up),	    cmocka_unit_test(test_silent_server),
		cmocka_unit_test(test_from_others), cmocka_unit_test(test_from_raise),
		cmocka_unit_test(test_held),	    cmocka_unit_test(test_while_leaving),
		cmocka_unit_test(test_stays),	    cmocka_unit_test(test_up_alone),
		cmocka_unit_test(test_up_forgets),
	};

	return cmocka_run_group_tests_name("client session, down", tests, NULL, NULL);
}
