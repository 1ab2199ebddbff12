/* SPDX-License-Identifier: BSD-2-Clause */
/* Tunnels that outlive their session (--hold). */
#include "held.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* --- a session that follows in time --------------------------------------------------------- */

static void test_kept_and_raised_again(void **state)
{
	struct rig rig;

	(void)state;
	held_reach(&rig, SESSION_LOGIN);
	assert_int_equal(session_deadline(&rig.session), rig.session.hold_until);
	rig_line(&rig, RIG_REPLY);
	rig_expect(&rig, SESSION_RAISE, RIG_ADD_RAISE, NULL, "");
	assert_int_equal(rig.session.hold_until, -1);
	assert_int_equal(session_deadline(&rig.session), -1);
	rig_input(&rig, SESSION_RAISED);
	rig_expect(&rig, SESSION_UP, 0, NULL, "");
	/* The next loss has its own time. */
	rig_wait(&rig, 60000);
	rig_closed(&rig, "gone");
	rig_expect(&rig, SESSION_WAIT, SESSION_DO_CLOSE, NULL, HELD_LOST);
	assert_int_equal(rig.session.hold_until, rig.now + 30000);
}

/* Every kind of loss keeps it, where another attempt follows. */
static void test_each_loss(void **state)
{
	struct rig rig;

	(void)state;
	for (int i = 0; i < 5; i++) {
		rig_init_udp(&rig, i == 0 ? SESSION_UDP : SESSION_IPV6, true, 30);
		rig_reach(&rig, SESSION_UP);
		switch (i) {
		case 0:
			rig_path(&rig, false);
			break;
		case 1:
			rig_deadline(&rig, 60000);
			rig_deadline(&rig, 15000);
			break;
		case 2:
			rig_line(&rig, "-ERR connection timed out, disconnecting");
			break;
		case 3:
			rig_bad_line(&rig, "a NUL byte in a line");
			break;
		default:
			rig_failed(&rig, CLIENT_UNREACHABLE, "no route");
			break;
		}
		assert_int_equal(rig.session.state, SESSION_WAIT);
		/* Over UDP, another port may help. */
		assert_int_equal(rig.actions.what,
				 i == 0 ? SESSION_DO_CLOSE | SESSION_DO_PORT : SESSION_DO_CLOSE);
		assert_int_equal(strncmp(rig.actions.message, "session lost: ", 14), 0);
	}
}

/* Failed attempts do not prolong it, and do not speak of the tunnel. */
static void test_failures_meanwhile(void **state)
{
	struct rig rig;
	int64_t end;

	(void)state;
	held_lose(&rig);
	end = rig.session.hold_until;
	rig_deadline(&rig, 500);
	rig_failed(&rig, CLIENT_REFUSED, "refused");
	rig_expect(&rig, SESSION_WAIT, SESSION_DO_CLOSE, NULL,
		   "broker.example: refused; next attempt in about 2 s");
	assert_int_equal(rig.session.hold_until, end);
	rig_deadline(&rig, 1500);
	rig_request(&rig);
	rig_line(&rig, "-ERR tunnel interface sold out");
	rig_expect(&rig, SESSION_WAIT, SESSION_DO_CLOSE, NULL,
		   "broker.example: refused by the server: tunnel interface sold out; next attempt "
		   "in about 4 s");
	assert_int_equal(rig.session.hold_until, end);
	rig_deadline(&rig, 3000);
	rig_come_up(&rig);
}

static void test_attempts_without_loop(void **state)
{
	struct rig rig;

	(void)state;
	/* Where no attempt follows, nothing is kept. */
	rig_init_udp(&rig, SESSION_IPV6, false, 30);
	rig_reach(&rig, SESSION_UP);
	rig_closed(&rig, "gone");
	rig_expect(&rig, SESSION_LOWER, RIG_CLOSE_LOWER, NULL, "tunnel down: broker.example: gone");
	rig_input(&rig, SESSION_LOWERED);
	rig_expect_exit(&rig, CLIENT_CLOSED);

	/* One does after a change of the network; where it fails, the tunnel is said to go. */
	rig_init_udp(&rig, SESSION_IPV6, false, 30);
	rig_reach(&rig, SESSION_UP);
	rig_network(&rig, HELD_OTHER);
	rig_expect(&rig, SESSION_CONNECT, RIG_CLOSE_CONNECT | SESSION_DO_HELLO, NULL, HELD_MOVED);
	rig_failed(&rig, CLIENT_UNREACHABLE, "no route");
	rig_expect(&rig, SESSION_LOWER, RIG_CLOSE_LOWER, NULL,
		   "tunnel down: broker.example: no route");
	rig_input(&rig, SESSION_LOWERED);
	rig_expect_exit(&rig, CLIENT_UNREACHABLE);
}

