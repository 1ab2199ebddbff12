/* SPDX-License-Identifier: BSD-2-Clause */
/* A tunnel that is up, or being made: pings, and the ways in which the server ends it. */
#include "rig.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void test_ping(void **state)
{
	struct rig rig;

	(void)state;
	rig_init(&rig);
	rig_reach(&rig, SESSION_UP);
	for (int i = 0; i < 3; i++) {
		rig_deadline(&rig, 60000);
		rig_expect(&rig, SESSION_UP, SESSION_DO_SEND, "ping", "");
		assert_int_equal(rig.session.deadline, rig.now + 15000);
		/* Just in time; the next one is a minute after the answer. */
		rig_wait(&rig, 14999);
		rig_line(&rig, i == 1 ? "+OK pong" : "+OK hi, happy to hear from you");
		rig_expect(&rig, SESSION_UP, 0, NULL, "");
	}
	rig_deadline(&rig, 60000);
	rig_expect(&rig, SESSION_UP, SESSION_DO_SEND, "ping", "");
}

static void test_ping_without_answer(void **state)
{
	struct rig rig;

	(void)state;
	rig_init(&rig);
	rig_reach(&rig, SESSION_UP);
	rig_deadline(&rig, 60000);
	rig_deadline(&rig, 15000);
	rig_expect(&rig, SESSION_LOWER, SESSION_DO_CLOSE | SESSION_DO_LOWER, NULL,
		   "tunnel down: broker.example: no answer to ping within 15 s");
	assert_true(rig.actions.warning);
	rig_input(&rig, SESSION_LOWERED);
	rig_expect(&rig, SESSION_DONE, SESSION_DO_EXIT, NULL, "");
	rig_expect_exit(&rig, CLIENT_TIMEOUT);
}

static void test_other_keepalive(void **state)
{
	struct rig rig;

	(void)state;
	rig_init(&rig);
	rig.session.config.keepalive = 7;
	rig.session.config.keepalive_timeout = 3;
	rig_reach(&rig, SESSION_UP);
	rig_deadline(&rig, 7000);
	rig_expect(&rig, SESSION_UP, SESSION_DO_SEND, "ping", "");
	rig_deadline(&rig, 3000);
	rig_expect(&rig, SESSION_LOWER, SESSION_DO_CLOSE | SESSION_DO_LOWER, NULL,
		   "tunnel down: broker.example: no answer to ping within 3 s");
}

/* A session that ended while a ping was out begins its successor with a clean slate. */
static void test_ping_is_forgotten(void **state)
{
	struct rig rig;

	(void)state;
	rig_init(&rig);
	rig_reach(&rig, SESSION_UP);
	rig_deadline(&rig, 60000);
	rig_input(&rig, SESSION_RECONNECT);
	rig_line(&rig, "+OK");
	rig_input(&rig, SESSION_LOWERED);
	rig_connected(&rig);
	rig_line(&rig, RIG_GREETING);
	rig_line(&rig, RIG_REPLY);
	rig_input(&rig, SESSION_RAISED);
	rig_deadline(&rig, 60000);
	rig_expect(&rig, SESSION_UP, SESSION_DO_SEND, "ping", "");
}

/* What ends a tunnel in state up, as message and status. */
static void expect_down(void (*feed)(struct rig *rig, const char *text), const char *text,
			enum client_exit status, const char *reason)
{
	struct rig rig;
	char message[700];

	rig_init(&rig);
	rig_reach(&rig, SESSION_UP);
	feed(&rig, text);
	(void)snprintf(message, sizeof(message), "tunnel down: %s", reason);
	rig_expect(&rig, SESSION_LOWER, SESSION_DO_CLOSE | SESSION_DO_LOWER, NULL, message);
	assert_true(rig.actions.warning);
	rig_input(&rig, SESSION_LOWERED);
	rig_expect(&rig, SESSION_DONE, SESSION_DO_EXIT, NULL, "");
	rig_expect_exit(&rig, status);

