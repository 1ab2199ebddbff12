/* SPDX-License-Identifier: BSD-2-Clause */
/* Several servers, and several addresses of one. */
#include "rig.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define LAST " (not said again for an hour, unless it changes)"

/* a.example, b.example and c.example, in this order. */
static void begin(struct rig *rig, enum session_transport transport, bool loop, uint32_t hold)
{
	struct session_config config;

	rig_init_udp(rig, transport, loop, hold);
	config = rig->session.config;
	config.servers[0] = "a.example";
	config.servers[1] = "b.example";
	config.servers[2] = "c.example";
	config.n_servers = 3;
	rig_configure(rig, &config);
	session_password(&rig->session, 1, "other");
	rig_input(rig, SESSION_START);
}

static void expect_at(const struct rig *rig, const char *server)
{
	assert_string_equal(session_server_name(&rig->session), server);
}

/* The connection is refused, and what follows is in the message. */
static void refuse(struct rig *rig, const char *message)
{
	bool next = strstr(message, "trying");

	rig_failed(rig, CLIENT_REFUSED, "refused");
	rig_expect(rig, next ? SESSION_CONNECT : SESSION_WAIT,
		   next ? (unsigned int)RIG_CLOSE_CONNECT : (unsigned int)SESSION_DO_CLOSE, NULL,
		   message);
}

/* Each once, without a pause; the status is that of the last one. */
static void test_without_loop(void **state)
{
	struct rig rig;

	(void)state;
	begin(&rig, SESSION_IPV6, false, 30);
	expect_at(&rig, "a.example");
	refuse(&rig, "a.example: refused; trying b.example");
	expect_at(&rig, "b.example");
	rig_request(&rig);
	rig_line(&rig, "-ERR authentication failed.");
	rig_expect(&rig, SESSION_CONNECT, RIG_CLOSE_CONNECT, NULL,
		   "b.example: user foo: wrong user name or password (server: authentication "
		   "failed.); trying c.example" LAST);
	rig_deadline(&rig, 20000);
	rig_expect(&rig, SESSION_DONE, SESSION_DO_CLOSE | SESSION_DO_EXIT, NULL,
		   "c.example: connection timed out");
	rig_expect_exit(&rig, CLIENT_TIMEOUT);
}

/* One that was up and is lost is the end without -l, whatever else there is. */
static void test_loss_without_loop(void **state)
{
	struct rig rig;

	(void)state;
	begin(&rig, SESSION_IPV6, false, 30);
	refuse(&rig, "a.example: refused; trying b.example");
	rig_come_up(&rig);
	rig_closed(&rig, "gone");
	rig_input(&rig, SESSION_LOWERED);
	rig_expect_exit(&rig, CLIENT_CLOSED);
}

/* A pause comes after all of them, and the one that worked is the first again. */
static void test_rounds(void **state)
{
	struct rig rig;

	(void)state;
	begin(&rig, SESSION_IPV6, true, 0);
	for (int i = 0; i < 2; i++) {
		refuse(&rig, "a.example: refused; trying b.example");
		refuse(&rig, "b.example: refused; trying c.example");
		refuse(&rig, i == 0 ? "c.example: refused; next attempt in about 1 s"
				    : "c.example: refused; next attempt in about 2 s");
		rig_deadline(&rig, i == 0 ? 750 : 1500);
		rig_expect(&rig, SESSION_CONNECT, SESSION_DO_CONNECT, NULL, "");
		expect_at(&rig, "a.example");
	}
	refuse(&rig, "a.example: refused; trying b.example");
	rig_come_up(&rig);
	rig_wait(&rig, 60000);
	rig_closed(&rig, "gone");
	rig_expect(&rig, SESSION_LOWER, SESSION_DO_CLOSE | SESSION_DO_LOWER, NULL,
		   "tunnel down: b.example: gone; next attempt within 3 s");
	rig_input(&rig, SESSION_LOWERED);
	rig_deadline(&rig, 500);
	expect_at(&rig, "b.example");
	refuse(&rig, "b.example: refused; trying c.example");
	refuse(&rig, "c.example: refused; trying a.example");
	rig_failed(&rig, CLIENT_REFUSED, "refused");
	rig_deadline(&rig, 1500);
	expect_at(&rig, "b.example");
}

