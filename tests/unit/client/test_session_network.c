/* SPDX-License-Identifier: BSD-2-Clause */
/* Networks that change, machines that sleep. */
#include "held.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static const enum session_transport transports[] = {SESSION_IPV6, SESSION_UDP, SESSION_AUTO};

/* Routes that come and go, an address of another interface: the tunnel's way is the same. */
static void test_change_that_does_not_matter(void **state)
{
	static const char *const addresses[] = {RIG_LOCAL, "0.0.0.0"};

	(void)state;
	for (size_t i = 0; i < 2 * sizeof(transports) / sizeof(transports[0]); i++) {
		enum session_transport transport = transports[i / 2];

		for (enum session_state in = SESSION_GREETING; in <= SESSION_DONE; in++) {
			struct rig rig;
			int64_t deadline;
			bool hello;

			if (in == SESSION_TEST && transport == SESSION_IPV6)
				continue;
			rig_init_udp(&rig, transport, true, 0);
			rig_reach(&rig, in == SESSION_WAIT ? SESSION_GREETING : in);
			if (in == SESSION_WAIT)
				rig_closed(&rig, "gone");
			deadline = rig.session.deadline;
			hello = rig.session.tunnel == SESSION_TUNNEL_UP;
			rig_network(&rig, addresses[i % 2]);
			/* A hello may find another way, or wake a NAT box. */
			rig_expect(&rig, in, hello ? SESSION_DO_HELLO : 0, NULL, "");
			assert_int_equal(rig.session.deadline, deadline);
		}
	}
}

static void test_move_when_up(void **state)
{
	(void)state;
	for (size_t i = 0; i < 2 * sizeof(transports) / sizeof(transports[0]); i++) {
		struct rig rig;

		/* With -l and without: it is no failure. */
		rig_init_udp(&rig, transports[i / 2], i % 2, 30);
		rig_reach(&rig, SESSION_UP);
		rig_network(&rig, HELD_OTHER);
		rig_expect(&rig, SESSION_CONNECT, RIG_CLOSE_CONNECT | SESSION_DO_HELLO, NULL,
			   HELD_MOVED);
		assert_false(rig.actions.warning);
		assert_int_equal(rig.session.hold_until, rig.now + 30000);
		rig_come_up(&rig);
		assert_int_equal(rig.session.local.s_addr, rig.address.s_addr);
	}
}

/* Before there is a tunnel, only the login begins anew. */
static void test_move_before_the_tunnel(void **state)
{
	static const enum session_state states[] = {SESSION_GREETING, SESSION_LOGIN, SESSION_TEST};

	(void)state;
	for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++) {
		struct rig rig;

		rig_init_udp(&rig, SESSION_UDP, false, 30);
		rig_reach(&rig, states[i]);
		rig_network(&rig, HELD_OTHER);
		rig_expect(&rig, SESSION_CONNECT, RIG_CLOSE_CONNECT, NULL, HELD_MOVED);
		assert_int_equal(session_deadline(&rig.session), rig.now + SESSION_CONNECT_MS);
		rig_come_up(&rig);
	}
}

static void test_move_while_raising(void **state)
{
	struct rig rig;

	(void)state;
	for (int i = 0; i < 3; i++) {
		rig_init_udp(&rig, SESSION_UDP, false, i == 2 ? 0 : 30);
		rig_reach(&rig, SESSION_RAISE);
		rig_network(&rig, HELD_OTHER);
		rig_expect(&rig, SESSION_LOWER, SESSION_DO_CLOSE, NULL, HELD_MOVED);
		rig_input(&rig, i == 1 ? SESSION_RAISE_ERROR : SESSION_RAISED);
		if (i == 2) {
			rig_expect(&rig, SESSION_LOWER, SESSION_DO_LOWER, NULL, "");
			rig_input(&rig, SESSION_LOWERED);
		}
		rig_expect(&rig, SESSION_CONNECT, SESSION_DO_CONNECT, NULL, "");
		assert_true((rig.session.hold_until == rig.now + 30000) == (i == 0));
		rig_come_up(&rig);
	}

	/* Where the tunnel before this one is still being removed. */
	held_reach(&rig, SESSION_LOGIN);
	held_wait_end(&rig);
	rig_line(&rig, RIG_REPLY);
	rig_network(&rig, HELD_OTHER);
	rig_expect(&rig, SESSION_LOWER, SESSION_DO_CLOSE, NULL, HELD_MOVED);
	rig_input(&rig, SESSION_LOWERED);
	rig_expect(&rig, SESSION_CONNECT, SESSION_DO_CONNECT, NULL, "");
	rig_come_up(&rig);
}