/* Local trouble is waited for like any other. */
static void test_local_failure(void **state)
{
	struct rig rig;

	(void)state;
	held_reach(&rig, SESSION_CONNECT);
	rig_failed(&rig, CLIENT_LOCAL, "Cannot allocate memory");
	rig_expect(&rig, SESSION_WAIT, SESSION_DO_CLOSE, NULL,
		   "broker.example: Cannot allocate memory; next attempt in about 60 s (not said "
		   "again for an hour, unless it changes)");
	assert_true(rig.tunnel);

	/* Monitor could not put the new one in its place, and has removed the old one. */
	held_reach(&rig, SESSION_LOGIN);
	rig_line(&rig, RIG_REPLY);
	rig_input(&rig, SESSION_RAISE_ERROR);
	rig_expect(&rig, SESSION_WAIT, SESSION_DO_CLOSE, NULL,
		   "the tunnel cannot be made here; next attempt in about 60 s (not said again for "
		   "an hour, unless it changes)");
}

/* Somebody has removed the interface, and it cannot be made again: nothing is held any more. */
static void test_lost(void **state)
{
	static const enum session_state states[] = {SESSION_WAIT, SESSION_CONNECT, SESSION_LOGIN};

	(void)state;
	for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++) {
		struct rig rig;

		held_reach(&rig, states[i]);
		rig_input(&rig, SESSION_LOST);
		rig_expect(&rig, states[i], 0, NULL, "tunnel down: the tunnel cannot be made here");
		assert_int_equal(rig.session.hold_until, -1);
	}
}

/* The session that was to have it ends while monitor puts it in place. */
/* A tunnel that was there before is kept once more, with a time of its own. */
static void test_loss_while_raised_again(void **state)
{
	struct rig rig;

	(void)state;
	held_reach(&rig, SESSION_LOGIN);
	rig_line(&rig, RIG_REPLY);
	rig_closed(&rig, "gone");
	rig_expect(&rig, SESSION_LOWER, SESSION_DO_CLOSE, NULL,
		   "broker.example: gone; next attempt in about 2 s");
	rig_wait(&rig, 100);
	rig_input(&rig, SESSION_RAISED);
	rig_expect(&rig, SESSION_WAIT, 0, NULL, "");
	assert_int_equal(rig.session.hold_until, rig.now + 30000);
	rig_deadline(&rig, 1500);
	rig_come_up(&rig);
}

static void test_no_hold(void **state)
{
	struct rig rig;

	(void)state;
	rig_init_udp(&rig, SESSION_UDP, true, 0);
	rig_reach(&rig, SESSION_UP);
	rig_closed(&rig, "gone");
	rig_expect(&rig, SESSION_LOWER, RIG_CLOSE_LOWER, NULL,
		   "tunnel down: broker.example: gone; next attempt within 3 s");
	rig_input(&rig, SESSION_LOWERED);
	rig_expect(&rig, SESSION_WAIT, 0, NULL, "");
	rig_deadline(&rig, 500);
	rig_come_up(&rig);
	rig_network(&rig, HELD_OTHER);
	rig_expect(&rig, SESSION_LOWER, RIG_CLOSE_LOWER | SESSION_DO_HELLO, NULL, HELD_MOVED);
	rig_input(&rig, SESSION_LOWERED);
	rig_expect(&rig, SESSION_CONNECT, SESSION_DO_CONNECT, NULL, "");
	rig_come_up(&rig);
}

/* --- none comes in time --------------------------------------------------------------------- */

/* The attempt that is under way goes on, whether monitor is done before it or after. */
static void test_hold_over(void **state)
{
	static const enum session_state states[] = {SESSION_GREETING, SESSION_LOGIN};
	struct rig rig;

	(void)state;
	for (size_t i = 0; i < 2 * sizeof(states) / sizeof(states[0]); i++) {
		bool first = i % 2;

		held_reach(&rig, states[i / 2]);
		held_wait_end(&rig);
		assert_true(session_deadline(&rig.session) > rig.now);
		if (first) {
			rig_input(&rig, SESSION_LOWERED);
			rig_expect(&rig, states[i / 2], 0, NULL, "");
		}
		if (states[i / 2] != SESSION_LOGIN)
			rig_line(&rig, RIG_GREETING);
		rig_line(&rig, RIG_REPLY);
		if (!first) {
			/* Monitor can do one thing at a time. */
			rig_expect(&rig, SESSION_RAISE, SESSION_DO_ADD, NULL, "");
			rig_line(&rig, "+OK by the way");
			rig_expect(&rig, SESSION_RAISE, 0, NULL, "");
			rig_input(&rig, SESSION_LOWERED);
			rig_expect(&rig, SESSION_RAISE, SESSION_DO_RAISE, NULL, "");
		} else {
			rig_expect(&rig, SESSION_RAISE, RIG_ADD_RAISE, NULL, "");
		}
		rig_input(&rig, SESSION_RAISED);
		rig_expect(&rig, SESSION_UP, 0, NULL, "");
	}
}

