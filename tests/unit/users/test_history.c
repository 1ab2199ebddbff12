/* SPDX-License-Identifier: BSD-2-Clause */
/* What is remembered of sessions, and how it is found. */
#include "users/history.h"

#include "tests/unit/proto/addresses.h"
#include "users/database.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static int set_up(void **state)
{
	char error[256];
	struct users *users;

	assert_int_equal(users_open_memory(&users, error, sizeof(error)), USERS_OK);
	*state = users;
	return 0;
}

static int tear_down(void **state)
{
	users_close(*state);
	return 0;
}

/* A session that begins; had has up to two prefixes, with a blank between them. */
static struct users_event began(const char *name, const char *peer, const char *had, int64_t when)
{
	struct users_event event = {.session = {.user = name[0],
						.type = TUNNEL_NETWORK,
						.peer = addr4(peer),
						.began = when}};
	char word[2][PREFIX6_STRLEN] = {"", ""};
	int words = sscanf(had, "%49s %49s", word[0], word[1]);

	(void)snprintf(event.session.name, sizeof(event.session.name), "%s", name);
	for (int i = 0; i < words; i++)
		event.session.had[event.session.n_had++] = prefix(word[i]);
	return event;
}

static struct users_event ended(const struct users_event *beginning, int64_t when)
{
	struct users_event event = *beginning;

	event.ended = true;
	event.session.ended = when;
	event.session.in_octets = 5000000000;
	event.session.out_octets = 7;
	(void)snprintf(event.session.reason, sizeof(event.session.reason), "client quit");
	return event;
}

static void note(struct users *users, struct users_event *event)
{
	assert_int_equal(users_history_note(users, event, 1, 0), USERS_OK);
}

/* One that is over, or is up if it ends at 0. */
static void had(struct users *users, const char *name, const char *peer, const char *prefixes,
		int64_t from, int64_t to)
{
	struct users_event event = began(name, peer, prefixes, from);
	struct users_event end;

	note(users, &event);
	end = ended(&event, to);
	if (to)
		note(users, &end);
}

/* "name from-to " of each that was found. */
static bool see(const struct users_session *session, void *arg)
{
	char *seen = arg;
	size_t len = strlen(seen);

	(void)snprintf(seen + len, 512 - len, "%s%s %lld-", len ? ", " : "", session->name,
		       (long long)session->began);
	len = strlen(seen);
	if (!session->up)
		(void)snprintf(seen + len, 512 - len, "%lld", (long long)session->ended);
	return true;
}

static void assert_found(struct users *users, const struct users_search *search,
			 const char *expected)
{
	char seen[512] = "";

	assert_int_equal(users_history_search(users, search, see, seen), USERS_OK);
	assert_string_equal(seen, expected);
}

static void assert_had(struct users *users, const char *text, int64_t at, const char *expected)
{
	const struct users_search search = {.has_prefix = true,
					    .prefix = prefix(text),
					    .has_time = at != 0,
					    .first = at,
					    .last = at};

	assert_found(users, &search, expected);
}

static bool keep(const struct users_session *session, void *arg)
{
	*(struct users_session *)arg = *session;
	return false;
}

static void test_note(void **state)
{
	struct users *users = *state;
	const struct users_search all = {.name = NULL};
	struct users_event events[3];
	struct users_session session;

	events[0] = began("alice", "192.0.2.7", "2001:db8:1::2/128 2001:db8:7::/48", 100);
	events[0].session.udp = true;
	note(users, &events[0]);
	assert_true(events[0].session.number > 0);
	assert_int_equal(users_history_search(users, &all, keep, &session), USERS_OK);
	assert_true(session.up && session.udp);
	assert_string_equal(session.name, "alice");
	assert_int_equal(session.user, 'a');
	assert_int_equal(session.type, TUNNEL_NETWORK);
	assert_int_equal(session.peer.s_addr, addr4("192.0.2.7").s_addr);
	assert_int_equal(session.n_had, 2);
	assert_int_equal(session.had[0].len + session.had[1].len, 128 + 48);
	/* The end, and all of another one together. */
	events[0] = ended(&events[0], 200);
	events[1] = began("bob", "192.0.2.8", "", 150);
	events[2] = ended(&events[1], 160);
	events[2].beginning = 1;
	assert_int_equal(users_history_note(users, events, 3, 0), USERS_OK);
	assert_found(users, &all, "alice 100-200, bob 150-160");
	assert_int_equal(users_history_search(users, &all, keep, &session), USERS_OK);
	assert_int_equal(session.in_octets, 5000000000);
	assert_int_equal(session.out_octets, 7);
	assert_string_equal(session.reason, "client quit");
	assert_false(session.up);
}