static void test_each_has_its_password(void **state)
{
	struct rig rig;

	(void)state;
	begin(&rig, SESSION_IPV6, true, 0);
	rig_connected(&rig);
	rig_line(&rig, RIG_GREETING);
	rig_expect(&rig, SESSION_LOGIN, SESSION_DO_SEND, "tunnel foo " RIG_RESPONSE " tunnelonly",
		   "");
	rig_line(&rig, "-ERR tunnel interface sold out");
	expect_at(&rig, "b.example");
	rig_connected(&rig);
	rig_line(&rig, RIG_GREETING);
	assert_null(strstr(rig.actions.send, RIG_RESPONSE));
}

/* The one that the password is wrong at is not asked at the pace of the others. */
static void test_rest(void **state)
{
	struct rig rig;

	(void)state;
	begin(&rig, SESSION_IPV6, true, 0);
	rig_request(&rig);
	rig_line(&rig, "-ERR authentication failed.");
	refuse(&rig, "b.example: refused; trying c.example");
	refuse(&rig, "c.example: refused; next attempt in about 1 s");
	for (int64_t pause = 750; pause <= 12000; pause *= 2) {
		rig_deadline(&rig, pause);
		expect_at(&rig, "b.example");
		rig_failed(&rig, CLIENT_REFUSED, "refused");
		expect_at(&rig, "c.example");
		rig_failed(&rig, CLIENT_REFUSED, "refused");
	}
	rig_deadline(&rig, 24000);
	expect_at(&rig, "a.example");
	/* A signal begins with it, rest or not. */
	rig_request(&rig);
	rig_line(&rig, "-ERR authentication failed.");
	expect_at(&rig, "b.example");
	rig_input(&rig, SESSION_RECONNECT);
	expect_at(&rig, "a.example");
}

/* The password is wrong everywhere. */
static void test_all_rest(void **state)
{
	struct rig rig;

	(void)state;
	begin(&rig, SESSION_IPV6, true, 0);
	for (int round = 0; round < 3; round++) {
		for (size_t i = 0; i < 3; i++) {
			assert_int_equal(rig.session.retry.current, i);
			rig_request(&rig);
			rig_line(&rig, "-ERR authentication failed.");
			assert_true(rig.actions.suppressed == (round > 0));
		}
		assert_int_equal(rig_random_below, 30001);
		rig_deadline(&rig, 45000);
		rig_expect(&rig, SESSION_CONNECT, SESSION_DO_CONNECT, NULL, "");
	}
}

/* A held tunnel goes over to another server. */
static void test_held_tunnel(void **state)
{
	struct rig rig;

	(void)state;
	begin(&rig, SESSION_IPV6, true, 30);
	rig_come_up(&rig);
	rig_closed(&rig, "gone");
	rig_expect(&rig, SESSION_WAIT, SESSION_DO_CLOSE, NULL,
		   "session lost: a.example: gone; next attempt within 3 s");
	rig_deadline(&rig, 500);
	refuse(&rig, "a.example: refused; trying b.example");
	assert_int_equal(rig.session.tunnel, SESSION_TUNNEL_UP);
	rig_come_up(&rig);
	expect_at(&rig, "b.example");
}

/* With the default of --hold, one that accepts and then says nothing is given up early enough. */
static void test_held_past_silence(void **state)
{
	static const bool greets[] = {false, true};

	(void)state;
	for (size_t i = 0; i < sizeof(greets) / sizeof(greets[0]); i++) {
		struct rig rig;

		begin(&rig, SESSION_IPV6, true, 30);
		rig_come_up(&rig);
		rig_closed(&rig, "gone");
		rig_deadline(&rig, 500);
		rig_connected(&rig);
		if (greets[i])
			rig_line(&rig, RIG_GREETING);
		rig_deadline(&rig, 10000);
		expect_at(&rig, "b.example");
		assert_int_equal(rig.session.tunnel, SESSION_TUNNEL_UP);
		rig_come_up(&rig);
	}
}

/* A tunnel that is being made for a session that ends is removed before the next server's turn. */
static void test_fall_while_raising(void **state)
{
	struct rig rig;

	(void)state;
	begin(&rig, SESSION_IPV6, false, 30);
	rig_request(&rig);
	rig_line(&rig, RIG_REPLY);
	rig_closed(&rig, "gone");
	rig_expect(&rig, SESSION_LOWER, SESSION_DO_CLOSE, NULL,
		   "a.example: gone; trying b.example");
	rig_input(&rig, SESSION_RAISED);
	rig_expect(&rig, SESSION_LOWER, SESSION_DO_LOWER, NULL, "");
	rig_input(&rig, SESSION_LOWERED);
	rig_expect(&rig, SESSION_CONNECT, SESSION_DO_CONNECT, NULL, "");
	expect_at(&rig, "b.example");
}

