/* SPDX-License-Identifier: BSD-2-Clause */
/* The session over protocol 41, when its path dies and comes back. */
#include "rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define DEAD                                                                                       \
	"broker.example: nothing comes over protocol 41 any more, is it blocked by a firewall? "   \
	"The tunnel stays, in case it comes back"
#define BACK	"broker.example: packets come over protocol 41 again"
#define ANSWERS "broker.example: the far end answers over protocol 41"
#define SILENT_WORDS                                                                               \
	"the far end does not answer over protocol 41, is it blocked by a firewall or a NAT? "     \
	"The tunnel stays, in case it does"
#define SILENT	 "broker.example: " SILENT_WORDS
#define CHANGING "broker.example: nothing comes over protocol 41 any more; changing to UDP"

static void begin(struct rig *rig, enum session_transport transport, enum session_state state)
{
	rig_init_udp(rig, transport, true, 30);
	rig_reach(rig, state);
}

/* Forward finds it dead: whether the server is still there has to be known first. */
static void expect_question(struct rig *rig)
{
	rig_path(rig, false);
	rig_expect(rig, SESSION_UP, SESSION_DO_SEND, "ping", "");
}

static void test_dead_and_back(void **state)
{
	struct rig rig;

	(void)state;
	begin(&rig, SESSION_IPV6, SESSION_UP);
	/* The far end has answered for the first time. */
	rig_path(&rig, true);
	rig_expect(&rig, SESSION_UP, 0, NULL, ANSWERS);
	rig_path(&rig, true);
	rig_expect(&rig, SESSION_UP, 0, NULL, "");
	for (int i = 0; i < 2; i++) {
		expect_question(&rig);
		rig_line(&rig, "+OK pong");
		rig_expect(&rig, SESSION_UP, 0, NULL, DEAD);
		assert_true(rig.actions.warning);
		/* Said once. */
		rig_deadline(&rig, 60000);
		rig_line(&rig, "+OK pong");
		rig_expect(&rig, SESSION_UP, 0, NULL, "");
		rig_path(&rig, true);
		rig_expect(&rig, SESSION_UP, 0, NULL, BACK);
		assert_false(rig.actions.warning);
	}
	/* It is another session's path that dies then. */
	expect_question(&rig);
	rig_line(&rig, "+OK pong");
	rig_closed(&rig, "gone");
	rig_path(&rig, true);
	rig_deadline(&rig, 500);
	rig_come_up(&rig);
	rig_path(&rig, true);
	rig_expect(&rig, SESSION_UP, 0, NULL, ANSWERS);
}

/* Not one packet from the beginning; then it comes after all, and goes again. */
static void test_dead_from_the_start(void **state)
{
	struct rig rig;

	(void)state;
	begin(&rig, SESSION_IPV6, SESSION_UP);
	expect_question(&rig);
	rig_line(&rig, "+OK pong");
	rig_expect(&rig, SESSION_UP, 0, NULL, SILENT "; --transport auto would try UDP as well");
	assert_true(rig.actions.warning);
	rig_deadline(&rig, 60000);
	rig_line(&rig, "+OK pong");
	rig_expect(&rig, SESSION_UP, 0, NULL, "");
	rig_path(&rig, true);
	rig_expect(&rig, SESSION_UP, 0, NULL, ANSWERS);
	assert_false(rig.actions.warning);
	expect_question(&rig);
	rig_line(&rig, "+OK pong");
	rig_expect(&rig, SESSION_UP, 0, NULL, DEAD);
	/* The next login is another matter. */
	rig_closed(&rig, "gone");
	rig_deadline(&rig, 500);
	rig_come_up(&rig);
	expect_question(&rig);
	rig_line(&rig, "+OK pong");
	rig_expect(&rig, SESSION_UP, 0, NULL, SILENT "; --transport auto would try UDP as well");
}

/* Known before the tunnel is up, and said once it is. */
static void test_answers_while_raising(void **state)
{
	struct rig rig;

	(void)state;
	begin(&rig, SESSION_IPV6, SESSION_RAISE);
	rig_path(&rig, true);
	rig_expect(&rig, SESSION_RAISE, 0, NULL, "");
	rig_input(&rig, SESSION_RAISED);
	rig_expect(&rig, SESSION_UP, 0, NULL, ANSWERS);
	/* Tried out first. */
	begin(&rig, SESSION_AUTO, SESSION_RAISE);
	rig_input(&rig, SESSION_RAISED);
	rig_expect(&rig, SESSION_UP, 0, NULL, ANSWERS);
	begin(&rig, SESSION_UDP, SESSION_RAISE);
	rig_input(&rig, SESSION_RAISED);
	rig_expect(&rig, SESSION_UP, 0, NULL, "");
}

static void test_back_before_report(void **state)
{
	static const enum session_transport transports[] = {SESSION_IPV6, SESSION_AUTO};
	struct rig rig;

	(void)state;
	for (size_t i = 0; i < sizeof(transports) / sizeof(transports[0]); i++) {
		begin(&rig, transports[i], SESSION_UP);
		rig_path(&rig, true);
		expect_question(&rig);
		rig_path(&rig, true);
		rig_expect(&rig, SESSION_UP, 0, NULL, "");
		rig_line(&rig, "+OK pong");
		rig_expect(&rig, SESSION_UP, 0, NULL, "");
	}
}

