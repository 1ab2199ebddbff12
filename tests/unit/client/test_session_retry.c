/* SPDX-License-Identifier: BSD-2-Clause */
/* -l: how the attempts follow each other. */
#include "rig.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void begin(struct rig *rig)
{
	rig_init(rig);
	rig->session.config.loop = true;
	rig_input(rig, SESSION_START);
}

#define LAST " (not said again for an hour, unless it changes)"

/* Fails the connection and expects the pause, which passes. */
static void fail_once(struct rig *rig, uint32_t seconds)
{
	char message[150];

	rig_random = 0;
	rig_failed(rig, CLIENT_REFUSED, "refused");
	(void)snprintf(message, sizeof(message),
		       "broker.example: refused; next attempt in about %u s%s", seconds,
		       seconds == 16 ? LAST : "");
	assert_true(rig->actions.suppressed == (seconds > 16));
	rig_expect(rig, SESSION_WAIT, SESSION_DO_CLOSE, NULL, message);
	assert_true(rig->actions.warning);
	assert_int_equal(rig_random_below, seconds * 500 + 1);
	rig_deadline(rig, (int64_t)seconds * 750);
	rig_expect(rig, SESSION_CONNECT, SESSION_DO_CONNECT, NULL, "");
}

static void test_doubling(void **state)
{
	static const uint32_t seconds[] = {1, 2, 4, 8, 16, 32, 60, 60, 60, 60};
	struct rig rig;

	(void)state;
	begin(&rig);
	for (size_t i = 0; i < sizeof(seconds) / sizeof(seconds[0]); i++)
		fail_once(&rig, seconds[i]);
}

/* A server that is off for a day: a line an hour, and one when it is back. */
static void test_a_day_of_it(void **state)
{
	static const uint32_t seconds[] = {1, 2, 4, 8, 16, 32};
	unsigned int suppressed = 0;
	int64_t begun;
	int64_t said;
	struct rig rig;

	(void)state;
	begin(&rig);
	begun = rig.now;
	for (size_t i = 0; i < sizeof(seconds) / sizeof(seconds[0]); i++)
		fail_once(&rig, seconds[i]);
	said = begun + 750 * (1 + 2 + 4 + 8);
	for (unsigned int failures = 7; failures < 1500; failures++) {
		char message[150];

		rig_failed(&rig, CLIENT_REFUSED, "refused");
		if (rig.now - said < 3600000) {
			suppressed++;
			assert_true(rig.actions.suppressed);
		} else {
			(void)snprintf(message, sizeof(message),
				       "broker.example: refused; next attempt in about 60 s (%u "
				       "failures in %d s)",
				       failures, (int)(rig.now - begun) / 1000);
			assert_false(rig.actions.suppressed);
			assert_string_equal(rig.actions.message, message);
			said = rig.now;
		}
		rig_deadline(&rig, 45000);
	}
	assert_int_equal(suppressed, 1500 - 7 - 18);
	rig_request(&rig);
	rig_line(&rig, RIG_REPLY);
	rig_input(&rig, SESSION_RAISED);
	rig_expect(&rig, SESSION_UP, 0, NULL,
		   "broker.example: works again, after 1499 failures in 67232 s");
	assert_false(rig.actions.warning);
	/* And everything is news again. */
	rig_wait(&rig, 60000);
	rig_closed(&rig, "gone");
	rig_input(&rig, SESSION_LOWERED);
	rig_deadline(&rig, 500);
	fail_once(&rig, 2);
}

/* What is new is said at once, and what was there before is not new. */
static void test_reasons_take_turns(void **state)
{
	struct rig rig;
	int said = 0;

	(void)state;
	begin(&rig);
	for (int i = 0; i < 60; i++) {
		rig_failed(&rig, i % 2 ? CLIENT_REFUSED : CLIENT_NAME, i % 2 ? "refused" : "name");
		said += !rig.actions.suppressed;
		rig_wait(&rig, session_deadline(&rig.session) - rig.now);
		rig_input(&rig, SESSION_TIME);
	}
	assert_int_equal(said, 10);
	rig_failed(&rig, CLIENT_UNREACHABLE, "no route");
	rig_expect(&rig, SESSION_WAIT, SESSION_DO_CLOSE, NULL,
		   "broker.example: no route; next attempt in about 60 s");
	assert_false(rig.actions.suppressed);
}