	/* While monitor still makes the tunnel: it has to be waited for, and undone. */
	rig_init(&rig);
	rig_reach(&rig, SESSION_RAISE);
	feed(&rig, text);
	rig_expect(&rig, SESSION_LOWER, SESSION_DO_CLOSE, NULL, reason);
	rig_input(&rig, SESSION_RAISED);
	rig_expect(&rig, SESSION_LOWER, SESSION_DO_LOWER, NULL, "");
	rig_input(&rig, SESSION_LOWERED);
	rig_expect(&rig, SESSION_DONE, SESSION_DO_EXIT, NULL, "");
	rig_expect_exit(&rig, status);

	/* The same where monitor could not make it: then there is nothing to undo. */
	rig_init(&rig);
	rig_reach(&rig, SESSION_RAISE);
	feed(&rig, text);
	rig_input(&rig, SESSION_RAISE_ERROR);
	rig_expect(&rig, SESSION_DONE, SESSION_DO_EXIT, NULL, "");
	rig_expect_exit(&rig, status);
}

static void test_farewell(void **state)
{
	(void)state;
	expect_down(rig_line, "-ERR superseded by a new session", CLIENT_SERVER,
		    "broker.example: the server says: superseded by a new session (another place "
		    "uses the account of this user)");
	expect_down(rig_line, "-ERR connection timed out, disconnecting", CLIENT_SERVER,
		    "broker.example: the server says: connection timed out, disconnecting");
	expect_down(rig_line, "-ERR server is shutting down", CLIENT_SERVER,
		    "broker.example: the server says: server is shutting down");
	expect_down(rig_line, "-ERR account changed", CLIENT_SERVER,
		    "broker.example: the server says: account changed");
	/* What it says beyond that is shown as what it is. */
	expect_down(rig_line, "-ERR account changed \x1b[2J\xc3\xbc\\", CLIENT_SERVER,
		    "broker.example: the server says: account changed \\x1b[2J\\xc3\\xbc\\x5c");
}