/* The pause ends early: what failed from the old address may not from the new one. */
static void test_move_while_waiting(void **state)
{
	struct rig rig;

	(void)state;
	held_lose(&rig);
	rig_network(&rig, HELD_OTHER);
	rig_expect(&rig, SESSION_CONNECT, SESSION_DO_HELLO | SESSION_DO_CONNECT, NULL, "");
	/* But only once, however often the network changes then. */
	rig_failed(&rig, CLIENT_REFUSED, "refused");
	for (int i = 0; i < 3; i++) {
		rig_wait(&rig, 250);
		rig_network(&rig, HELD_OTHER);
		rig_expect(&rig, SESSION_WAIT, SESSION_DO_HELLO, NULL, "");
	}
	rig_network(&rig, RIG_LOCAL);
	rig_expect(&rig, SESSION_CONNECT, SESSION_DO_HELLO | SESSION_DO_CONNECT, NULL, "");
	rig_come_up(&rig);
}

/* Each change of address begins the connection anew; one without an address waits for the next. */
static void test_move_while_connecting(void **state)
{
	struct rig rig;

	(void)state;
	held_lose(&rig);
	rig_network(&rig, HELD_OTHER);
	rig_expect(&rig, SESSION_CONNECT, SESSION_DO_HELLO | SESSION_DO_CONNECT, NULL, "");
	rig_network(&rig, HELD_OTHER);
	rig_expect(&rig, SESSION_CONNECT, SESSION_DO_HELLO, NULL, "");
	rig_wait(&rig, 5000);
	rig_network(&rig, "0.0.0.0");
	rig_expect(&rig, SESSION_CONNECT, SESSION_DO_HELLO, NULL, "");
	rig_network(&rig, RIG_LOCAL);
	rig_expect(&rig, SESSION_CONNECT, RIG_CLOSE_CONNECT | SESSION_DO_HELLO, NULL, "");
	assert_int_equal(session_deadline(&rig.session), rig.now + 20000);
	rig_come_up(&rig);
}

static void test_move_otherwise(void **state)
{
	static const enum session_state states[] = {SESSION_IDLE, SESSION_QUIT, SESSION_LOWER,
						    SESSION_DONE};

	(void)state;
	for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++) {
		struct rig rig;

		held_begin(&rig, SESSION_IDLE);
		rig.session.config.hold = 0;
		rig_reach(&rig, states[i]);
		rig_network(&rig, HELD_OTHER);
		rig_expect(&rig, states[i],
			   rig.session.tunnel == SESSION_TUNNEL_UP ? SESSION_DO_HELLO : 0, NULL,
			   "");
	}
}

/* The packets of a held tunnel go on, so the server is to know from where. */
static void test_hello_of_a_held_tunnel(void **state)
{
	struct rig rig;

	(void)state;
	rig_init_udp(&rig, SESSION_UDP, true, 30);
	rig_reach(&rig, SESSION_UP);
	rig_closed(&rig, "gone");
	rig_wait(&rig, 400);
	rig_network(&rig, RIG_LOCAL);
	rig_expect(&rig, SESSION_WAIT, SESSION_DO_HELLO, NULL, "");
	rig_network(&rig, HELD_OTHER);
	rig_expect(&rig, SESSION_CONNECT, SESSION_DO_HELLO | SESSION_DO_CONNECT, NULL, "");
	rig_network(&rig, HELD_OTHER);
	rig_expect(&rig, SESSION_CONNECT, SESSION_DO_HELLO, NULL, "");
	/* Not once it is going. */
	rig_wait(&rig, HELD_CONNECT);
	rig_connected(&rig);
	held_wait_end(&rig);
	rig_network(&rig, HELD_OTHER);
	rig_expect(&rig, SESSION_GREETING, 0, NULL, "");
}

/* A session that came up ends the row of failures, also where it ends without one. */
static void test_move_begins_anew(void **state)
{
	struct rig rig;

	(void)state;
	held_begin(&rig, SESSION_CONNECT);
	rig_failed(&rig, CLIENT_REFUSED, "refused");
	rig_deadline(&rig, 750);
	rig_failed(&rig, CLIENT_REFUSED, "refused");
	rig_deadline(&rig, 1500);
	rig_come_up(&rig);
	rig_network(&rig, HELD_OTHER);
	rig_failed(&rig, CLIENT_REFUSED, "refused");
	rig_expect(&rig, SESSION_WAIT, SESSION_DO_CLOSE, NULL,
		   "broker.example: refused; next attempt in about 1 s");
}