/* A quarter less to a quarter more of every pause. */
static void test_jitter(void **state)
{
	static const struct {
		uint32_t random, below;
		int64_t wait;
	} rows[][3] = {
		{{0, 501, 750}, {250, 501, 1000}, {500, 501, 1250}},
		{{0, 1001, 1500}, {500, 1001, 2000}, {1000, 1001, 2500}},
		{{0, 2001, 3000}, {1000, 2001, 4000}, {2000, 2001, 5000}},
		{{0, 4001, 6000}, {2000, 4001, 8000}, {4000, 4001, 10000}},
		{{0, 8001, 12000}, {4000, 8001, 16000}, {8000, 8001, 20000}},
		{{0, 16001, 24000}, {8000, 16001, 32000}, {16000, 16001, 40000}},
		{{0, 30001, 45000}, {15000, 30001, 60000}, {30000, 30001, 75000}},
	};

	(void)state;
	for (int column = 0; column < 3; column++) {
		struct rig rig;

		begin(&rig);
		for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
			rig_random = rows[i][column].random;
			rig_failed(&rig, CLIENT_UNREACHABLE, "no route");
			assert_int_equal(rig_random_below, rows[i][column].below);
			rig_deadline(&rig, rows[i][column].wait);
			rig_expect(&rig, SESSION_CONNECT, SESSION_DO_CONNECT, NULL, "");
		}
	}
}

/* Every failure that may pass is tried again, at the pace of its turn. */
static void test_each_failure(void **state)
{
	struct rig rig;

	(void)state;
	begin(&rig);
	fail_once(&rig, 1);
	rig_deadline(&rig, 20000);
	rig_expect(&rig, SESSION_WAIT, SESSION_DO_CLOSE, NULL,
		   "broker.example: connection timed out; next attempt in about 2 s");
	rig_deadline(&rig, 1500);
	rig_connected(&rig);
	rig_deadline(&rig, 10000);
	rig_expect(&rig, SESSION_WAIT, SESSION_DO_CLOSE, NULL,
		   "broker.example: connected, but no answer within 10 s; next attempt in about 4 "
		   "s");
	rig_deadline(&rig, 3000);
	rig_connected(&rig);
	rig_line(&rig, "hello");
	rig_expect(&rig, SESSION_WAIT, SESSION_DO_CLOSE, NULL,
		   "broker.example: the server's greeting is not understood: begins neither with "
		   "+OK nor with -ERR; next attempt in about 8 s");
	rig_deadline(&rig, 6000);
	rig_connected(&rig);
	rig_line(&rig, RIG_GREETING);
	rig_line(&rig, "-ERR tunnel interface sold out");
	rig_expect(&rig, SESSION_WAIT, SESSION_DO_CLOSE, NULL,
		   "broker.example: refused by the server: tunnel interface sold out; next attempt "
		   "in about 16 s");
	rig_deadline(&rig, 12000);
	rig_connected(&rig);
	rig_line(&rig, RIG_GREETING);
	rig_closed(&rig, "the server closed the connection");
	rig_expect(&rig, SESSION_WAIT, SESSION_DO_CLOSE, NULL,
		   "broker.example: the server closed the connection; next attempt in about 32 s");
	rig_deadline(&rig, 24000);
	rig_failed(&rig, CLIENT_NAME, "server name not found: x");
	rig_expect(&rig, SESSION_WAIT, SESSION_DO_CLOSE, NULL,
		   "broker.example: server name not found: x; next attempt in about 60 s");
}

