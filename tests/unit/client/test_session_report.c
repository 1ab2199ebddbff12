/* SPDX-License-Identifier: BSD-2-Clause */
/* What those who look are told of the session. */
#include "held.h"

#include "tests/unit/proto/addresses.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void expect(const struct rig *rig, enum client_state state)
{
	assert_int_equal(session_client_state(&rig->session), state);
}

static void test_states(void **state)
{
	static const enum session_state connecting[] = {
		SESSION_IDLE, SESSION_CONNECT, SESSION_GREETING, SESSION_LOGIN, SESSION_RAISE};
	struct rig rig;

	(void)state;
	for (size_t i = 0; i < sizeof(connecting) / sizeof(connecting[0]); i++) {
		rig_init_udp(&rig, SESSION_IPV6, true, 30);
		rig_reach(&rig, connecting[i]);
		expect(&rig, CLIENT_STATE_CONNECTING);
	}
	rig_init_udp(&rig, SESSION_IPV6, true, 0);
	rig_reach(&rig, SESSION_UP);
	expect(&rig, CLIENT_STATE_UP);
	/* Another attempt follows, but the tunnel is still going. */
	rig_closed(&rig, "gone");
	expect(&rig, CLIENT_STATE_WAITING);
	assert_int_equal(session_next_try(&rig.session), -1);
	rig_input(&rig, SESSION_LOWERED);
	expect(&rig, CLIENT_STATE_WAITING);
	assert_int_equal(session_next_try(&rig.session), rig.now + 500);
	/* Whose end is that of the program. */
	rig_init(&rig);
	rig_reach(&rig, SESSION_UP);
	rig_input(&rig, SESSION_STOP);
	expect(&rig, CLIENT_STATE_DOWN);
	rig_init(&rig);
	rig_reach(&rig, SESSION_DOWN);
	expect(&rig, CLIENT_STATE_DOWN);
}

/* With --hold, from the loss of a session to the next one that is up. */
static void test_held(void **state)
{
	struct rig rig;

	(void)state;
	held_lose(&rig);
	expect(&rig, CLIENT_STATE_HELD);
	assert_int_equal(session_next_try(&rig.session), rig.now + 500);
	rig_deadline(&rig, 500);
	rig_request(&rig);
	expect(&rig, CLIENT_STATE_HELD);
	rig_line(&rig, RIG_REPLY);
	assert_int_equal(rig.session.state, SESSION_RAISE);
	expect(&rig, CLIENT_STATE_HELD);
	rig_input(&rig, SESSION_RAISED);
	expect(&rig, CLIENT_STATE_UP);
}

static void test_error(void **state)
{
	struct rig rig;
	int64_t then;

	(void)state;
	rig_init_udp(&rig, SESSION_IPV6, true, 0);
	assert_string_equal(rig.session.error.text, "");
	assert_int_equal(rig.session.granted, -1);
	rig_reach(&rig, SESSION_CONNECT);
	rig_failed(&rig, CLIENT_REFUSED, "cannot connect to 192.0.2.1 port 20200: no");
	then = rig.now;
	assert_string_equal(rig.session.error.text,
			    "broker.example: cannot connect to 192.0.2.1 port 20200: no");
	assert_int_equal(rig.session.error.at, then);
	/* It stays the last one, with its time. */
	rig_deadline(&rig, 750);
	rig_wait(&rig, 1);
	rig_come_up(&rig);
	assert_int_equal(rig.session.granted, rig.now);
	assert_int_equal(rig.session.error.at, then);
	/* A path that is dead ends no session over protocol 41. */
	rig_path(&rig, false);
	rig_line(&rig, "+OK pong");
	assert_int_equal(rig.session.state, SESSION_UP);
	assert_string_equal(rig.session.error.text, "nothing comes over protocol 41");
	assert_int_equal(rig.session.error.at, rig.now);
	/* Nor does an interface that somebody has removed, if the session is gone already. */
	held_lose(&rig);
	rig_input(&rig, SESSION_LOST);
	assert_string_equal(rig.session.error.text, "the tunnel cannot be made here");
}

static void test_why(void **state)
{
	struct rig rig;

	(void)state;
	rig_init_udp(&rig, SESSION_IPV6, true, 30);
	rig_reach(&rig, SESSION_UP);
	assert_int_equal(session_why(&rig.session), SESSION_WHY_SETTINGS);
	rig_init_udp(&rig, SESSION_AUTO, true, 30);
	rig_reach(&rig, SESSION_TEST);
	assert_int_equal(session_why(&rig.session), SESSION_WHY_FIRST);
	rig_path(&rig, true);
	assert_int_equal(session_why(&rig.session), SESSION_WHY_ANSWERS);
	rig_input(&rig, SESSION_RAISED);
	/* It dies later. */
	rig_path(&rig, false);
	rig_line(&rig, "+OK pong");
	assert_true(rig.session.udp);
	assert_int_equal(session_why(&rig.session), SESSION_WHY_BLOCKED);
	/* From the beginning. */
	rig_init_udp(&rig, SESSION_AUTO, true, 30);
	rig_reach(&rig, SESSION_TEST);
	rig_deadline(&rig, SESSION_ECHO_MS);
	assert_int_equal(session_why(&rig.session), SESSION_WHY_SILENT);
	/* UDP fails as well, so protocol 41 is the next. */
	rig_line(&rig, "+OK good bye");
	rig_request(&rig);
	rig_line(&rig, RIG_REPLY RIG_UDP);
	rig_deadline(&rig, SESSION_PATH_MS);
	assert_int_equal(session_why(&rig.session), SESSION_WHY_FIRST);

	rig_init_udp(&rig, SESSION_AUTO, true, 30);
	rig_reach(&rig, SESSION_LOGIN);
	rig_line(&rig, RIG_NAT_REPLY);
	assert_int_equal(session_why(&rig.session), SESSION_WHY_NAT);
	rig_init_udp(&rig, SESSION_AUTO, true, 30);
	rig_reach(&rig, SESSION_LOGIN);
	rig_line(&rig, "-ERR address in use by another tunnel, use udp");
	assert_int_equal(session_why(&rig.session), SESSION_WHY_IN_USE);
	rig_init_udp(&rig, SESSION_AUTO, true, 30);
	rig_reach(&rig, SESSION_LOGIN);
	rig_line(&rig, "-ERR unsupported transport ipv6, use udp");
	assert_int_equal(session_why(&rig.session), SESSION_WHY_ACCOUNT);
}

/* An old server knows no UDP, and its far end does not answer. */
static void test_why_only(void **state)
{
	struct rig rig;

	(void)state;
	rig_init_udp(&rig, SESSION_AUTO, true, 30);
	rig_reach(&rig, SESSION_TEST);
	rig_deadline(&rig, SESSION_ECHO_MS);
	rig_line(&rig, "+OK good bye");
	rig_request(&rig);
	rig_line(&rig, "-ERR authentication failed");
	assert_true(rig.connecting);
	assert_int_equal(session_why(&rig.session), SESSION_WHY_ONLY);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_states),	 cmocka_unit_test(test_held),
		cmocka_unit_test(test_error),	 cmocka_unit_test(test_why),
		cmocka_unit_test(test_why_only),
	};

	return cmocka_run_group_tests_name("client session, report", tests, NULL, NULL);
}