/* --- a way that is gone, and back ----------------------------------------------------------- */

/* The route to the server goes and comes back: no need to wait, though the address is the same. */
static void test_way_back(void **state)
{
	struct rig rig;

	(void)state;
	held_lose(&rig);
	rig_network(&rig, "0.0.0.0");
	rig_expect(&rig, SESSION_WAIT, SESSION_DO_HELLO, NULL, "");
	rig_deadline(&rig, 500);
	rig_failed(&rig, CLIENT_UNREACHABLE, "no route");
	rig_deadline(&rig, 1500);
	rig_failed(&rig, CLIENT_UNREACHABLE, "no route");
	/* As long as there is none, no change brings an attempt. */
	rig_wait(&rig, 100);
	rig_network(&rig, "0.0.0.0");
	rig_expect(&rig, SESSION_WAIT, SESSION_DO_HELLO, NULL, "");
	rig_network(&rig, RIG_LOCAL);
	rig_expect(&rig, SESSION_CONNECT, SESSION_DO_HELLO | SESSION_DO_CONNECT, NULL, "");
	rig_come_up(&rig);

	/* While it is connecting: what was sent has gone nowhere. */
	held_reach(&rig, SESSION_CONNECT);
	rig_network(&rig, "0.0.0.0");
	rig_network(&rig, RIG_LOCAL);
	rig_expect(&rig, SESSION_CONNECT, RIG_CLOSE_CONNECT | SESSION_DO_HELLO, NULL, "");
	rig_come_up(&rig);

	/* A session that is up may well live on. */
	rig_network(&rig, "0.0.0.0");
	rig_network(&rig, RIG_LOCAL);
	rig_expect(&rig, SESSION_UP, SESSION_DO_HELLO, NULL, "");
}

/* Started before the network: each change may be what is missing, but not ten of them a second. */
static void test_network_comes_late(void **state)
{
	static const enum client_exit failures[] = {CLIENT_NAME, CLIENT_UNREACHABLE};
	struct rig rig;

	(void)state;
	for (size_t i = 0; i < sizeof(failures) / sizeof(failures[0]); i++) {
		held_begin(&rig, SESSION_CONNECT);
		for (int64_t pause = 750; pause <= 12000; pause *= 2) {
			rig_failed(&rig, failures[i], "no");
			rig_deadline(&rig, pause);
		}
		rig_failed(&rig, failures[i], "no");
		rig_network(&rig, "0.0.0.0");
		rig_expect(&rig, SESSION_CONNECT, SESSION_DO_CONNECT, NULL, "");
		rig_failed(&rig, failures[i], "no");
		rig_wait(&rig, 1000);
		rig_network(&rig, "0.0.0.0");
		rig_expect(&rig, SESSION_WAIT, 0, NULL, "");
		rig_network(&rig, "0.0.0.0");
		rig_deadline(&rig, 4000);
		rig_expect(&rig, SESSION_CONNECT, SESSION_DO_CONNECT, NULL, "");
	}
	/* What failed otherwise is not helped by it. */
	held_begin(&rig, SESSION_CONNECT);
	rig_failed(&rig, CLIENT_REFUSED, "refused");
	rig_network(&rig, "0.0.0.0");
	rig_deadline(&rig, 750);
}

/* A pause of the slowest pace has its reason elsewhere. */
static void test_way_back_to_a_refusal(void **state)
{
	struct rig rig;

	(void)state;
	held_begin(&rig, SESSION_UP);
	rig_line(&rig, "-ERR superseded by a new session");
	rig_network(&rig, "0.0.0.0");
	rig_network(&rig, RIG_LOCAL);
	rig_expect(&rig, SESSION_WAIT, SESSION_DO_HELLO, NULL, "");
	assert_int_equal(rig.session.deadline, rig.now + 45000);
}

/* --- sleep ---------------------------------------------------------------------------------- */

#define SLEPT "this machine has slept for 1200 s"

