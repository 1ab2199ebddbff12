/* SPDX-License-Identifier: BSD-2-Clause */
/* Tunnels over UDP, and --transport auto: what is asked for, tried out, found and remembered. */
#include "rig.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define REQUEST	    "tunnel foo " RIG_RESPONSE " tunnelonly"
#define NAT_FOUND   "broker.example: NAT found"
#define NAT_CHANGED NAT_FOUND " (the server sees " RIG_NAT ", the address here is " RIG_LOCAL ")"
#define NO_ECHO	    "broker.example: the far end does not answer over protocol 41; changing to UDP"
#define SILENT                                                                                     \
	"broker.example: no answer over UDP from port 4028 within 20 s; is it blocked by a "       \
	"firewall?"

static void begin(struct rig *rig, enum session_transport transport, bool loop,
		  enum session_state state)
{
	rig_init_udp(rig, transport, loop, 0);
	rig_reach(rig, state);
}

/* Connects, and the request that is sent is this. */
static void expect_request(struct rig *rig, const char *request)
{
	rig_request(rig);
	rig_expect(rig, SESSION_LOGIN, SESSION_DO_SEND, request, "");
}

/* --- the words ------------------------------------------------------------------------------ */

/* -B and -b name a port; with -n alone the server is to find it. */
static void test_request_words(void **state)
{
	static const struct {
		enum session_transport transport;
		uint16_t port;
		const char *request;
	} rows[] = {
		{SESSION_UDP, 4028, REQUEST " udp=4028"},
		{SESSION_UDP, 1, REQUEST " udp=1"},
		{SESSION_UDP, 65535, REQUEST " udp=65535"},
		{SESSION_UDP, 0, REQUEST " udp"},
		{SESSION_IPV6, 4028, REQUEST},
		{SESSION_AUTO, 0, REQUEST},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct rig rig;

		begin(&rig, rows[i].transport, false, SESSION_CONNECT);
		/* Known when the socket is bound, after the machine was made. */
		rig.session.config.udp_named = rows[i].port;
		expect_request(&rig, rows[i].request);
	}
}

static void test_key(void **state)
{
	uint8_t key[PROBE_KEY_SIZE];
	struct rig rig;

	(void)state;
	begin(&rig, SESSION_UDP, false, SESSION_LOGIN);
	rig_line(&rig, RIG_REPLY RIG_UDP);
	assert_int_equal(rig.session.reply.udp_port, 4028);
	assert_true(rig.session.reply.session == RIG_SESSION);
	assert_true(probe_key(RIG_PASSWORD, RIG_USER, RIG_CHALLENGE, RIG_SESSION, key));
	assert_memory_equal(rig.session.key, key, sizeof(key));
}