/* Other words after -ERR are an answer: the server is there, and does not close. */
static void test_errors(void **state)
{
	static const char *const lines[][2] = {
		{"-ERR", ""},
		{"-ERR invalid command", "invalid command"},
		/* Nothing about the account is to be read out of it now. */
		{"-ERR authentication failed.", "authentication failed."},
		{"-ERR \x07 d\xc3\xa9sol\xc3\xa9", "\\x07 d\\xc3\\xa9sol\\xc3\\xa9"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		char message[200];
		struct rig rig;

		(void)snprintf(message, sizeof(message), "broker.example: the server says: %s",
			       lines[i][1]);
		rig_init(&rig);
		rig_reach(&rig, SESSION_UP);
		/* Two, and again two after an answer that is none. */
		for (int turn = 0; turn < 4; turn++) {
			rig_deadline(&rig, 60000);
			rig_expect(&rig, SESSION_UP, SESSION_DO_SEND, "ping", "");
			rig_line(&rig, lines[i][0]);
			rig_expect(&rig, SESSION_UP, 0, NULL, message);
			assert_true(rig.actions.warning);
			if (turn != 1)
				continue;
			rig_deadline(&rig, 60000);
			rig_line(&rig, "+OK pong");
			rig_expect(&rig, SESSION_UP, 0, NULL, "");
		}
		/* The third in a row. */
		rig_deadline(&rig, 60000);
		rig_line(&rig, lines[i][0]);
		(void)snprintf(message, sizeof(message),
			       "tunnel down: broker.example: the server says: %s", lines[i][1]);
		rig_expect(&rig, SESSION_LOWER, RIG_CLOSE_LOWER, NULL, message);
		rig_input(&rig, SESSION_LOWERED);
		rig_expect_exit(&rig, CLIENT_SERVER);

		/* While the tunnel is made, it goes on being made. */
		rig_init(&rig);
		rig_reach(&rig, SESSION_RAISE);
		rig_line(&rig, lines[i][0]);
		assert_int_equal(rig.session.state, SESSION_RAISE);
		rig_input(&rig, SESSION_RAISED);
		rig_expect(&rig, SESSION_UP, 0, NULL, "");
	}
}

/* They are counted anew in each session. */
static void test_errors_of_another_session(void **state)
{
	struct rig rig;

	(void)state;
	rig_init(&rig);
	rig_reach(&rig, SESSION_UP);
	rig_line(&rig, "-ERR no");
	rig_line(&rig, "-ERR no");
	rig_input(&rig, SESSION_RECONNECT);
	rig_line(&rig, "+OK bye");
	rig_input(&rig, SESSION_LOWERED);
	rig_come_up(&rig);
	rig_line(&rig, "-ERR no");
	rig_line(&rig, "-ERR no");
	assert_int_equal(rig.session.state, SESSION_UP);
	rig_line(&rig, "-ERR no");
	assert_int_equal(rig.session.state, SESSION_LOWER);
}

static void test_garbage(void **state)
{
	(void)state;
	expect_down(rig_line, "what?", CLIENT_GARBAGE,
		    "broker.example: server not understood: begins neither with +OK nor with "
		    "-ERR");
	expect_down(rig_line, "", CLIENT_GARBAGE,
		    "broker.example: server not understood: is empty");
	expect_down(rig_bad_line, "a line of more than 512 bytes", CLIENT_GARBAGE,
		    "broker.example: server not understood: a line of more than 512 bytes");
}

static void test_closed(void **state)
{
	(void)state;
	expect_down(rig_closed, "the server closed the connection", CLIENT_CLOSED,
		    "broker.example: the server closed the connection");
	expect_down(rig_closed, "connection lost: Connection reset by peer", CLIENT_CLOSED,
		    "broker.example: connection lost: Connection reset by peer");
}

/* The longest line of a server is cut, not spilt: the reason to 399 bytes. */
static void test_long_farewell(void **state)
{
	char line[DTCP_LINE_MAX + 1];
	char reason[400];

	(void)state;
	memset(line, 'z', sizeof(line) - 1);
	memcpy(line, "-ERR account changed ", 21);
	line[sizeof(line) - 1] = '\0';
	(void)snprintf(reason, sizeof(reason), "broker.example: the server says: %.366s", line + 5);
	expect_down(rig_line, line, CLIENT_SERVER, reason);
}

/* Answers while the tunnel is being made are nobody's, but no reason to give up either. */
static void test_answer_while_raising(void **state)
{
	struct rig rig;

	(void)state;
	rig_init(&rig);
	rig_reach(&rig, SESSION_RAISE);
	rig_line(&rig, "+OK by the way");
	rig_expect(&rig, SESSION_RAISE, 0, NULL, "");
	rig_wait(&rig, 1000000);
	rig_input(&rig, SESSION_TIME);
	rig_expect(&rig, SESSION_RAISE, 0, NULL, "");
	rig_input(&rig, SESSION_RAISED);
	rig_expect(&rig, SESSION_UP, 0, NULL, "");
}

static void test_state_names(void **state)
{
	static const char *const names[] = {"idle", "connect", "greeting", "login", "test", "raise",
					    "up",   "quit",    "lower",	   "wait",  "down", "done"};

	(void)state;
	for (enum session_state i = SESSION_IDLE; i <= SESSION_DONE; i++)
		assert_string_equal(session_state_name(i), names[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ping),
		cmocka_unit_test(test_ping_without_answer),
		cmocka_unit_test(test_other_keepalive),
		cmocka_unit_test(test_ping_is_forgotten),
		cmocka_unit_test(test_farewell),
		cmocka_unit_test(test_errors),
		cmocka_unit_test(test_errors_of_another_session),
		cmocka_unit_test(test_garbage),
		cmocka_unit_test(test_closed),
		cmocka_unit_test(test_long_farewell),
		cmocka_unit_test(test_answer_while_raising),
		cmocka_unit_test(test_state_names),
	};

	return cmocka_run_group_tests_name("client session life", tests, NULL, NULL);
}