/* What goes wrong here goes wrong with any of them: none is tried at once, and none has to rest. */
static void test_local_failure(void **state)
{
	struct rig rig;

	(void)state;
	begin(&rig, SESSION_IPV6, true, 0);
	rig_failed(&rig, CLIENT_LOCAL, "Cannot allocate memory");
	rig_deadline(&rig, 45000);
	expect_at(&rig, "a.example");
	refuse(&rig, "a.example: refused; trying b.example");
	/* However the round began. */
	rig_failed(&rig, CLIENT_LOCAL, "Cannot allocate memory");
	rig_deadline(&rig, 45000);
	expect_at(&rig, "a.example");
}

/* --transport auto finds out for each of them. */
static void test_auto(void **state)
{
	struct rig rig;

	(void)state;
	begin(&rig, SESSION_AUTO, true, 0);
	rig_request(&rig);
	rig_line(&rig, "-ERR address in use by another tunnel, use udp");
	rig_line(&rig, "+OK good bye");
	expect_at(&rig, "a.example");
	assert_true(rig.session.udp);
	refuse(&rig, "a.example: refused; trying b.example");
	assert_false(rig.session.udp);
	rig_come_up(&rig);
	assert_true(rig.session.servers[0].udp && !rig.session.servers[1].udp);
}

/* Which failures are hopeless is decided by what the server says, not by how it is called. */
static void test_server_names_in_messages(void **state)
{
	struct session_config config;
	struct rig rig;

	(void)state;
	rig_init_udp(&rig, SESSION_IPV6, true, 0);
	config = rig.session.config;
	config.servers[0] = "superseded.example";
	rig_configure(&rig, &config);
	rig_input(&rig, SESSION_START);
	rig_request(&rig);
	rig_line(&rig, "-ERR tunnel interface sold out");
	rig_expect(&rig, SESSION_WAIT, SESSION_DO_CLOSE, NULL,
		   "superseded.example: refused by the server: tunnel interface sold out; next "
		   "attempt in about 1 s");
}

/* --- addresses ------------------------------------------------------------------------------ */

/* The one that was connected to is the first again if it worked, and the last if it did not. */
static void test_addresses(void **state)
{
	const struct session_server *server;
	struct in_addr remote;
	struct rig rig;

	(void)state;
	assert_int_equal(inet_pton(AF_INET, RIG_REMOTE, &remote), 1);
	rig_init_udp(&rig, SESSION_IPV6, true, 0);
	server = session_server(&rig.session);
	rig_input(&rig, SESSION_START);
	rig_failed(&rig, CLIENT_REFUSED, "refused");
	assert_int_equal(server->address.s_addr, 0);
	rig_deadline(&rig, 750);
	rig_request(&rig);
	rig_line(&rig, "-ERR tunnel interface sold out");
	assert_int_equal(server->address.s_addr, remote.s_addr);
	assert_true(server->past);
	rig_deadline(&rig, 1500);
	/* Nobody at any of them. */
	rig_failed(&rig, CLIENT_REFUSED, "refused");
	assert_true(server->past);
	rig_deadline(&rig, 3000);
	rig_come_up(&rig);
	assert_false(server->past);
	rig_closed(&rig, "gone");
	assert_false(server->past);
	assert_int_equal(server->address.s_addr, remote.s_addr);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_without_loop),
		cmocka_unit_test(test_loss_without_loop),
		cmocka_unit_test(test_rounds),
		cmocka_unit_test(test_each_has_its_password),
		cmocka_unit_test(test_rest),
		cmocka_unit_test(test_all_rest),
		cmocka_unit_test(test_held_tunnel),
		cmocka_unit_test(test_held_past_silence),
		cmocka_unit_test(test_fall_while_raising),
		cmocka_unit_test(test_local_failure),
		cmocka_unit_test(test_auto),
		cmocka_unit_test(test_server_names_in_messages),
		cmocka_unit_test(test_addresses),
	};

	return cmocka_run_group_tests_name("client session servers", tests, NULL, NULL);
}