/* A server that does not know the words, or half of them, cannot be used. */
static void test_reply_without_udp(void **state)
{
	static const char *const rows[][2] = {
		{RIG_REPLY, "no UDP port and session in it, though it was asked for them"},
		{RIG_REPLY " new=1", "no UDP port and session in it, though it was asked for them"},
		{RIG_REPLY " udp=4028", "has a UDP port but no session"},
		{RIG_REPLY " session=0123456789abcdef", "has a session but no UDP port"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char message[200];
		struct rig rig;

		begin(&rig, SESSION_UDP, false, SESSION_LOGIN);
		rig_line(&rig, rows[i][0]);
		(void)snprintf(message, sizeof(message),
			       "broker.example: the server's reply is not understood: %s",
			       rows[i][1]);
		rig_expect(&rig, SESSION_DONE, RIG_CLOSE_EXIT, NULL, message);
		rig_expect_exit(&rig, CLIENT_GARBAGE);
	}
}

/* Words that were not asked for are no words of ours: the tunnel is one over protocol 41. */
static void test_unrequested_udp(void **state)
{
	struct rig rig;

	(void)state;
	begin(&rig, SESSION_IPV6, false, SESSION_LOGIN);
	rig_line(&rig, RIG_REPLY RIG_UDP);
	rig_expect(&rig, SESSION_RAISE, RIG_ADD_RAISE, NULL, "");
	assert_int_equal(rig.session.reply.udp_port, 0);
	assert_true(rig.session.reply.session == 0);

	begin(&rig, SESSION_AUTO, false, SESSION_LOGIN);
	rig_line(&rig, RIG_REPLY RIG_UDP);
	rig_expect(&rig, SESSION_TEST, SESSION_DO_ADD, NULL, "");
	assert_int_equal(rig.session.reply.udp_port, 0);
}

static void test_transport_refused(void **state)
{
	static const char message[] =
		"broker.example: the server does not offer tunnels over UDP, or not to this user "
		"(server: unsupported transport udp)";
	char again[400];
	struct rig rig;

	(void)state;
	begin(&rig, SESSION_UDP, false, SESSION_LOGIN);
	rig_line(&rig, "-ERR unsupported transport udp");
	rig_expect(&rig, SESSION_DONE, RIG_CLOSE_EXIT, NULL, message);
	rig_expect_exit(&rig, CLIENT_TYPE);

	/* Nothing that a quick second attempt could change. */
	begin(&rig, SESSION_UDP, true, SESSION_LOGIN);
	rig_line(&rig, "-ERR unsupported transport udp");
	(void)snprintf(
		again, sizeof(again),
		"%s; next attempt in about 60 s (not said again for an hour, unless it changes)",
		message);
	rig_expect(&rig, SESSION_WAIT, SESSION_DO_CLOSE, NULL, again);
	rig_deadline(&rig, 45000);
	expect_request(&rig, REQUEST " udp");
}

/* --- NAT ------------------------------------------------------------------------------------ */

static void test_nat_over_udp(void **state)
{
	struct rig rig;

	(void)state;
	begin(&rig, SESSION_UDP, false, SESSION_LOGIN);
	rig_line(&rig, RIG_NAT_REPLY RIG_UDP);
	rig_expect(&rig, SESSION_DONE, RIG_CLOSE_EXIT, NULL,
		   NAT_FOUND ": the server sees 203.0.113.7, but the address here is "
			     "198.51.100.2; -n asks the server to find the way through it");
	rig_expect_exit(&rig, CLIENT_NAT);
	/* -n */
	begin(&rig, SESSION_UDP, false, SESSION_LOGIN);
	rig.session.config.check_nat = false;
	rig_line(&rig, RIG_NAT_REPLY RIG_UDP);
	rig_expect(&rig, SESSION_TEST, SESSION_DO_ADD, NULL, "");
}

/* auto takes the way that it has found, and does not ask about NAT again. */
static void test_nat_with_auto(void **state)
{
	struct rig rig;

	(void)state;
	begin(&rig, SESSION_AUTO, false, SESSION_CONNECT);
	expect_request(&rig, REQUEST);
	rig_line(&rig, RIG_NAT_REPLY);
	rig_expect(&rig, SESSION_QUIT, SESSION_DO_SEND, "quit", NAT_CHANGED "; changing to UDP");
	assert_false(rig.actions.warning);
	rig_line(&rig, "+OK good bye");
	rig_expect(&rig, SESSION_CONNECT, RIG_CLOSE_CONNECT, NULL, "");
	expect_request(&rig, REQUEST " udp");
	rig_line(&rig, RIG_NAT_REPLY RIG_UDP);
	rig_expect(&rig, SESSION_TEST, SESSION_DO_ADD, NULL, "");
	rig_path(&rig, true);
	rig_expect(&rig, SESSION_RAISE, SESSION_DO_RAISE, NULL, "");
	rig_input(&rig, SESSION_RAISED);
	rig_expect(&rig, SESSION_UP, 0, NULL, "");
}

/* -n with auto: whether protocol 41 passes is tried out all the same. */
static void test_nat_not_checked_with_auto(void **state)
{
	struct rig rig;

	(void)state;
	begin(&rig, SESSION_AUTO, false, SESSION_LOGIN);
	rig.session.config.check_nat = false;
	rig_line(&rig, RIG_NAT_REPLY);
	rig_expect(&rig, SESSION_TEST, SESSION_DO_ADD, NULL, "");
	rig_deadline(&rig, 5000);
	rig_expect(&rig, SESSION_QUIT, SESSION_DO_SEND, "quit", NO_ECHO);
}

/* However the server takes the quit, and if it says nothing at all. */
static void test_quit_before_udp(void **state)
{
	(void)state;
	for (int i = 0; i < 4; i++) {
		struct rig rig;

		begin(&rig, SESSION_AUTO, i % 2, SESSION_LOGIN);
		rig_line(&rig, RIG_NAT_REPLY);
		switch (i) {
		case 0:
			rig_line(&rig, "-ERR what?");
			break;
		case 1:
			rig_closed(&rig, "gone");
			break;
		case 2:
			rig_bad_line(&rig, "a NUL byte in a line");
			break;
		default:
			rig_deadline(&rig, 2000);
			break;
		}
		/* At once, and that is no failed attempt. */
		rig_expect(&rig, SESSION_CONNECT, RIG_CLOSE_CONNECT, NULL, "");
		assert_int_equal(rig.session.retry.rounds, 0);
	}
}

/* Another box behind the same NAT was first with protocol 41: the server says what to do. */
static void test_address_in_use(void **state)
{
	struct rig rig;

	(void)state;
	begin(&rig, SESSION_AUTO, false, SESSION_LOGIN);
	rig_line(&rig, "-ERR address in use by another tunnel, use udp");
	rig_expect(&rig, SESSION_QUIT, SESSION_DO_SEND, "quit",
		   "broker.example: address in use by another tunnel, use udp; changing to UDP");
	rig_line(&rig, "+OK good bye");
	expect_request(&rig, REQUEST " udp");
	/* Once is enough. */
	rig_line(&rig, "-ERR address in use by another tunnel, use udp");
	rig_expect(&rig, SESSION_DONE, RIG_CLOSE_EXIT, NULL,
		   "broker.example: refused by the server: address in use by another tunnel, use "
		   "udp");
	rig_expect_exit(&rig, CLIENT_SERVER);
}

/* The same for a user who may have UDP only. */
static void test_udp_only(void **state)
{
	struct rig rig;

	(void)state;
	begin(&rig, SESSION_AUTO, false, SESSION_LOGIN);
	rig_line(&rig, "-ERR unsupported transport ipv6, use udp");
	rig_expect(&rig, SESSION_QUIT, SESSION_DO_SEND, "quit",
		   "broker.example: unsupported transport ipv6, use udp; changing to UDP");
	rig_line(&rig, "+OK good bye");
	expect_request(&rig, REQUEST " udp");
}

/* --- trying it out -------------------------------------------------------------------------- */

static void test_udp_path_alive(void **state)
{
	struct rig rig;

	(void)state;
	begin(&rig, SESSION_UDP, false, SESSION_LOGIN);
	rig_line(&rig, RIG_REPLY RIG_UDP);
	rig_expect(&rig, SESSION_TEST, SESSION_DO_ADD, NULL, "");
	assert_int_equal(rig.session.deadline, rig.now + 20000);
	rig_wait(&rig, 19999);
	/* What does not say that it lives. */
	rig_path(&rig, false);
	rig_expect(&rig, SESSION_TEST, 0, NULL, "");
	rig_line(&rig, "+OK by the way");
	rig_expect(&rig, SESSION_TEST, 0, NULL, "");
	rig_path(&rig, true);
	rig_expect(&rig, SESSION_RAISE, SESSION_DO_RAISE, NULL, "");
	rig_path(&rig, true);
	rig_expect(&rig, SESSION_RAISE, 0, NULL, "");
	rig_input(&rig, SESSION_RAISED);
	rig_expect(&rig, SESSION_UP, 0, NULL, "");
	rig_path(&rig, true);
	rig_expect(&rig, SESSION_UP, 0, NULL, "");
}

static void test_udp_silent(void **state)
{
	struct rig rig;

	(void)state;
	begin(&rig, SESSION_UDP, false, SESSION_TEST);
	rig_deadline(&rig, 20000);
	rig_expect(&rig, SESSION_DONE, RIG_CLOSE_EXIT, NULL, SILENT);
	assert_true(rig.actions.warning);
	rig_expect_exit(&rig, CLIENT_TIMEOUT);

	begin(&rig, SESSION_UDP, true, SESSION_TEST);
	rig_deadline(&rig, 20000);
	rig_expect(&rig, SESSION_WAIT, SESSION_DO_CLOSE | SESSION_DO_PORT, NULL,
		   SILENT "; next attempt in about 1 s");
	rig_deadline(&rig, 750);
	expect_request(&rig, REQUEST " udp");
}

static void test_echo_answered(void **state)
{
	struct rig rig;

	(void)state;
	begin(&rig, SESSION_AUTO, false, SESSION_LOGIN);
	rig_line(&rig, RIG_REPLY);
	rig_expect(&rig, SESSION_TEST, SESSION_DO_ADD, NULL, "");
	assert_int_equal(rig.session.deadline, rig.now + 5000);
	rig_wait(&rig, 4999);
	rig_path(&rig, true);
	rig_expect(&rig, SESSION_RAISE, SESSION_DO_RAISE, NULL, "");
	rig_path(&rig, true);
	rig_expect(&rig, SESSION_RAISE, 0, NULL, "");
	rig_input(&rig, SESSION_RAISED);
	rig_expect(&rig, SESSION_UP, 0, NULL,
		   "broker.example: the far end answers over protocol 41");
}

static void test_echo_unanswered(void **state)
{
	struct rig rig;

	(void)state;
	begin(&rig, SESSION_AUTO, false, SESSION_TEST);
	rig_deadline(&rig, 5000);
	rig_expect(&rig, SESSION_QUIT, SESSION_DO_SEND, "quit", NO_ECHO);
	assert_false(rig.actions.warning);
	/* Too late: it has been decided. */
	rig_path(&rig, true);
	rig_expect(&rig, SESSION_QUIT, 0, NULL, "");
	rig_line(&rig, "+OK good bye");
	rig_expect(&rig, SESSION_CONNECT, RIG_CLOSE_CONNECT, NULL, "");
	expect_request(&rig, REQUEST " udp");
	rig_line(&rig, RIG_REPLY RIG_UDP);
	rig_expect(&rig, SESSION_TEST, SESSION_DO_ADD, NULL, "");
	/* Over UDP it has nothing else to change to. */
	rig_deadline(&rig, 20000);
	rig_expect(&rig, SESSION_DONE, RIG_CLOSE_EXIT, NULL, SILENT);
	rig_expect_exit(&rig, CLIENT_TIMEOUT);
}

/* Where forward carries nothing (--tunnel none), there is nobody to try it. */
static void test_nothing_to_try_with(void **state)
{
	struct rig rig;

	(void)state;
	for (int i = 0; i < 3; i++) {
		rig_init_udp(&rig, (enum session_transport)i, false, 0);
		rig.session.config.forwards = false;
		rig_reach(&rig, SESSION_LOGIN);
		rig_line(&rig, rig.session.udp ? RIG_REPLY RIG_UDP : RIG_REPLY);
		rig_expect(&rig, SESSION_RAISE, RIG_ADD_RAISE, NULL, "");
	}
}

/* What ends the session while it is tried out. */
static void test_end_of_test(void **state)
{
	static const enum session_transport transports[] = {SESSION_UDP, SESSION_AUTO};
	struct rig rig;

	(void)state;
	for (size_t i = 0; i < sizeof(transports) / sizeof(transports[0]); i++) {
		begin(&rig, transports[i], false, SESSION_TEST);
		rig_closed(&rig, "the server closed the connection");
		rig_expect(&rig, SESSION_DONE, RIG_CLOSE_EXIT, NULL,
			   "broker.example: the server closed the connection");
		rig_expect_exit(&rig, CLIENT_CLOSED);

		begin(&rig, transports[i], false, SESSION_TEST);
		rig_line(&rig, "-ERR superseded by a new session");
		rig_expect(&rig, SESSION_DONE, RIG_CLOSE_EXIT, NULL,
			   "broker.example: the server says: superseded by a new session (another "
			   "place uses the account of this user)");
		rig_expect_exit(&rig, CLIENT_SERVER);

		begin(&rig, transports[i], false, SESSION_TEST);
		rig_line(&rig, "huh");
		rig_expect_exit(&rig, CLIENT_GARBAGE);

		/* The server has a session of ours by now, so it is told. */
		begin(&rig, transports[i], false, SESSION_TEST);
		rig_input(&rig, SESSION_STOP);
		rig_expect(&rig, SESSION_QUIT, SESSION_DO_SEND, "quit", "");
		rig_line(&rig, "+OK good bye");
		rig_expect_exit(&rig, CLIENT_OK);

		begin(&rig, transports[i], false, SESSION_TEST);
		rig_input(&rig, SESSION_RECONNECT);
		rig_expect(&rig, SESSION_QUIT, SESSION_DO_SEND, "quit", "");
		rig_line(&rig, "+OK good bye");
		rig_expect(&rig, SESSION_CONNECT, RIG_CLOSE_CONNECT, NULL, "");
	}
}

/* --- what worked ---------------------------------------------------------------------------- */

static void test_path_dies(void **state)
{
	static const char down[] = "tunnel down: broker.example: nothing comes over UDP any more";
	struct rig rig;

	(void)state;
	begin(&rig, SESSION_UDP, false, SESSION_UP);
	rig_path(&rig, false);
	rig_expect(&rig, SESSION_LOWER, RIG_CLOSE_LOWER, NULL, down);
	rig_input(&rig, SESSION_LOWERED);
	rig_expect_exit(&rig, CLIENT_TIMEOUT);
}

/* Forward says it once, whether monitor is ready for it or not. */
static void test_path_dies_while_raising(void **state)
{
	struct rig rig;

	(void)state;
	begin(&rig, SESSION_UDP, false, SESSION_RAISE);
	rig_path(&rig, false);
	rig_expect(&rig, SESSION_RAISE, 0, NULL, "");
	rig_input(&rig, SESSION_RAISED);
	rig_expect(&rig, SESSION_LOWER, RIG_CLOSE_LOWER, NULL,
		   "tunnel down: broker.example: nothing comes over UDP any more");

	begin(&rig, SESSION_UDP, false, SESSION_RAISE);
	rig_path(&rig, false);
	rig_path(&rig, true);
	rig_input(&rig, SESSION_RAISED);
	rig_expect(&rig, SESSION_UP, 0, NULL, "");
}

/* From nothing, with auto, through a NAT to a tunnel over UDP. */
static void come_up_through_nat(struct rig *rig, bool loop)
{
	begin(rig, SESSION_AUTO, loop, SESSION_LOGIN);
	rig_line(rig, RIG_NAT_REPLY);
	rig_line(rig, "+OK good bye");
	rig_come_up(rig);
	assert_true(rig->session.udp);
}

/* Whatever was no fault of UDP does not make it forget. */
static void test_auto_remembers(void **state)
{
	struct rig rig;

	(void)state;
	come_up_through_nat(&rig, true);
	rig_closed(&rig, "gone");
	rig_input(&rig, SESSION_LOWERED);
	rig_deadline(&rig, 500);
	expect_request(&rig, REQUEST " udp");
	rig_line(&rig, "-ERR tunnel interface sold out");
	rig_deadline(&rig, 1500);
	rig_failed(&rig, CLIENT_REFUSED, "refused");
	rig_deadline(&rig, 3000);
	rig_failed(&rig, CLIENT_UNREACHABLE, "no route");
	rig_input(&rig, SESSION_RECONNECT);
	expect_request(&rig, REQUEST " udp");
	rig_input(&rig, SESSION_RECONNECT);
	rig_come_up(&rig);
	assert_true(rig.session.udp);
	/* Silence of the control connection says nothing about UDP. */
	rig_deadline(&rig, 60000);
	rig_deadline(&rig, 15000);
	rig_input(&rig, SESSION_LOWERED);
	rig_deadline(&rig, 500);
	rig_deadline(&rig, 20000);
	rig_deadline(&rig, 1500);
	expect_request(&rig, REQUEST " udp");

	/* Nor does it leave protocol 41 where that has worked. */
	begin(&rig, SESSION_AUTO, true, SESSION_UP);
	rig_closed(&rig, "gone");
	rig_input(&rig, SESSION_LOWERED);
	rig_deadline(&rig, 500);
	expect_request(&rig, REQUEST);
}

static void test_auto_goes_back(void **state)
{
	struct rig rig;

	(void)state;
	/* The path dies, */
	come_up_through_nat(&rig, true);
	rig_path(&rig, false);
	rig_expect(&rig, SESSION_LOWER, RIG_CLOSE_LOWER | SESSION_DO_PORT, NULL,
		   "tunnel down: broker.example: nothing comes over UDP any more; next attempt "
		   "within 3 s");
	rig_input(&rig, SESSION_LOWERED);
	rig_deadline(&rig, 500);
	expect_request(&rig, REQUEST);
	/* or was never there. */
	begin(&rig, SESSION_AUTO, true, SESSION_TEST);
	rig_deadline(&rig, 5000);
	rig_line(&rig, "+OK good bye");
	rig_request(&rig);
	rig_line(&rig, RIG_REPLY RIG_UDP);
	rig_deadline(&rig, 20000);
	rig_expect(&rig, SESSION_WAIT, SESSION_DO_CLOSE | SESSION_DO_PORT, NULL,
		   SILENT "; next attempt in about 1 s");
	rig_deadline(&rig, 750);
	expect_request(&rig, REQUEST);
}

/* A server without UDP, of whatever age: elsewhere protocol 41 may pass again. */
static void test_auto_goes_back_from_a_refusal(void **state)
{
	static const char *const answers[] = {
		"-ERR unsupported transport udp",
		"-ERR authentication failed.", /* to any fifth word, as KAME's server */
		RIG_NAT_REPLY,		       /* which has not understood it */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
		struct rig rig;

		begin(&rig, SESSION_AUTO, true, SESSION_LOGIN);
		rig_line(&rig, RIG_NAT_REPLY);
		rig_line(&rig, "+OK good bye");
		expect_request(&rig, REQUEST " udp");
		rig_line(&rig, answers[i]);
		assert_int_equal(rig.session.state, SESSION_WAIT);
		rig_wait(&rig, session_deadline(&rig.session) - rig.now);
		rig_input(&rig, SESSION_TIME);
		expect_request(&rig, REQUEST);
	}
}

/* Whatever it says to a word that it does not know: that, and not the password, is the matter. */
static void test_server_without_udp(void **state)
{
	static const char *const answers[][2] = {
		{"-ERR authentication failed.", "authentication failed."}, /* KAME's */
		{"-ERR Authentication error \x1b[2J", "Authentication error \\x1b[2J"},
		{"-ERR invalid command", "invalid command"},
		{"-ERR unsupported tunnel type network udp", "unsupported tunnel type network udp"},
		{"-ERR too many words", "too many words"},
		{"-ERR", ""},
		{RIG_NAT_REPLY, "no UDP port in its reply"},
		{RIG_NAT_REPLY " new=1", "no UDP port in its reply"},
	};

	struct rig rig;

	(void)state;
	for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
		char message[200];

		begin(&rig, SESSION_AUTO, false, SESSION_LOGIN);
		rig_line(&rig, RIG_NAT_REPLY);
		rig_line(&rig, "+OK good bye");
		expect_request(&rig, REQUEST " udp");
		rig_line(&rig, answers[i][0]);
		(void)snprintf(message, sizeof(message),
			       "broker.example: the server does not know tunnels over UDP "
			       "(server: %s)",
			       answers[i][1]);
		rig_expect(&rig, SESSION_DONE, RIG_CLOSE_EXIT, NULL, message);
		rig_expect_exit(&rig, CLIENT_TYPE);
	}
	/* One that has let us in over UDP before means what it says. */
	come_up_through_nat(&rig, false);
	rig_input(&rig, SESSION_RECONNECT);
	rig_line(&rig, "+OK good bye");
	rig_input(&rig, SESSION_LOWERED);
	expect_request(&rig, REQUEST " udp");
	rig_line(&rig, "-ERR authentication failed.");
	rig_expect_exit(&rig, CLIENT_AUTH);
}