/* Between two attempts: with the pause over at the same time, both are done in turn. */
static void test_hold_over_while_waiting(void **state)
{
	struct rig rig;

	(void)state;
	held_reach(&rig, SESSION_LOGIN);
	rig_line(&rig, "-ERR authentication failed.");
	assert_int_equal(rig.session.state, SESSION_WAIT);
	rig_wait(&rig, 60000);
	rig_input(&rig, SESSION_TIME);
	rig_expect(&rig, SESSION_WAIT, SESSION_DO_LOWER, NULL, HELD_OVER);
	assert_true(session_deadline(&rig.session) <= rig.now);
	rig_input(&rig, SESSION_TIME);
	rig_expect(&rig, SESSION_CONNECT, SESSION_DO_CONNECT, NULL, "");
	rig_input(&rig, SESSION_LOWERED);
	rig_expect(&rig, SESSION_CONNECT, 0, NULL, "");
	rig_come_up(&rig);
}

/* While the next session is tried out: what forward has is the new session's already. */
static void test_hold_over_in_test(void **state)
{
	struct rig rig;

	(void)state;
	for (int i = 0; i < 3; i++) {
		rig_init_udp(&rig, SESSION_UDP, true, 30);
		rig_reach(&rig, SESSION_UP);
		rig_closed(&rig, "gone");
		rig_wait(&rig, 25000);
		rig_input(&rig, SESSION_TIME);
		rig_request(&rig);
		rig_line(&rig, RIG_REPLY RIG_UDP);
		rig_expect(&rig, SESSION_TEST, SESSION_DO_ADD, NULL, "");
		held_wait_end(&rig);
		if (i == 0) { /* and the path lives at last */
			rig_path(&rig, true);
			rig_expect(&rig, SESSION_RAISE, 0, NULL, "");
			rig_input(&rig, SESSION_LOWERED);
			rig_expect(&rig, SESSION_RAISE, SESSION_DO_RAISE, NULL, "");
		} else if (i == 1) { /* after monitor was done */
			rig_input(&rig, SESSION_LOWERED);
			rig_expect(&rig, SESSION_TEST, 0, NULL, "");
			rig_path(&rig, true);
			rig_expect(&rig, SESSION_RAISE, SESSION_DO_RAISE, NULL, "");
		} else { /* never */
			rig_deadline(&rig, 15000);
			rig_expect(&rig, SESSION_LOWER, SESSION_DO_CLOSE | SESSION_DO_PORT, NULL,
				   "broker.example: no answer over UDP from port 4028 within 20 s; "
				   "is it blocked by a firewall?; next attempt in about 2 s");
			rig_input(&rig, SESSION_LOWERED);
			rig_expect(&rig, SESSION_WAIT, 0, NULL, "");
			continue;
		}
		rig_input(&rig, SESSION_RAISED);
		rig_expect(&rig, SESSION_UP, 0, NULL, "");
	}
}

/* The session fails while the tunnel before it is still being removed. */
static void test_failure_while_lowering(void **state)
{
	struct rig rig;

	(void)state;
	held_reach(&rig, SESSION_LOGIN);
	held_wait_end(&rig);
	rig_line(&rig, "-ERR tunnel interface sold out");
	rig_expect(&rig, SESSION_LOWER, SESSION_DO_CLOSE, NULL,
		   "broker.example: refused by the server: tunnel interface sold out; next attempt "
		   "in about 2 s");
	rig_input(&rig, SESSION_LOWERED);
	rig_expect(&rig, SESSION_WAIT, 0, NULL, "");

	held_reach(&rig, SESSION_LOGIN);
	held_wait_end(&rig);
	rig_line(&rig, RIG_REPLY);
	rig_closed(&rig, "gone");
	rig_expect(&rig, SESSION_LOWER, SESSION_DO_CLOSE, NULL,
		   "broker.example: gone; next attempt in about 2 s");
	rig_input(&rig, SESSION_LOWERED);
	rig_expect(&rig, SESSION_WAIT, 0, NULL, "");
}