/* Who had an address, from the first to the last second and in any part of what users had. */
static void test_who_had_it(void **state)
{
	struct users *users = *state;

	had(users, "alice", "192.0.2.1", "2001:db8:100:4200::/56", 100, 200);
	had(users, "bob", "192.0.2.2", "2001:db8:100:4200::/56", 300, 400);
	had(users, "carol", "192.0.2.3", "2001:db8:100:4300::/56 2001:db8:1::7/128", 100, 0);
	had(users, "dave", "192.0.2.4", "2001:db8:100:4000::/50", 500, 600);
	assert_had(users, "2001:db8:100:4200::7/128", 0,
		   "alice 100-200, bob 300-400, dave 500-600");
	assert_had(users, "2001:db8:100:4200::7/128", 99, "");
	assert_had(users, "2001:db8:100:4200::7/128", 100, "alice 100-200");
	assert_had(users, "2001:db8:100:4200::7/128", 200, "alice 100-200");
	assert_had(users, "2001:db8:100:4200::7/128", 201, "");
	assert_had(users, "2001:db8:100:42ff:ffff:ffff:ffff:ffff/128", 350, "bob 300-400");
	assert_had(users, "2001:db8:100:4300::/128", 1000, "carol 100-");
	assert_had(users, "2001:db8:100:4300::/128", 550, "carol 100-, dave 500-600");
	assert_had(users, "2001:db8:100:41ff:ffff:ffff:ffff:ffff/128", 550, "dave 500-600");
	assert_had(users, "2001:db8:100:8000::/128", 0, "");
	assert_had(users, "2001:db8:1::7/128", 0, "carol 100-");
	assert_had(users, "2001:db8:1::8/128", 0, "");
	/* A prefix, and each once, whatever of it they had. */
	assert_had(users, "2001:db8:100:4200::/56", 0, "alice 100-200, bob 300-400, dave 500-600");
	assert_had(users, "2001:db8::/32", 150, "alice 100-200, carol 100-");
	assert_had(users, "2000::/3", 0, "alice 100-200, bob 300-400, carol 100-, dave 500-600");
}

static void test_search(void **state)
{
	struct users *users = *state;
	struct users_search search = {.name = "alice"};

	had(users, "alice", "192.0.2.1", "", 100, 200);
	had(users, "alice", "192.0.2.2", "", 300, 400);
	had(users, "bob", "192.0.2.2", "", 350, 0);
	assert_found(users, &search, "alice 100-200, alice 300-400");
	search.has_peer = true;
	search.peer = addr4("192.0.2.2");
	assert_found(users, &search, "alice 300-400");
	search.name = NULL;
	assert_found(users, &search, "alice 300-400, bob 350-");
	search.has_time = true;
	search.first = 401;
	search.last = 500;
	assert_found(users, &search, "bob 350-");
	search.has_peer = false;
	search.first = 0;
	search.last = 100;
	assert_found(users, &search, "alice 100-200");
}

static void assert_last(struct users *users, const char *name, int64_t id, int64_t want)
{
	struct user user = {.id = id};
	struct users_session session;
	enum users_result result;

	(void)snprintf(user.name, sizeof(user.name), "%s", name);
	result = users_history_last(users, &user, &session);
	assert_int_equal(result, want ? USERS_OK : USERS_NOT_FOUND);
	if (want)
		assert_int_equal(session.began, want);
}