/* One that says nothing, or hangs up: the next attempt is another one, too. */
static void test_server_that_chokes_on_udp(void **state)
{
	(void)state;
	for (int i = 0; i < 2; i++) {
		struct rig rig;

		begin(&rig, SESSION_AUTO, true, SESSION_LOGIN);
		rig_line(&rig, RIG_NAT_REPLY);
		rig_line(&rig, "+OK good bye");
		expect_request(&rig, REQUEST " udp");
		if (i == 0)
			rig_closed(&rig, "the server closed the connection");
		else
			rig_deadline(&rig, 10000);
		rig_deadline(&rig, 750);
		expect_request(&rig, REQUEST);
	}
}

#define TRUSTING                                                                                   \
	"broker.example: the server does not know tunnels over UDP (server: authentication "       \
	"failed.); trying broker.example over protocol 41, which may pass all the same"

/* Protocol 41 has not been answered, so UDP is asked for. */
static void ask_for_udp_at_last(struct rig *rig, bool loop)
{
	begin(rig, SESSION_AUTO, loop, SESSION_TEST);
	rig_deadline(rig, 5000);
	rig_line(rig, "+OK good bye");
	expect_request(rig, REQUEST " udp");
}

/*
 * An old server's far end need not answer an echo request. When it turns out that it has nothing
 * but protocol 41, the tunnel is taken as it is.
 */