/* --- a change to UDP with a tunnel that is held --------------------------------------------- */

static void lose_and_change(struct rig *rig)
{
	rig_init_udp(rig, SESSION_AUTO, true, 30);
	rig_reach(rig, SESSION_UP);
	rig_closed(rig, "gone");
	rig_deadline(rig, 500);
	rig_request(rig);
	rig_line(rig, RIG_NAT_REPLY);
	assert_int_equal(rig->session.state, SESSION_QUIT);
	assert_true(rig->session.hold_until >= 0);
}

static void test_change_keeps_the_tunnel(void **state)
{
	struct rig rig;

	(void)state;
	lose_and_change(&rig);
	rig_line(&rig, "+OK good bye");
	rig_expect(&rig, SESSION_CONNECT, RIG_CLOSE_CONNECT, NULL, "");
	assert_int_equal(rig.session.tunnel, SESSION_TUNNEL_UP);
	rig_come_up(&rig);

	/* The time is over before the server has answered. */
	lose_and_change(&rig);
	rig.session.hold_until = rig.now + 100;
	held_wait_end(&rig);
	rig_line(&rig, "+OK good bye");
	rig_expect(&rig, SESSION_LOWER, SESSION_DO_CLOSE, NULL, "");
	rig_input(&rig, SESSION_LOWERED);
	rig_expect(&rig, SESSION_CONNECT, SESSION_DO_CONNECT, NULL, "");
}

/* --- signals -------------------------------------------------------------------------------- */

static void test_signals_with_a_held_tunnel(void **state)
{
	static const enum session_state states[] = {SESSION_WAIT, SESSION_CONNECT, SESSION_GREETING,
						    SESSION_LOGIN};
	struct rig rig;

	(void)state;
	for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++) {
		held_reach(&rig, states[i]);
		rig_input(&rig, SESSION_STOP);
		rig_expect(&rig, SESSION_LOWER, RIG_CLOSE_LOWER, NULL, "tunnel down: stopped");
		rig_input(&rig, SESSION_LOWERED);
		rig_expect_exit(&rig, CLIENT_OK);

		held_reach(&rig, states[i]);
		rig_input(&rig, SESSION_RECONNECT);
		rig_expect(&rig, SESSION_LOWER, RIG_CLOSE_LOWER, NULL,
			   "tunnel down: reconnecting on request");
		rig_input(&rig, SESSION_LOWERED);
		rig_expect(&rig, SESSION_CONNECT, SESSION_DO_CONNECT, NULL, "");
		rig_come_up(&rig);
	}
}

/* SIGUSR2: from a session, with and without -l, and when there is none behind the tunnel. */
static void test_renew_keeps_the_tunnel(void **state)
{
	static const enum session_state states[] = {SESSION_WAIT, SESSION_CONNECT, SESSION_GREETING,
						    SESSION_LOGIN};
	struct rig rig;

	(void)state;
	for (int loop = 0; loop < 2; loop++) {
		rig_init_udp(&rig, SESSION_IPV6, loop, 30);
		rig_reach(&rig, SESSION_UP);
		rig_renew(&rig);
		rig_expect(&rig, SESSION_CONNECT, RIG_CLOSE_CONNECT, NULL,
			   "logging in again on request");
		assert_false(rig.actions.warning);
		assert_int_equal(rig.session.hold_until, rig.now + 30000);
		rig_come_up(&rig);
		assert_int_equal(rig.session.hold_until, -1);
	}
	for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++) {
		held_reach(&rig, states[i]);
		rig_renew(&rig);
		rig_expect(&rig, SESSION_CONNECT, RIG_CLOSE_CONNECT, NULL,
			   "logging in again on request");
		rig_come_up(&rig);
	}
	/* Monitor has not finished with the one before. */
	held_begin(&rig, SESSION_RAISE);
	rig_renew(&rig);
	rig_expect(&rig, SESSION_LOWER, SESSION_DO_CLOSE, NULL, "logging in again on request");
	rig_input(&rig, SESSION_RAISED);
	rig_expect(&rig, SESSION_CONNECT, SESSION_DO_CONNECT, NULL, "");
	rig_come_up(&rig);
}

