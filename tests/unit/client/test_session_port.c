/* SPDX-License-Identifier: BSD-2-Clause */
/* Our UDP port: when another one is asked for, and what follows when it is used. */
#include "held.h"
#include "rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define MOVED "UDP port 40000 is used from now on: nothing came back to the one before"
#define HINT                                                                                       \
	"no answer over UDP for 10 s; if a NAT or firewall on the way has a wrong mapping of "     \
	"this port, another port (-b) may help"

/* Over UDP, with -l, and a tunnel that is held for 30 s. */
static void begin(struct rig *rig, enum session_state state)
{
	rig_init_udp(rig, SESSION_UDP, true, 30);
	rig_reach(rig, state);
}

/* Up, and monitor is being told of another port. */
static void begin_telling(struct rig *rig)
{
	begin(rig, SESSION_UP);
	rig_port(rig, 40000);
	rig_expect(rig, SESSION_UP, SESSION_DO_RAISE, NULL, MOVED);
	assert_false(rig->actions.warning);
}

/* Whatever the session is doing: forward has one, and it is that one which is not answered. */
static void test_silence(void **state)
{
	static const enum session_state states[] = {SESSION_TEST, SESSION_RAISE, SESSION_UP,
						    SESSION_QUIT, SESSION_LOWER};
	struct rig rig;

	(void)state;
	for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++) {
		rig_init_udp(&rig, SESSION_UDP, false, 0);
		rig_reach(&rig, states[i]);
		for (int again = 0; again < 3; again++) {
			rig_input(&rig, SESSION_SILENT);
			rig_expect(&rig, states[i], SESSION_DO_PORT, NULL, "");
		}
	}
	/* A tunnel that is held is to work again before there is a session. */
	begin(&rig, SESSION_UP);
	rig_closed(&rig, "gone");
	rig_input(&rig, SESSION_SILENT);
	rig_expect(&rig, SESSION_WAIT, SESSION_DO_PORT, NULL, "");

	/* Without UDP there is no port. */
	rig_init_udp(&rig, SESSION_IPV6, false, 0);
	rig_reach(&rig, SESSION_UP);
	rig_input(&rig, SESSION_SILENT);
	rig_expect(&rig, SESSION_UP, 0, NULL, "");
}

/* The next attempt has a port that no box knows yet; where none follows, nothing is asked for. */
static void test_failures(void **state)
{
	struct rig rig;

	(void)state;
	for (int i = 0; i < 2; i++) {
		begin(&rig, SESSION_UP);
		rig.session.config.keeps_port = i;
		rig_path(&rig, false);
		assert_int_equal(rig.session.state, SESSION_WAIT);
		assert_true(((rig.actions.what & SESSION_DO_PORT) == 0) == i);

		begin(&rig, SESSION_TEST);
		rig.session.config.keeps_port = i;
		rig_deadline(&rig, 20000);
		assert_int_equal(rig.session.state, SESSION_WAIT);
		assert_true(((rig.actions.what & SESSION_DO_PORT) == 0) == i);
	}
	rig_init_udp(&rig, SESSION_UDP, false, 0);
	rig_reach(&rig, SESSION_TEST);
	rig_deadline(&rig, 20000);
	assert_int_equal(rig.actions.what, RIG_CLOSE_EXIT);

	/* Nobody tried UDP, and the port is not what is wrong. */
	begin(&rig, SESSION_UP);
	rig_closed(&rig, "gone");
	rig_expect(&rig, SESSION_WAIT, SESSION_DO_CLOSE, NULL, HELD_LOST);
}

/* A port that the user has chosen: that another one may help is said once in each silence. */
static void test_chosen(void **state)
{
	struct rig rig;

	(void)state;
	begin(&rig, SESSION_UP);
	rig.session.config.keeps_port = true;
	for (int i = 0; i < 2; i++) {
		rig_input(&rig, SESSION_SILENT);
		rig_expect(&rig, SESSION_UP, 0, NULL, HINT);
		assert_true(rig.actions.warning);
		rig_input(&rig, SESSION_SILENT);
		rig_expect(&rig, SESSION_UP, 0, NULL, "");
		rig_path(&rig, false);
		rig_deadline(&rig, i == 0 ? 500 : 1500);
		rig_request(&rig);
		rig_line(&rig, RIG_REPLY RIG_UDP);
		rig_input(&rig, SESSION_SILENT);
		rig_expect(&rig, SESSION_TEST, 0, NULL, "");
		rig_path(&rig, true);
		rig_input(&rig, SESSION_RAISED);
		rig_expect(&rig, SESSION_UP, 0, NULL, "");
	}
}