static void test_protocol_41_after_all(void **state)
{
	struct rig rig;

	(void)state;
	ask_for_udp_at_last(&rig, true);
	rig_line(&rig, "-ERR authentication failed.");
	rig_expect(&rig, SESSION_CONNECT, RIG_CLOSE_CONNECT, NULL, TRUSTING);
	expect_request(&rig, REQUEST);
	rig_line(&rig, RIG_REPLY);
	rig_expect(&rig, SESSION_RAISE, RIG_ADD_RAISE, NULL, "");
	rig_input(&rig, SESSION_RAISED);
	rig_expect(&rig, SESSION_UP, 0, NULL, "");
	/* And again in the next session, */
	rig_closed(&rig, "gone");
	rig_input(&rig, SESSION_LOWERED);
	rig_deadline(&rig, 500);
	expect_request(&rig, REQUEST);
	rig_line(&rig, RIG_REPLY);
	rig_expect(&rig, SESSION_RAISE, RIG_ADD_RAISE, NULL, "");
	rig_input(&rig, SESSION_RAISED);
	/* until somebody wants it to begin anew. */
	rig_input(&rig, SESSION_RECONNECT);
	rig_line(&rig, "+OK good bye");
	rig_input(&rig, SESSION_LOWERED);
	expect_request(&rig, REQUEST);
	rig_line(&rig, RIG_REPLY);
	rig_expect(&rig, SESSION_TEST, SESSION_DO_ADD, NULL, "");
}

