/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Logins of the same users at the same moment, in every order that the channels between control,
 * accounts, root and forward allow: messages of one channel keep their order, and that is all.
 * Whatever happens, the last login wins and has its addresses, the others are told, and in the end
 * nobody holds anything.
 */
#include "trio.h"

#include "forward/device.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { SESSIONS = 6, PENDING = 6, ROUNDS = 1500, STEPS = 60 };

static bool is_up(const struct trio_client *client)
{
	return client->here && !client->closed && !client->left &&
	       client->client.conn.state == CONN_UP;
}

/* The server's last line was this error. */
static bool was_told(const struct trio_client *client, const char *why)
{
	return strncmp(client->last, "-ERR ", 5) == 0 &&
	       strncmp(client->last + 5, why, strlen(why)) == 0;
}

/* --- two logins --------------------------------------------------------------------------- */

/* Forward is stopped: both logins are through root before it takes either in. */
static struct trio_client *log_in_both(const char *words, struct trio_client **first)
{
	struct trio_client *second;

	*first = trio_log_in(0, "198.51.100.2", words);
	second = trio_log_in(0, "198.51.100.3", words);
	for (int i = 0; i < 2; i++)
		trio_deliver(TRIO_CONTROL_ACCOUNTS);
	for (int i = 0; i < 2; i++)
		trio_deliver(TRIO_ACCOUNTS_ROOT);
	for (int i = 0; i < 2; i++)
		trio_deliver(TRIO_ROOT_CONTROL);
	assert_int_equal((*first)->client.conn.state, CONN_ADD);
	assert_int_equal(second->client.conn.state, CONN_ADD);
	return second;
}

static void leave_all(void)
{
	for (size_t i = 0; i < TRIO_CLIENTS; i++) {
		struct trio_client *client = &trio.clients[i];

		if (client->here && !client->left)
			trio_leave(client);
		if (client->here)
			trio_forget(client);
	}
	trio_settle();
	trio_expect_empty();
	assert_string_equal(trio.said, "");
}

static const char *const kinds[] = {"network",	   "host",	    "tunnelonly",
				    "network udp", "host udp=4028", "tunnelonly udp"};

static void play_two(void)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		struct trio_client *first;
		struct trio_client *second = log_in_both(kinds[i], &first);

		trio_settle();
		assert_true(is_up(second));
		assert_true(first->closed);
		assert_true(was_told(first, "superseded by a new session"));
		assert_true(trio_leads(0, second->client.session));
		leave_all();
	}
}

/* The newer one comes to nothing: the older one is up, and what was led away comes back. */
static void play_second_leaves(void)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		struct trio_client *first;
		struct trio_client *second = log_in_both(kinds[i], &first);

		trio_leave(second);
		trio_settle();
		assert_true(is_up(first));
		assert_true(trio_leads(0, first->client.session));
		leave_all();
	}
}

static void play_second_refused(void)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		struct trio_client *first;
		struct trio_client *second = log_in_both(kinds[i], &first);

		while (trio_waiting(TRIO_ROOT_FORWARD) > 0)
			trio_deliver(TRIO_ROOT_FORWARD);
		trio_deliver(TRIO_CONTROL_FORWARD);
		trio.spoil = true;
		trio_settle();
		assert_true(was_told(second, "internal error"));
		assert_true(is_up(first));
		assert_true(trio_leads(0, first->client.session));
		leave_all();
	}
}

static void test_two_at_once(void **state)
{
	(void)state;
	trio_run(SESSIONS, PENDING, play_two);
	trio_run(SESSIONS, PENDING, play_second_leaves);
	trio_run(SESSIONS, PENDING, play_second_refused);
}

/* --- random interleavings ----------------------------------------------------------------- */

/* Small and the same everywhere, so that a round that fails can be played again. */
static uint64_t seed;

static uint32_t roll(uint32_t n)
{
	seed = seed * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(seed >> 33) % n;
}

/* How often what was to be tried has come about. */
static struct {
	unsigned int up, superseded, refused, in_use, full, revoked, left;
} seen;

static struct trio_client *somebody(void)
{
	struct trio_client *client = &trio.clients[roll(TRIO_CLIENTS)];

	return client->here && !client->left ? client : NULL;
}

static void come(void)
{
	static const char *const peers[] = {"198.51.100.2", "198.51.100.3", "198.51.100.4"};
	size_t here = 0;

	for (size_t i = 0; i < TRIO_CLIENTS; i++)
		here += trio.clients[i].here;
	if (here < TRIO_CLIENTS)
		(void)trio_log_in(roll(TRIO_USERS), peers[roll(3)],
				  kinds[roll(sizeof(kinds) / sizeof(kinds[0]))]);
}