/* Before the tunnel is made: it is made with that port. */
static void test_port_in_test(void **state)
{
	struct rig rig;

	(void)state;
	begin(&rig, SESSION_TEST);
	rig_port(&rig, 40000);
	rig_expect(&rig, SESSION_TEST, 0, NULL, MOVED);
	rig_path(&rig, true);
	rig_expect(&rig, SESSION_RAISE, SESSION_DO_RAISE, NULL, "");
	rig_input(&rig, SESSION_RAISED);
	rig_expect(&rig, SESSION_UP, 0, NULL, "");
}

/* While monitor is at work on it: told as soon as it has answered. */
static void test_port_in_raise(void **state)
{
	struct rig rig;

	(void)state;
	begin(&rig, SESSION_RAISE);
	rig_port(&rig, 40000);
	rig_expect(&rig, SESSION_RAISE, 0, NULL, MOVED);
	rig_input(&rig, SESSION_RAISED);
	rig_expect(&rig, SESSION_UP, SESSION_DO_RAISE, NULL, "");
	rig_input(&rig, SESSION_RAISED);
	rig_expect(&rig, SESSION_UP, 0, NULL, "");

	/* Unless there is no session any more that it would be told of. */
	begin(&rig, SESSION_RAISE);
	rig_port(&rig, 40000);
	rig_path(&rig, false);
	rig_input(&rig, SESSION_RAISED);
	assert_int_equal(rig.session.state, SESSION_WAIT);
	assert_int_equal(rig.actions.what, SESSION_DO_CLOSE | SESSION_DO_PORT);
}

/* The session goes on meanwhile, and so do its pings. */
static void test_port_in_up(void **state)
{
	struct rig rig;

	(void)state;
	begin_telling(&rig);
	rig_deadline(&rig, 60000);
	rig_expect(&rig, SESSION_UP, SESSION_DO_SEND, "ping", "");
	rig_line(&rig, "+OK pong");
	rig_network(&rig, RIG_LOCAL);
	rig_expect(&rig, SESSION_UP, SESSION_DO_HELLO, NULL, "");
	rig_port(&rig, 40000);
	rig_expect(&rig, SESSION_UP, 0, NULL, MOVED);
	rig_input(&rig, SESSION_RAISED);
	rig_expect(&rig, SESSION_UP, SESSION_DO_RAISE, NULL, "");
	rig_input(&rig, SESSION_RAISED);
	rig_expect(&rig, SESSION_UP, 0, NULL, "");
	rig_deadline(&rig, 60000);
}

/* A tunnel that is held is told of with the session that follows. */
static void test_port_while_held(void **state)
{
	struct rig rig;

	(void)state;
	begin(&rig, SESSION_UP);
	rig_closed(&rig, "gone");
	rig_port(&rig, 40000);
	rig_expect(&rig, SESSION_WAIT, 0, NULL, MOVED);
	rig_deadline(&rig, 500);
	rig_come_up(&rig);
}

static void test_end_while_reporting(void **state)
{
	struct rig rig;

	(void)state;
	/* The tunnel is there all the time, so it is held, */
	begin_telling(&rig);
	rig_closed(&rig, "gone");
	rig_expect(&rig, SESSION_LOWER, SESSION_DO_CLOSE, NULL, HELD_LOST);
	rig_input(&rig, SESSION_RAISED);
	rig_expect(&rig, SESSION_WAIT, 0, NULL, "");
	assert_int_equal(rig.session.hold_until, rig.now + 30000);

	/* goes at a stop, which says so, */
	begin_telling(&rig);
	rig_input(&rig, SESSION_STOP);
	rig_expect(&rig, SESSION_QUIT, SESSION_DO_SEND, "quit", "tunnel down: stopped");
	rig_line(&rig, "+OK good bye");
	rig_expect(&rig, SESSION_LOWER, SESSION_DO_CLOSE, NULL, "");
	rig_input(&rig, SESSION_RAISED);
	rig_expect(&rig, SESSION_LOWER, SESSION_DO_LOWER, NULL, "");
	rig_input(&rig, SESSION_LOWERED);
	rig_expect_exit(&rig, CLIENT_OK);

	/* and where it could not be made again, it has gone already. */
	begin_telling(&rig);
	rig_input(&rig, SESSION_RAISE_ERROR);
	rig_expect(&rig, SESSION_WAIT, SESSION_DO_CLOSE, NULL,
		   "session lost: the tunnel cannot be made here; next attempt in about 60 s");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_silence),		cmocka_unit_test(test_failures),
		cmocka_unit_test(test_chosen),		cmocka_unit_test(test_port_in_test),
		cmocka_unit_test(test_port_in_raise),	cmocka_unit_test(test_port_in_up),
		cmocka_unit_test(test_port_while_held), cmocka_unit_test(test_end_while_reporting),
	};

	return cmocka_run_group_tests_name("client session port", tests, NULL, NULL);
}
