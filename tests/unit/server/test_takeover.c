/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Who gives way to whom, and what is left of a login that comes to nothing: because there is
 * somebody else, because root or forward refuse, or because one of them has gone.
 */
#include "trio.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define HERE  "198.51.100.2"
#define THERE "198.51.100.3"

static void expect_log(const char *text)
{
	if (!strstr(trio.log, text))
		fail_msg("\"%s\" is not in this:\n%s", text, trio.log);
}

static struct trio_client *come(unsigned int user, const char *peer, const char *words)
{
	struct trio_client *client = trio_log_in(user, peer, words);

	trio_settle();
	return client;
}

/* It has its tunnel, and nobody else leads there. */
static struct trio_client *come_up(unsigned int user, const char *peer, const char *words)
{
	struct trio_client *client = come(user, peer, words);

	assert_int_equal(client->client.conn.state, CONN_UP);
	assert_true(trio_leads(user, client->client.session));
	return client;
}

static void expect_refused(const struct trio_client *client, const char *why)
{
	char line[DTCP_LINE_SIZE];

	(void)snprintf(line, sizeof(line), "-ERR %s", why);
	assert_string_equal(client->last, line);
	/* It can try again. */
	assert_false(client->closed);
	assert_null(client->client.session);
}

static void expect_sent_away(const struct trio_client *client, const char *why)
{
	char line[DTCP_LINE_SIZE];

	(void)snprintf(line, sizeof(line), "-ERR %s", why);
	assert_string_equal(client->last, line);
	assert_true(client->closed);
	assert_null(client->client.session);
}

/* --- two on one address ------------------------------------------------------------------- */

static void play_other_user(void)
{
	struct trio_client *first = come_up(0, HERE, "host");
	struct trio_client *second;

	/* Its connection is silent, as any is for a while. */
	first->client.conn.last_heard -= 70000;
	second = come(1, HERE, "host");
	expect_refused(second, "address in use by another tunnel, use udp");
	expect_log("tunnel refused user=user1 peer=" HERE
		   " reason=\"user0 has a tunnel of protocol 41 at this address\"\n");
	assert_true(trio_leads(0, first->client.session));
	assert_true(trio_leads(1, NULL));
	assert_int_equal(provision_count(trio.provision), 1);
	/* Over UDP there is no such thing; nor at another address. */
	second = come_up(1, HERE, "host udp");
	(void)come_up(2, THERE, "network");
	assert_true(trio_leads(0, first->client.session));
	/* So long that nobody is believed to be there. */
	first->client.conn.last_heard -= 5001;
	trio_leave(second);
	trio_settle();
	second = come_up(1, HERE, "tunnelonly");
	expect_sent_away(first, "connection timed out, disconnecting");
	expect_log("session down user=user0 peer=" HERE
		   " reason=\"connection timed out, disconnecting\" seconds=0 ");
	assert_true(trio_leads(0, NULL));
}

static void test_other_user_on_the_address(void **state)
{
	(void)state;
	trio_run(6, 6, play_other_user);
}

/* The address is the user's own: the older session gives way before forward takes the new one. */
static void play_same_user(void)
{
	struct trio_client *first = come_up(0, HERE, "host");
	struct trio_client *second = trio_log_in(0, HERE, "network");

	trio_deliver(TRIO_CONTROL_ACCOUNTS);
	trio_deliver(TRIO_ACCOUNTS_ROOT);
	trio_deliver(TRIO_ROOT_CONTROL);
	expect_sent_away(first, "superseded by a new session");
	trio_settle();
	assert_int_equal(second->client.conn.state, CONN_UP);
	assert_true(trio_leads(0, second->client.session));
	assert_int_equal(provision_count(trio.provision), 1);
	expect_log("session up user=user0 peer=" HERE
		   " transport=ipv6 type=host address=2001:db8:1::10\n");
	expect_log("session down user=user0 peer=" HERE
		   " reason=\"superseded by a new session\" seconds=0 ");
	expect_log("session up user=user0 peer=" HERE
		   " transport=ipv6 type=network prefix=2001:db8:4201::/48\n");
}