static void test_sleep_when_up(void **state)
{
	struct rig rig;

	(void)state;
	for (int i = 0; i < 2; i++) {
		held_begin(&rig, SESSION_UP);
		if (i == 1) { /* the answer to a ping was outstanding */
			rig_deadline(&rig, 60000);
			rig_expect(&rig, SESSION_UP, SESSION_DO_SEND, "ping", "");
		}
		rig_woke(&rig, 1200);
		rig_expect(&rig, SESSION_UP, SESSION_DO_SEND | SESSION_DO_HELLO, "ping", SLEPT);
		assert_false(rig.actions.warning);
		if (i == 0) {
			rig_line(&rig, "+OK pong");
			rig_deadline(&rig, 60000);
			rig_expect(&rig, SESSION_UP, SESSION_DO_SEND, "ping", "");
		} else {
			rig_deadline(&rig, 15000);
			rig_expect(&rig, SESSION_WAIT, SESSION_DO_CLOSE, NULL,
				   "session lost: broker.example: no answer to ping within 15 s; "
				   "next attempt within 3 s");
		}
	}
}

static void test_sleep_otherwise(void **state)
{
	struct rig rig;

	(void)state;
	for (enum session_state in = SESSION_IDLE; in <= SESSION_DONE; in++) {
		if (in == SESSION_TEST)
			continue;
		held_begin(&rig, SESSION_IDLE);
		/* So that there is a LOWER. */
		rig.session.config.hold = 0;
		rig_reach(&rig, in == SESSION_WAIT ? SESSION_CONNECT : in);
		if (in == SESSION_WAIT)
			rig_failed(&rig, CLIENT_REFUSED, "refused");
		rig_woke(&rig, 1200);
		switch (in) {
		case SESSION_CONNECT:
		case SESSION_GREETING:
		case SESSION_LOGIN:
			rig_expect(&rig, SESSION_CONNECT, RIG_CLOSE_CONNECT, NULL, SLEPT);
			break;
		case SESSION_WAIT:
			rig_expect(&rig, SESSION_CONNECT, SESSION_DO_CONNECT, NULL, SLEPT);
			break;
		case SESSION_UP:
			rig_expect(&rig, SESSION_UP, SESSION_DO_SEND | SESSION_DO_HELLO, "ping",
				   SLEPT);
			break;
		case SESSION_IDLE:
		case SESSION_TEST:
		case SESSION_RAISE:
		case SESSION_QUIT:
		case SESSION_LOWER:
		case SESSION_DOWN:
		case SESSION_DONE:
			rig_expect(&rig, in,
				   rig.session.tunnel == SESSION_TUNNEL_UP ? SESSION_DO_HELLO : 0,
				   NULL, SLEPT);
			break;
		}
	}
}

/* A program that was stopped has not heard the answer that may have come. */
static void test_stopped_for_a_while(void **state)
{
	struct rig rig;

	(void)state;
	held_begin(&rig, SESSION_UP);
	rig_deadline(&rig, 60000);
	rig_wait(&rig, 15000 + SESSION_GAP_MS - 1);
	rig_input(&rig, SESSION_TIME);
	assert_int_equal(rig.session.state, SESSION_WAIT);

	held_begin(&rig, SESSION_UP);
	rig_deadline(&rig, 60000);
	rig_wait(&rig, 15000 + SESSION_GAP_MS);
	rig_input(&rig, SESSION_TIME);
	rig_expect(&rig, SESSION_UP, SESSION_DO_SEND, "ping", "");
	rig_deadline(&rig, 15000);
	rig_expect(&rig, SESSION_WAIT, SESSION_DO_CLOSE, NULL,
		   "session lost: broker.example: no answer to ping within 15 s; next attempt "
		   "within 3 s");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_change_that_does_not_matter),
		cmocka_unit_test(test_move_when_up),
		cmocka_unit_test(test_move_before_the_tunnel),
		cmocka_unit_test(test_move_while_raising),
		cmocka_unit_test(test_move_while_waiting),
		cmocka_unit_test(test_move_while_connecting),
		cmocka_unit_test(test_move_otherwise),
		cmocka_unit_test(test_hello_of_a_held_tunnel),
		cmocka_unit_test(test_move_begins_anew),
		cmocka_unit_test(test_way_back),
		cmocka_unit_test(test_network_comes_late),
		cmocka_unit_test(test_way_back_to_a_refusal),
		cmocka_unit_test(test_sleep_when_up),
		cmocka_unit_test(test_sleep_otherwise),
		cmocka_unit_test(test_stopped_for_a_while),
	};

	return cmocka_run_group_tests_name("client session network", tests, NULL, NULL);
}