/* In a state that waits for the answer to quit; the time that it was held for is over then. */
static void test_signals_while_quitting(void **state)
{
	struct rig rig;

	(void)state;
	for (int i = 0; i < 4; i++) {
		bool stop = i % 2;

		if (i / 2 == 0) {
			lose_and_change(&rig);
		} else {
			rig_init_udp(&rig, SESSION_UDP, true, 30);
			rig_reach(&rig, SESSION_UP);
			rig_closed(&rig, "gone");
			rig_deadline(&rig, 500);
			rig_request(&rig);
			rig_line(&rig, RIG_REPLY RIG_UDP);
		}
		rig_input(&rig, stop ? SESSION_STOP : SESSION_RECONNECT);
		rig_expect(&rig, SESSION_QUIT, i / 2 ? SESSION_DO_SEND : 0, i / 2 ? "quit" : NULL,
			   stop ? "tunnel down: stopped" : "tunnel down: reconnecting on request");
		assert_int_equal(rig.session.hold_until, -1);
		/* It has been said. */
		rig_input(&rig, stop ? SESSION_STOP : SESSION_RECONNECT);
		rig_expect(&rig, SESSION_QUIT, 0, NULL, "");
		rig_deadline(&rig, 2000);
		rig_expect(&rig, SESSION_LOWER, RIG_CLOSE_LOWER, NULL, "");
		rig_input(&rig, SESSION_LOWERED);
		if (stop)
			rig_expect_exit(&rig, CLIENT_OK);
		else
			rig_expect(&rig, SESSION_CONNECT, SESSION_DO_CONNECT, NULL, "");
	}
}

static void test_signals_while_lowering(void **state)
{
	struct rig rig;

	(void)state;
	/* The time is over, and monitor at work. */
	held_reach(&rig, SESSION_LOGIN);
	held_wait_end(&rig);
	rig_input(&rig, SESSION_STOP);
	rig_expect(&rig, SESSION_LOWER, SESSION_DO_CLOSE, NULL, "");
	rig_input(&rig, SESSION_LOWERED);
	rig_expect_exit(&rig, CLIENT_OK);

	held_reach(&rig, SESSION_LOGIN);
	held_wait_end(&rig);
	rig_input(&rig, SESSION_RECONNECT);
	rig_expect(&rig, SESSION_LOWER, SESSION_DO_CLOSE, NULL, "");
	rig_input(&rig, SESSION_LOWERED);
	rig_expect(&rig, SESSION_CONNECT, SESSION_DO_CONNECT, NULL, "");

	/* Logged in again, and waiting for monitor. */
	held_reach(&rig, SESSION_LOGIN);
	held_wait_end(&rig);
	rig_line(&rig, RIG_REPLY);
	rig_input(&rig, SESSION_STOP);
	rig_expect(&rig, SESSION_QUIT, SESSION_DO_SEND, "quit", "");
	rig_input(&rig, SESSION_LOWERED);
	rig_expect(&rig, SESSION_QUIT, 0, NULL, "");
	rig_line(&rig, "+OK good bye");
	rig_expect(&rig, SESSION_DONE, RIG_CLOSE_EXIT, NULL, "");
	rig_expect_exit(&rig, CLIENT_OK);

	/* A tunnel that was to be kept, while monitor was still making it. */
	held_begin(&rig, SESSION_RAISE);
	rig_network(&rig, HELD_OTHER);
	rig_expect(&rig, SESSION_LOWER, SESSION_DO_CLOSE, NULL, HELD_MOVED);
	rig_input(&rig, SESSION_RECONNECT);
	rig_expect(&rig, SESSION_LOWER, 0, NULL, "");
	rig_input(&rig, SESSION_RAISED);
	rig_expect(&rig, SESSION_LOWER, SESSION_DO_LOWER, NULL, "");
	rig_input(&rig, SESSION_LOWERED);
	rig_expect(&rig, SESSION_CONNECT, SESSION_DO_CONNECT, NULL, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_kept_and_raised_again),
		cmocka_unit_test(test_each_loss),
		cmocka_unit_test(test_failures_meanwhile),
		cmocka_unit_test(test_attempts_without_loop),
		cmocka_unit_test(test_local_failure),
		cmocka_unit_test(test_lost),
		cmocka_unit_test(test_loss_while_raised_again),
		cmocka_unit_test(test_no_hold),
		cmocka_unit_test(test_hold_over),
		cmocka_unit_test(test_hold_over_while_waiting),
		cmocka_unit_test(test_hold_over_in_test),
		cmocka_unit_test(test_failure_while_lowering),
		cmocka_unit_test(test_change_keeps_the_tunnel),
		cmocka_unit_test(test_signals_with_a_held_tunnel),
		cmocka_unit_test(test_renew_keeps_the_tunnel),
		cmocka_unit_test(test_signals_while_quitting),
		cmocka_unit_test(test_signals_while_lowering),
	};

	return cmocka_run_group_tests_name("client session hold", tests, NULL, NULL);
}