static void test_same_user(void **state)
{
	(void)state;
	trio_run(6, 6, play_same_user);
}

/* --- more than there may be --------------------------------------------------------------- */

static void play_full(void)
{
	struct trio_client *first = come_up(0, HERE, "host");
	struct trio_client *second = come(1, THERE, "network");

	expect_refused(second, "tunnel interface sold out");
	expect_log("tunnel refused user=user1 peer=" THERE
		   " reason=\"limit.sessions 1 reached\"\n");
	assert_int_equal(provision_count(trio.provision), 1);
	/* Whoever takes one's own place needs none. */
	second = come_up(0, THERE, "host udp");
	expect_sent_away(first, "superseded by a new session");
	trio_leave(second);
	trio_settle();
	(void)come_up(1, THERE, "network");
}

static void test_full(void **state)
{
	(void)state;
	trio_run(1, 4, play_full);
}

/* --- what fails --------------------------------------------------------------------------- */

static const char *const kinds[] = {"host",	"network",     "tunnelonly",
				    "host udp", "network udp", "tunnelonly udp"};

/* The database cannot be read: nobody gets in, and nobody who is in has to go. */
static void play_store_is_gone(void)
{
	const struct trio_client *first = come_up(0, HERE, "network");

	trio.find = USERS_FAILED;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		struct trio_client *other = come(1, THERE, kinds[i]);

		expect_refused(other, "internal error, try again later");
		trio_leave(other);
		trio_forget(other);
	}
	/* Nor does anybody look at those who are in. */
	trio_change_password(0);
	trio_settle();
	assert_int_equal(first->client.conn.state, CONN_UP);
	assert_true(trio_leads(0, first->client.session));
	/* Said once. */
	assert_string_equal(strstr(trio.log, "the disk is gone\n"), "the disk is gone\n");
	trio.find = USERS_OK;
	(void)come_up(1, THERE, "network");
	/* Now it has been looked at. */
	assert_true(first->closed);
}

static void test_store_is_gone(void **state)
{
	(void)state;
	trio_run(6, 6, play_store_is_gone);
}