/* The tunnel is kept meanwhile. */
static void test_auto_changes(void **state)
{
	struct rig rig;

	(void)state;
	begin(&rig, SESSION_AUTO, SESSION_UP);
	expect_question(&rig);
	rig_line(&rig, "+OK pong");
	rig_expect(&rig, SESSION_QUIT, SESSION_DO_SEND, "quit", CHANGING);
	assert_false(rig.actions.warning);
	rig_line(&rig, "+OK good bye");
	rig_expect(&rig, SESSION_CONNECT, RIG_CLOSE_CONNECT, NULL, "");
	rig_come_up(&rig);
	assert_true(rig.session.udp);
	/* And back from there, as ever. */
	rig_path(&rig, false);
	rig_deadline(&rig, 500);
	rig_come_up(&rig);
	assert_false(rig.session.udp);
}

/* The server knows no UDP: protocol 41 is what there is, and its tunnel stays, as without auto. */
static void test_auto_has_nothing_else(void **state)
{
	struct rig rig;

	(void)state;
	begin(&rig, SESSION_AUTO, SESSION_UP);
	expect_question(&rig);
	rig_line(&rig, "+OK pong");
	rig_line(&rig, "+OK good bye");
	rig_request(&rig);
	rig_line(&rig, "-ERR authentication failed.");
	rig_expect(
		&rig, SESSION_CONNECT, RIG_CLOSE_CONNECT, NULL,
		"broker.example: the server does not know tunnels over UDP (server: "
		"authentication failed.); trying broker.example over protocol 41, which may pass "
		"all the same");
	rig_request(&rig);
	rig_line(&rig, RIG_REPLY);
	rig_expect(&rig, SESSION_RAISE, RIG_ADD_RAISE, NULL, "");
	rig_input(&rig, SESSION_RAISED);
	expect_question(&rig);
	/* Not every server has an answer to that. */
	rig_line(&rig, "-ERR invalid command");
	rig_expect(&rig, SESSION_UP, 0, NULL,
		   "broker.example: the server says: invalid command; " SILENT_WORDS);
	rig_path(&rig, true);
	rig_expect(&rig, SESSION_UP, 0, NULL, ANSWERS);
}

/* Nothing at all gets through: that says nothing about protocol 41. */
static void test_server_gone(void **state)
{
	static const enum session_transport transports[] = {SESSION_IPV6, SESSION_AUTO};
	struct rig rig;

	(void)state;
	for (size_t i = 0; i < sizeof(transports) / sizeof(transports[0]); i++) {
		begin(&rig, transports[i], SESSION_UP);
		expect_question(&rig);
		rig_deadline(&rig, 15000);
		rig_expect(&rig, SESSION_WAIT, SESSION_DO_CLOSE, NULL,
			   "session lost: broker.example: no answer to ping within 15 s; "
			   "next attempt within 3 s");
		rig_deadline(&rig, 500);
		rig_come_up(&rig);
		assert_false(rig.session.udp);
	}
}

/* What is known of the far end outlives the session; over UDP nothing is learned of it. */
static void test_who_answers(void **state)
{
	const struct in_addr *answers;
	struct rig rig;

	(void)state;
	begin(&rig, SESSION_IPV6, SESSION_UP);
	answers = &session_server(&rig.session)->answers;
	assert_int_equal(answers->s_addr, 0);
	rig_path(&rig, true);
	assert_int_equal(answers->s_addr, rig.session.remote.s_addr);
	rig_closed(&rig, "gone");
	rig_deadline(&rig, 500);
	rig_come_up(&rig);
	assert_int_equal(answers->s_addr, rig.session.remote.s_addr);
	begin(&rig, SESSION_UDP, SESSION_UP);
	assert_int_equal(answers->s_addr, 0);
}

/* The question is on its way already. */
static void test_one_question(void **state)
{
	struct rig rig;

	(void)state;
	begin(&rig, SESSION_IPV6, SESSION_UP);
	rig_deadline(&rig, 60000);
	rig_expect(&rig, SESSION_UP, SESSION_DO_SEND, "ping", "");
	rig_path(&rig, false);
	rig_expect(&rig, SESSION_UP, 0, NULL, "");
	assert_int_equal(rig.session.deadline, rig.now + 15000);
	rig_line(&rig, "+OK pong");
	rig_expect(&rig, SESSION_UP, 0, NULL, SILENT "; --transport auto would try UDP as well");
}

static void test_dead_while_raising(void **state)
{
	struct rig rig;

	(void)state;
	begin(&rig, SESSION_AUTO, SESSION_RAISE);
	rig_path(&rig, false);
	rig_expect(&rig, SESSION_RAISE, 0, NULL, "");
	rig_input(&rig, SESSION_RAISED);
	rig_expect(&rig, SESSION_UP, SESSION_DO_SEND, "ping", "");
	rig_line(&rig, "+OK pong");
	rig_expect(&rig, SESSION_QUIT, SESSION_DO_SEND, "quit", CHANGING);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_dead_and_back),
		cmocka_unit_test(test_dead_from_the_start),
		cmocka_unit_test(test_answers_while_raising),
		cmocka_unit_test(test_back_before_report),
		cmocka_unit_test(test_auto_has_nothing_else),
		cmocka_unit_test(test_auto_changes),
		cmocka_unit_test(test_server_gone),
		cmocka_unit_test(test_who_answers),
		cmocka_unit_test(test_one_question),
		cmocka_unit_test(test_dead_while_raising),
	};

	return cmocka_run_group_tests_name("client session path", tests, NULL, NULL);
}