/*
 * What a quick second attempt cannot change is tried once a minute from the first time on, and said
 * once.
 */
static void test_slowest_pace(void **state)
{
	static const struct {
		const char *reply;
		const char *message;
	} rows[] = {
		{"-ERR authentication failed.",
		 "broker.example: user foo: wrong user name or password (server: authentication "
		 "failed.); next attempt in about 60 s"},
		{"-ERR unsupported tunnel type tunnelonly",
		 "broker.example: the server does not offer tunnel type tunnelonly, or not to "
		 "this user (server: unsupported tunnel type tunnelonly); next attempt in about 60 "
		 "s"},
		{"+OK 203.0.113.7 192.0.2.1",
		 "broker.example: NAT found: the server sees 203.0.113.7, but the address here is "
		 "198.51.100.2; protocol 41 does not pass most NATs; use UDP (--transport auto, or "
		 "-U -n), or -n to skip this check; next attempt in about 60 s"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct rig rig;

		begin(&rig);
		for (int turn = 0; turn < 3; turn++) {
			rig_connected(&rig);
			rig_line(&rig, RIG_GREETING);
			char message[400];

			rig_line(&rig, rows[i].reply);
			(void)snprintf(message, sizeof(message), "%s%s", rows[i].message,
				       turn == 0 ? LAST : "");
			rig_expect(&rig, SESSION_WAIT, SESSION_DO_CLOSE, NULL, message);
			assert_true(rig.actions.suppressed == (turn > 0));
			assert_int_equal(rig_random_below, 30001);
			rig_deadline(&rig, 45000);
			rig_expect(&rig, SESSION_CONNECT, SESSION_DO_CONNECT, NULL, "");
		}
		rig_request(&rig);
		rig_line(&rig, RIG_REPLY);
		rig_input(&rig, SESSION_RAISED);
		rig_expect(&rig, SESSION_UP, 0, NULL,
			   "broker.example: works again, after 3 failures in 135 s");
	}
}

/* The clients of a server that was restarted come at times of their own. */
static void test_spread(void **state)
{
	static const uint32_t random[] = {0, 1250, 2500};
	struct rig rig;

	(void)state;
	for (size_t i = 0; i < sizeof(random) / sizeof(random[0]); i++) {
		begin(&rig);
		rig_come_up(&rig);
		rig_random = random[i];
		rig_line(&rig, "-ERR server is shutting down");
		rig_expect(&rig, SESSION_LOWER, RIG_CLOSE_LOWER, NULL,
			   "tunnel down: broker.example: the server says: server is shutting down; "
			   "next attempt within 3 s");
		assert_int_equal(rig_random_below, 2501);
		rig_input(&rig, SESSION_LOWERED);
		rig_random = 0;
		rig_deadline(&rig, 500 + random[i]);
		rig_expect(&rig, SESSION_CONNECT, SESSION_DO_CONNECT, NULL, "");
		fail_once(&rig, 2);
	}
}

/* A server that is restarted twice has said so: its clients are not late for it. */
static void test_restarted_twice(void **state)
{
	struct rig rig;

	(void)state;
	begin(&rig);
	for (int i = 0; i < 3; i++) {
		rig_come_up(&rig);
		rig_wait(&rig, 1000);
		rig_line(&rig, "-ERR server is shutting down");
		rig_input(&rig, SESSION_LOWERED);
		rig_deadline(&rig, 500);
		fail_once(&rig, 2);
		fail_once(&rig, 4);
	}
}

/* From where it is connecting to where the tunnel is up, and it ends. */
static void come_up_and_fall(struct rig *rig)
{
	rig_connected(rig);
	rig_line(rig, RIG_GREETING);
	rig_line(rig, RIG_REPLY);
	rig_input(rig, SESSION_RAISED);
	rig_expect(rig, SESSION_UP, 0, NULL, "");
	rig_wait(rig, 60000);
	rig_closed(rig, "the server closed the connection");
	rig_expect(rig, SESSION_LOWER, RIG_CLOSE_LOWER, NULL,
		   "tunnel down: broker.example: the server closed the connection; next attempt "
		   "within 3 s");
	assert_int_equal(rig_random_below, 2501);
	rig_wait(rig, 5000); /* a slow script */
	rig_input(rig, SESSION_LOWERED);
	rig_expect(rig, SESSION_WAIT, 0, NULL, "");
	rig_deadline(rig, 500);
	rig_expect(rig, SESSION_CONNECT, SESSION_DO_CONNECT, NULL, "");
}

/* A session that was up for a minute starts the doubling anew. */
static void test_success_resets(void **state)
{
	struct rig rig;

	(void)state;
	begin(&rig);
	fail_once(&rig, 1);
	fail_once(&rig, 2);
	fail_once(&rig, 4);
	come_up_and_fall(&rig);
	fail_once(&rig, 2);
	fail_once(&rig, 4);
	come_up_and_fall(&rig);
}

static void test_fall_as_soon_as_up(void **state)
{
	struct rig rig;

	(void)state;
	begin(&rig);
	fail_once(&rig, 1);
	fail_once(&rig, 2);
	rig_come_up(&rig);
	rig_wait(&rig, 59999);
	rig_closed(&rig, "gone");
	rig_expect(&rig, SESSION_LOWER, RIG_CLOSE_LOWER, NULL,
		   "tunnel down: broker.example: gone; next attempt in about 4 s");
}

/* Two places with one account do not take it from each other every second. */
static void test_superseded(void **state)
{
	struct rig rig;

	(void)state;
	begin(&rig);
	rig_come_up(&rig);
	rig_wait(&rig, 60000);
	rig_line(&rig, "-ERR superseded by a new session");
	rig_expect(&rig, SESSION_LOWER, RIG_CLOSE_LOWER, NULL,
		   "tunnel down: broker.example: the server says: superseded by a new session "
		   "(another place uses the account of this user); next attempt in about 60 s");
}

static void test_request_resets(void **state)
{
	struct rig rig;

	(void)state;
	begin(&rig);
	fail_once(&rig, 1);
	fail_once(&rig, 2);
	rig_input(&rig, SESSION_RECONNECT);
	fail_once(&rig, 1);
}

/* A tunnel that falls while it is being made does not count as one that was up. */
static void test_fall_while_raising(void **state)
{
	struct rig rig;

	(void)state;
	begin(&rig);
	fail_once(&rig, 1);
	rig_connected(&rig);
	rig_line(&rig, RIG_GREETING);
	rig_line(&rig, RIG_REPLY);
	rig_closed(&rig, "gone");
	rig_expect(&rig, SESSION_LOWER, SESSION_DO_CLOSE, NULL,
		   "broker.example: gone; next attempt in about 2 s");
	rig_input(&rig, SESSION_RAISED);
	rig_expect(&rig, SESSION_LOWER, SESSION_DO_LOWER, NULL, "");
	rig_input(&rig, SESSION_LOWERED);
	rig_expect(&rig, SESSION_WAIT, 0, NULL, "");
	rig_deadline(&rig, 1500);
	rig_expect(&rig, SESSION_CONNECT, SESSION_DO_CONNECT, NULL, "");
}

/* The next session waits for monitor, however long the old one's removal takes. */
static void test_raise_fails_after_fall(void **state)
{
	struct rig rig;

	(void)state;
	begin(&rig);
	rig_connected(&rig);
	rig_line(&rig, RIG_GREETING);
	rig_line(&rig, RIG_REPLY);
	rig_closed(&rig, "gone");
	rig_wait(&rig, 30000);
	rig_input(&rig, SESSION_TIME);
	rig_expect(&rig, SESSION_LOWER, 0, NULL, "");
	rig_input(&rig, SESSION_RAISE_ERROR);
	rig_expect(&rig, SESSION_WAIT, 0, NULL, "");
	rig_deadline(&rig, 750);
	rig_expect(&rig, SESSION_CONNECT, SESSION_DO_CONNECT, NULL, "");
}

/* Local trouble may pass as well, but not quickly: said once, and tried again at the slowest pace.
 */
static void test_local_failure(void **state)
{
	struct rig rig;

	(void)state;
	begin(&rig);
	rig_random = 0;
	for (int i = 0; i < 3; i++) {
		rig_request(&rig);
		rig_line(&rig, RIG_REPLY);
		rig_input(&rig, SESSION_RAISE_ERROR);
		rig_expect(
			&rig, SESSION_WAIT, SESSION_DO_CLOSE, NULL,
			i == 0 ? "the tunnel cannot be made here; next attempt in about 60 s" LAST
			       : "the tunnel cannot be made here; next attempt in about 60 s");
		assert_true(rig.actions.suppressed == (i > 0));
		/* A change of the network is of no use, and the server is not to blame. */
		rig_network(&rig, RIG_LOCAL);
		rig_expect(&rig, SESSION_WAIT, 0, NULL, "");
		assert_false(session_server(&rig.session)->past);
		rig_deadline(&rig, 45000);
		rig_expect(&rig, SESSION_CONNECT, SESSION_DO_CONNECT, NULL, "");
	}
	rig_failed(&rig, CLIENT_LOCAL, "Too many open files");
	rig_expect(&rig, SESSION_WAIT, SESSION_DO_CLOSE, NULL,
		   "broker.example: Too many open files; next attempt in about 60 s" LAST);
	rig_deadline(&rig, 45000);
	rig_request(&rig);
	rig_line(&rig, RIG_REPLY);
	rig_input(&rig, SESSION_RAISED);
	rig_expect(&rig, SESSION_UP, 0, NULL,
		   "broker.example: works again, after 4 failures in 180 s");
}

/* Somebody has removed the interface, and it cannot be made again. */
static void test_lost(void **state)
{
	struct rig rig;

	(void)state;
	begin(&rig);
	rig_come_up(&rig);
	rig_wait(&rig, 90000);
	rig_random = 0;
	rig_input(&rig, SESSION_LOST);
	rig_expect(&rig, SESSION_WAIT, SESSION_DO_CLOSE, NULL,
		   "session lost: the tunnel cannot be made here; next attempt in about 60 s");
	rig_deadline(&rig, 45000);
	rig_come_up(&rig);
	rig_expect(&rig, SESSION_UP, 0, NULL, "");

	/* While it says good-bye, for an end that has been decided. */
	rig_input(&rig, SESSION_STOP);
	rig_input(&rig, SESSION_LOST);
	rig_expect(&rig, SESSION_QUIT, 0, NULL, "");
	rig_line(&rig, "+OK good bye");
	rig_expect_exit(&rig, CLIENT_OK);

	rig_init(&rig);
	rig_reach(&rig, SESSION_UP);
	rig_input(&rig, SESSION_LOST);
	rig_expect_exit(&rig, CLIENT_LOCAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_doubling),
		cmocka_unit_test(test_a_day_of_it),
		cmocka_unit_test(test_reasons_take_turns),
		cmocka_unit_test(test_spread),
		cmocka_unit_test(test_restarted_twice),
		cmocka_unit_test(test_jitter),
		cmocka_unit_test(test_local_failure),
		cmocka_unit_test(test_lost),
		cmocka_unit_test(test_each_failure),
		cmocka_unit_test(test_slowest_pace),
		cmocka_unit_test(test_success_resets),
		cmocka_unit_test(test_fall_as_soon_as_up),
		cmocka_unit_test(test_superseded),
		cmocka_unit_test(test_request_resets),
		cmocka_unit_test(test_fall_while_raising),
		cmocka_unit_test(test_raise_fails_after_fall),
	};

	return cmocka_run_group_tests_name("client session retry", tests, NULL, NULL);
}