/* Where there is a NAT, or a server of our kind whose far end would have answered, it is not. */
static void test_no_protocol_41_after_all(void **state)
{
	struct rig rig;

	(void)state;
	ask_for_udp_at_last(&rig, false);
	rig_line(&rig, "-ERR unsupported transport udp");
	rig_expect_exit(&rig, CLIENT_TYPE);

	/* Trusted, and then a NAT is there. */
	ask_for_udp_at_last(&rig, false);
	rig_line(&rig, "-ERR authentication failed.");
	expect_request(&rig, REQUEST);
	rig_line(&rig, RIG_NAT_REPLY);
	rig_line(&rig, "+OK good bye");
	expect_request(&rig, REQUEST " udp");
	rig_line(&rig, "-ERR authentication failed.");
	rig_expect_exit(&rig, CLIENT_TYPE);
}

/* The other servers of the round come first. */
static void test_other_servers_before_that(void **state)
{
	struct session_config config;
	struct rig rig;

	(void)state;
	rig_init_udp(&rig, SESSION_AUTO, false, 0);
	config = rig.session.config;
	config.servers[1] = "other.example";
	config.n_servers = 2;
	rig_configure(&rig, &config);
	rig_reach(&rig, SESSION_TEST);
	rig_deadline(&rig, 5000);
	rig_line(&rig, "+OK good bye");
	expect_request(&rig, REQUEST " udp");
	rig_line(&rig, "-ERR authentication failed.");
	rig_expect(&rig, SESSION_CONNECT, RIG_CLOSE_CONNECT, NULL,
		   "broker.example: the server does not know tunnels over UDP (server: "
		   "authentication failed.); trying other.example");
	rig_failed(&rig, CLIENT_REFUSED, "refused");
	rig_expect(&rig, SESSION_CONNECT, RIG_CLOSE_CONNECT, NULL,
		   "other.example: refused; trying broker.example over protocol 41, which may pass "
		   "all the same");
	expect_request(&rig, REQUEST);
	rig_line(&rig, RIG_REPLY);
	rig_expect(&rig, SESSION_RAISE, RIG_ADD_RAISE, NULL, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_request_words),
		cmocka_unit_test(test_key),
		cmocka_unit_test(test_reply_without_udp),
		cmocka_unit_test(test_unrequested_udp),
		cmocka_unit_test(test_transport_refused),
		cmocka_unit_test(test_nat_over_udp),
		cmocka_unit_test(test_nat_with_auto),
		cmocka_unit_test(test_nat_not_checked_with_auto),
		cmocka_unit_test(test_quit_before_udp),
		cmocka_unit_test(test_address_in_use),
		cmocka_unit_test(test_udp_only),
		cmocka_unit_test(test_udp_path_alive),
		cmocka_unit_test(test_udp_silent),
		cmocka_unit_test(test_echo_answered),
		cmocka_unit_test(test_echo_unanswered),
		cmocka_unit_test(test_nothing_to_try_with),
		cmocka_unit_test(test_end_of_test),
		cmocka_unit_test(test_path_dies),
		cmocka_unit_test(test_path_dies_while_raising),
		cmocka_unit_test(test_auto_remembers),
		cmocka_unit_test(test_auto_goes_back),
		cmocka_unit_test(test_auto_goes_back_from_a_refusal),
		cmocka_unit_test(test_server_without_udp),
		cmocka_unit_test(test_server_that_chokes_on_udp),
		cmocka_unit_test(test_protocol_41_after_all),
		cmocka_unit_test(test_no_protocol_41_after_all),
		cmocka_unit_test(test_other_servers_before_that),
	};

	return cmocka_run_group_tests_name("client session udp", tests, NULL, NULL);
}