static void play_lease_fails(void)
{
	static const struct {
		enum users_result result;
		const char *why;
	} cases[] = {
		{USERS_FAILED, "internal error, try again later"},
		{USERS_FULL, "tunnel interface sold out"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		for (size_t j = 0; j < 2; j++) {
			struct trio_client *client;

			trio.lease = cases[i].result;
			client = come(0, HERE, kinds[j]);
			expect_refused(client, cases[i].why);
			assert_true(trio_leads(0, NULL));
			assert_int_equal(provision_count(trio.provision), 0);
			trio_leave(client);
			trio_forget(client);
		}
	}
	expect_log("tunnel refused user=user0 peer=" HERE
		   " reason=\"no free address in host.prefix 2001:db8:1::/64\"\n");
	expect_log("tunnel refused user=user0 peer=" HERE
		   " reason=\"no prefix of the user's own, and no network.pool\"\n");
	/* Deleted since it was found: a user with a wrong password. */
	trio.lease = USERS_NOT_FOUND;
	expect_refused(come(0, HERE, "host"), "authentication failed.");
}

static void test_lease_fails(void **state)
{
	(void)state;
	trio_run(6, 6, play_lease_fails);
}

/* Neither a device nor a route can be made: the session before goes on. */
static void play_kernel_fails(void)
{
	for (size_t i = 1; i <= 2; i++) {
		struct trio_client *first = come_up(0, HERE, kinds[i]);
		struct trio_client *second;

		trio.kernel_fails = true;
		second = come(0, THERE, kinds[i]);
		trio.kernel_fails = false;
		expect_refused(second, "internal error, try again later");
		assert_int_equal(first->client.conn.state, CONN_UP);
		assert_true(trio_leads(0, first->client.session));
		assert_int_equal(provision_count(trio.provision), 1);
		trio_leave(first);
		trio_leave(second);
		trio_settle();
		trio_expect_empty();
		trio_forget(first);
		trio_forget(second);
	}
}

static void test_kernel_fails(void **state)
{
	(void)state;
	trio_run(6, 6, play_kernel_fails);
}

static void play_forward_refuses(void)
{
	struct trio_client *client;

	trio.spoil = true;
	client = come(0, HERE, "network");
	expect_refused(client, "internal error, try again later");
	expect_log(HERE ": the forward room refused a session\n");
	trio_expect_empty();
	assert_int_equal(trio.not_believed, 0);
}

static void test_forward_refuses(void **state)
{
	(void)state;
	trio_run(6, 6, play_forward_refuses);
}

/* --- who leaves, or is sent away, in the middle ------------------------------------------- */

/* At each step that a login goes through. */
static void play_leaves_at(unsigned int step)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		struct trio_client *client = trio_log_in(0, HERE, kinds[i]);

		if (step >= 1)
			trio_deliver(TRIO_CONTROL_ACCOUNTS);
		if (step >= 2)
			trio_deliver(TRIO_ACCOUNTS_ROOT);
		if (step >= 3)
			trio_deliver(TRIO_ROOT_CONTROL);
		while (step >= 4 && trio_waiting(TRIO_ROOT_FORWARD) > 0)
			trio_deliver(TRIO_ROOT_FORWARD);
		if (step >= 4)
			trio_deliver(TRIO_CONTROL_FORWARD);
		trio_leave(client);
		trio_settle();
		trio_expect_empty();
		trio_forget(client);
	}
	assert_int_equal(trio.not_believed, 0);
	/* Who was never up has not been down. */
	assert_null(strstr(trio.log, "session up"));
	assert_null(strstr(trio.log, "session down"));
}

static void play_leaves(void)
{
	for (unsigned int step = 0; step <= 4; step++)
		play_leaves_at(step);
}

static void test_leaves(void **state)
{
	(void)state;
	trio_run(6, 6, play_leaves);
}

/* The password is another one before forward has taken the session in. */
static void play_revoked(void)
{
	struct trio_client *client = trio_log_in(0, HERE, "network");

	trio_deliver(TRIO_CONTROL_ACCOUNTS);
	trio_deliver(TRIO_ACCOUNTS_ROOT);
	trio_change_password(0);
	trio_settle();
	assert_true(client->closed);
	assert_string_equal(client->last, "-ERR account changed: another password");
	assert_null(client->client.session);
	trio_expect_empty();
	assert_int_equal(trio.not_believed, 0);
}

static void test_revoked(void **state)
{
	(void)state;
	trio_run(6, 6, play_revoked);
}

/* Control has no memory for a message: it has to end, since the others would wait for ever. */
static void play_no_memory(void)
{
	struct trio_client *client;

	trio.no_memory = true;
	client = trio_log_in(0, HERE, "network");
	assert_int_equal(trio.failures, 1);
	expect_log("cannot send to a room: Cannot allocate memory\n");
	/* The one that was lost; accounts knows nothing of it. */
	broker_verdict(&trio.broker, &(const struct server_verdict){
					     .id = client->client.session->id,
					     .result = SERVER_FAILED,
				     });
	trio.no_memory = false;
	expect_refused(client, "internal error, try again later");
}

static void test_no_memory(void **state)
{
	(void)state;
	trio_run(6, 6, play_no_memory);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_other_user_on_the_address),
		cmocka_unit_test(test_same_user),
		cmocka_unit_test(test_full),
		cmocka_unit_test(test_store_is_gone),
		cmocka_unit_test(test_lease_fails),
		cmocka_unit_test(test_kernel_fails),
		cmocka_unit_test(test_forward_refuses),
		cmocka_unit_test(test_leaves),
		cmocka_unit_test(test_revoked),
		cmocka_unit_test(test_no_memory),
	};

	return cmocka_run_group_tests_name("server takeover", tests, NULL, NULL);
}