static void step(void)
{
	enum trio_channel channel = roll(TRIO_CHANNELS);
	struct trio_client *client;

	switch (roll(16)) {
	case 0:
	case 1:
	case 2:
		come();
		break;
	case 3:
		client = somebody();
		if (client && roll(4) == 0)
			trio_leave(client);
		break;
	case 4:
		if (roll(8) == 0)
			trio.spoil = true;
		else if (roll(8) == 0)
			trio_change_password(roll(TRIO_USERS));
		break;
	default:
		/* Now and then one of them stands still for long. */
		for (uint32_t n = 1 + roll(3); n > 0 && trio_waiting(channel) > 0; n--)
			trio_deliver(channel);
		break;
	}
}

/* The reason of a client's end that has nothing to do with other logins of its user. */
static bool has_reason(const struct trio_client *client)
{
	if (client->left)
		seen.left++;
	else if (was_told(client, "internal error"))
		seen.refused++;
	else if (was_told(client, "address in use"))
		seen.in_use++;
	else if (was_told(client, "account changed"))
		seen.revoked++;
	else if (was_told(client, "tunnel interface sold out"))
		seen.full++;
	else
		return false;
	return true;
}

static bool is_newer(const struct trio_client *one, const struct trio_client *other)
{
	return one->here && one->granted && one->user == other->user && one->number > other->number;
}

static bool newer_granted(const struct trio_client *client)
{
	for (size_t i = 0; i < TRIO_CLIENTS; i++) {
		if (is_newer(&trio.clients[i], client))
			return true;
	}
	return false;
}

/* All has been delivered. */
static void check_client(const struct trio_client *client)
{
	/* Nobody is taken for somebody else whose number it was before. */
	if (was_told(client, "account changed"))
		assert_true(trio.changed[client->user] >= client->number);
	if (!client->granted || has_reason(client))
		return;
	if (was_told(client, "superseded by a new session")) {
		seen.superseded++;
		assert_true(client->closed);
		assert_true(newer_granted(client));
		return;
	}
	if (!is_up(client))
		fail_msg("user%u, login %u: \"%s\"", client->user, (unsigned int)client->number,
			 client->last);
	seen.up++;
	/* The one and only of its user. */
	for (size_t i = 0; i < TRIO_CLIENTS; i++)
		assert_false(is_newer(&trio.clients[i], client) && is_up(&trio.clients[i]));
	assert_int_equal(client->client.session->state, SLOT_UP);
	assert_true(trio_leads(client->user, client->client.session));
}

static void check(void)
{
	uint32_t up = 0;

	assert_string_equal(trio.said, "");
	assert_int_equal(trio.refused, trio.spoilt);
	for (size_t i = 0; i < TRIO_CLIENTS; i++) {
		if (!trio.clients[i].here)
			continue;
		check_client(&trio.clients[i]);
		up += is_up(&trio.clients[i]);
	}
	assert_int_equal(sessions_count(trio.broker.sessions), up);
	assert_int_equal(provision_count(trio.provision), up);
}

static void play_rounds(void)
{
	for (int round = 0; round < ROUNDS; round++) {
		for (uint32_t n = roll(STEPS); n > 0; n--)
			step();
		trio_settle();
		trio.spoil = false;
		check();
		leave_all();
		trio.refused = trio.spoilt = 0;
	}
}

static void test_any_order(void **state)
{
	(void)state;
	seed = 20200;
	trio_run(SESSIONS, PENDING, play_rounds);
	/* All of it was tried, or the rounds prove little. */
	assert_true(seen.up > 500 && seen.superseded > 500 && seen.in_use > 100);
	assert_true(seen.refused > 50 && seen.revoked > 30 && seen.left > 30);
}

/* Numbers are short: each is used by one session after the other, with late words of both. */
static void test_any_order_few_numbers(void **state)
{
	(void)state;
	seed = 4028;
	memset(&seen, 0, sizeof(seen));
	trio_run(2, 1, play_rounds);
	assert_true(seen.up > 500 && seen.superseded > 50 && seen.full > 30);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_two_at_once),
		cmocka_unit_test(test_any_order),
		cmocka_unit_test(test_any_order_few_numbers),
	};

	return cmocka_run_group_tests_name("server races", tests, NULL, NULL);
}