static void test_last(void **state)
{
	struct users *users = *state;

	had(users, "alice", "192.0.2.1", "", 100, 400);
	had(users, "alice", "192.0.2.1", "", 300, 0);
	had(users, "alice", "192.0.2.1", "", 200, 500);
	assert_last(users, "alice", 'a', 300);
	/* Another one of that name. */
	assert_last(users, "alice", 'b', 0);
	assert_last(users, "bob", 'b', 0);
}

/* The server was killed: what was up has ended by its next start at the latest. */
static void test_close(void **state)
{
	const struct users_search all = {.name = NULL};
	struct users *users = *state;
	struct users_event event = began("alice", "192.0.2.1", "", 100);
	struct users_event end;

	note(users, &event);
	had(users, "bob", "192.0.2.1", "", 100, 200);
	had(users, "carol", "192.0.2.1", "", 900, 0);
	assert_int_equal(users_history_close(users, 500), USERS_OK);
	/* Not before its beginning, whatever the clock says. */
	assert_found(users, &all, "alice 100-500, bob 100-200, carol 900-900");
	/* Who comes late changes nothing. */
	end = ended(&event, 600);
	note(users, &end);
	assert_found(users, &all, "alice 100-500, bob 100-200, carol 900-900");
}

static void test_forget(void **state)
{
	const struct users_search all = {.name = NULL};
	struct users *users = *state;
	bool more;

	had(users, "a", "192.0.2.1", "2001:db8:7::/48", 1, 100);
	had(users, "b", "192.0.2.1", "2001:db8:8::/48", 1, 300);
	had(users, "c", "192.0.2.1", "2001:db8:9::/48", 1, 200);
	had(users, "d", "192.0.2.1", "2001:db8:9::/48", 1, 0);
	assert_int_equal(users_history_forget(users, 100, 2, &more), USERS_OK);
	assert_false(more);
	assert_found(users, &all, "a 1-100, b 1-300, c 1-200, d 1-");
	assert_int_equal(users_history_forget(users, 1000, 2, &more), USERS_OK);
	assert_true(more);
	assert_found(users, &all, "b 1-300, d 1-");
	assert_had(users, "2001:db8:7::/48", 0, "");
	assert_int_equal(users_history_forget(users, INT64_MAX, 2, &more), USERS_OK);
	assert_false(more);
	assert_found(users, &all, "d 1-");
}

static int count_step(void *arg)
{
	(*(uint64_t *)arg)++;
	return 0;
}

/* The cost of an answer does not depend on how many sessions there were. */
static void test_cost(void **state)
{
	struct users *users = *state;
	uint64_t first = 0, last = 0;

	had(users, "alice", "192.0.2.1", "2001:db8:7::/48", 1, 100);
	sqlite3_progress_handler(users->db, 1, count_step, &first);
	assert_had(users, "2001:db8:7::1/128", 0, "alice 1-100");
	sqlite3_progress_handler(users->db, 0, NULL, NULL);
	for (int i = 0; i < 20; i++) {
		struct users_event events[100];

		for (int j = 0; j < 100; j++) {
			events[j] = began("bob", "192.0.2.2", "2001:db8:8::/56", i);
			events[j].session.had[0].addr.s6_addr[5] = (uint8_t)(i + 8);
			events[j].session.had[0].addr.s6_addr[6] = (uint8_t)j;
		}
		assert_int_equal(users_history_note(users, events, 100, 0), USERS_OK);
	}
	sqlite3_progress_handler(users->db, 1, count_step, &last);
	assert_had(users, "2001:db8:7::1/128", 0, "alice 1-100");
	sqlite3_progress_handler(users->db, 0, NULL, NULL);
	print_message("%llu steps, then %llu\n", (unsigned long long)first,
		      (unsigned long long)last);
	assert_true(last < first + 50);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_note),  TEST(test_who_had_it), TEST(test_search), TEST(test_last),
		TEST(test_close), TEST(test_forget),	 TEST(test_cost),
	};

	return cmocka_run_group_tests_name("history", tests, NULL, NULL);
}
