/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What accounts notes of sessions, and when: many together, later if the database is locked, and
 * nothing at all if that is wanted. What it believes of control's words.
 */
#include "server/accounts/history.h"

#include "tests/unit/proto/addresses.h"
#include "users/history.h"

#include <setjmp.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

enum { SESSIONS = 1024, DAY = 86400, NOW = 1000 * DAY };

static char directory[64];
static char path[96];
static struct server_options options;
static struct users *users;
static struct history *history;
static time_t wall;
static unsigned int notes; /* transactions */
static char said[200];	   /* the last warning */
static sqlite3 *yields;	   /* has locked the database */

time_t __wrap_time(time_t *out);
enum users_result __wrap_users_history_note(struct users *users, struct users_event events[],
					    size_t n, unsigned int patience);
enum users_result __real_users_history_note(struct users *users, struct users_event events[],
					    size_t n, unsigned int patience);
int __wrap_nanosleep(const struct timespec *wait, struct timespec *left);
void __wrap_log_warnx(const char *format, ...);

time_t __wrap_time(time_t *out)
{
	(void)out;
	return wall;
}

enum users_result __wrap_users_history_note(struct users *db, struct users_event events[], size_t n,
					    unsigned int patience)
{
	notes++;
	return __real_users_history_note(db, events, n, patience);
}

/* Whoever waits for a lock does so until the other one lets go of it, if there is one who does. */
int __wrap_nanosleep(const struct timespec *wait, struct timespec *left)
{
	(void)wait;
	(void)left;
	if (yields)
		assert_int_equal(sqlite3_close(yields), SQLITE_OK);
	yields = NULL;
	return 0;
}

void __wrap_log_warnx(const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	(void)vsnprintf(said, sizeof(said), format, ap);
	va_end(ap);
}

static int set_up(void **state)
{
	char error[256];

	(void)state;
	(void)snprintf(directory, sizeof(directory), "/tmp/dtcp-history-XXXXXX");
	assert_non_null(mkdtemp(directory));
	(void)snprintf(path, sizeof(path), "%s/users.db", directory);
	assert_int_equal(users_open(path, USERS_CREATE, &users, error, sizeof(error)), USERS_OK);
	options = (struct server_options){.sessions_max = SESSIONS, .history_keep = 90};
	wall = NOW;
	notes = 0;
	said[0] = '\0';
	history = history_new(&options, users);
	assert_non_null(history);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	history_free(history, 0);
	users_close(users);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(rmdir(directory), 0);
	return 0;
}

static bool begin(uint32_t id)
{
	struct server_login asked = {
		.id = id, .type = TUNNEL_NETWORK, .udp = 1, .peer = addr4("192.0.2.1")};
	const struct logins_granted given = {
		.user = 100 + id,
		.numbered = true,
		.me6 = addr6("2001:db8:1::2"),
		.prefixes = {.n = 1, .list = {prefix("2001:db8:7::/48")}}};

	(void)snprintf(asked.user, sizeof(asked.user), "user%u", id);
	return history_begin(history, &asked, &given);
}

static bool end(uint32_t id, const char *why)
{
	struct server_ended ended = {.id = id, .in_octets = 1, .out_octets = 2};

	(void)snprintf(ended.why, sizeof(ended.why), "%s", why);
	return history_end(history, &ended);
}

/* "name age-age reason, " of each, in seconds before now. */
static bool see(const struct users_session *session, void *arg)
{
	char *seen = arg;
	size_t len = strlen(seen);

	(void)snprintf(seen + len, 400 - len, "%s%s %d-%d %s", len ? ", " : "", session->name,
		       (int)(wall - session->began),
		       session->up ? -1 : (int)(wall - session->ended), session->reason);
	return true;
}

static void assert_noted(const char *expected)
{
	const struct users_search all = {.name = NULL};
	char seen[400] = "";

	assert_int_equal(users_history_search(users, &all, see, seen), USERS_OK);
	assert_string_equal(seen, expected);
}

static bool count(const struct users_session *session, void *arg)
{
	(void)session;
	++*(unsigned int *)arg;
	return true;
}

static unsigned int count_noted(void)
{
	const struct users_search all = {.name = NULL};
	unsigned int n = 0;

	assert_int_equal(users_history_search(users, &all, count, &n), USERS_OK);
	return n;
}

/* Another program has the database. */
static sqlite3 *lock(void)
{
	sqlite3 *db = NULL;

	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
	return db;
}

static bool keep_first(const struct users_session *session, void *arg)
{
	*(struct users_session *)arg = *session;
	return false;
}

static void test_together(void **state)
{
	const struct users_search all = {.name = NULL};
	struct users_session session;

	(void)state;
	assert_true(begin(1));
	assert_true(begin(2));
	assert_noted("");
	assert_int_equal(notes, 0);
	history_tick(history);
	assert_noted("user1 0--1 , user2 0--1 ");
	assert_int_equal(notes, 1);
	wall += 10;
	assert_true(end(1, "client quit"));
	/* All of one, with a number that another one had. */
	assert_true(begin(1));
	assert_true(end(1, "timed out"));
	assert_true(begin(1));
	history_tick(history);
	assert_noted("user1 10-0 client quit, user2 10--1 , user1 0-0 timed out, user1 0--1 ");
	assert_int_equal(notes, 2);
	/* Nothing is written where nothing has come. */
	history_tick(history);
	assert_int_equal(notes, 2);
	assert_int_equal(users_history_search(users, &all, keep_first, &session), USERS_OK);
	assert_int_equal(session.user, 101);
	assert_int_equal(session.type, TUNNEL_NETWORK);
	assert_true(session.udp);
	assert_int_equal(session.n_had, 2);
	assert_int_equal(session.in_octets, 1);
	assert_int_equal(session.out_octets, 2);
	/* And the end of the program notes the rest. */
	wall += 5;
	assert_true(end(2, "server is shutting down"));
	history_free(history, 0);
	history = history_new(&options, users);
	assert_noted("user1 15-5 client quit, user2 15-0 server is shutting down, "
		     "user1 5-5 timed out, user1 5-0 server ended");
}

static void test_at_once(void **state)
{
	(void)state;
	for (uint32_t id = 0; id < 600; id++)
		assert_true(begin(id));
	assert_int_equal(notes, 2);
	assert_int_equal(count_noted(), 512);
	history_tick(history);
	assert_int_equal(count_noted(), 600);
}

/* What control says must fit what it has said before. */
static void test_words(void **state)
{
	struct server_ended ended = {.id = 3};

	(void)state;
	assert_false(end(3, "x"));
	assert_true(begin(3));
	assert_true(history_is_up(history, 3));
	assert_false(begin(3));
	assert_false(end(server_options_ids(&options), "x"));
	assert_false(history_is_up(history, UINT32_MAX));
	memset(ended.why, 'x', sizeof(ended.why));
	assert_false(history_end(history, &ended));
	/* It is shown to people. */
	assert_false(end(3, "a\033[2J"));
	assert_false(end(3, "a\xff"));
	assert_true(end(3, "x"));
	assert_false(history_is_up(history, 3));
	assert_false(end(3, "x"));
}

/* It waits for the next second, and says so once. */
static void test_locked(void **state)
{
	sqlite3 *other = lock();

	(void)state;
	assert_true(begin(1));
	history_tick(history);
	assert_non_null(strstr(said, "history waits: "));
	assert_non_null(strstr(said, "locked by another program"));
	said[0] = '\0';
	assert_true(end(1, "client quit"));
	assert_true(begin(1));
	history_tick(history);
	assert_string_equal(said, "");
	assert_int_equal(sqlite3_close(other), SQLITE_OK);
	assert_noted("");
	history_tick(history);
	assert_noted("user1 0-0 client quit, user1 0--1 ");
	assert_string_equal(said, "");
}

/* If that takes too long, what there is no room for is lost, and nothing else is. */
static void test_locked_for_long(void **state)
{
	sqlite3 *other = lock();

	(void)state;
	for (int round = 0; round < 9; round++) {
		for (uint32_t id = 0; id < SESSIONS; id++) {
			assert_true(begin(id));
			if (round < 8)
				assert_true(end(id, "client quit"));
		}
	}
	assert_int_equal(sqlite3_close(other), SQLITE_OK);
	/* Of some, the beginning was lost. */
	for (uint32_t id = 0; id < SESSIONS; id++)
		assert_true(end(id, "timed out"));
	history_tick(history);
	assert_non_null(strstr(said, "entries were lost"));
	assert_true(begin(1));
	history_tick(history);
	assert_in_range(count_noted(), 1, SESSIONS + 1);
}

/* At the end it waits for whoever has locked the database, though others have just done so in vain.
 */
static void test_locked_at_the_end(void **state)
{
	(void)state;
	yields = lock();
	assert_true(begin(1));
	history_tick(history);
	assert_non_null(strstr(said, "history waits: "));
	said[0] = '\0';
	history_free(history, 60000);
	history = NULL;
	assert_null(yields);
	assert_string_equal(said, "");
	assert_noted("user1 0--1 ");
}

/* But not for ever, and says how much is lost. */
static void test_lost_at_the_end(void **state)
{
	sqlite3 *other = lock();

	(void)state;
	assert_true(begin(1));
	assert_true(end(1, "client quit"));
	assert_true(begin(2));
	history_free(history, 10);
	history = NULL;
	assert_non_null(strstr(said, "history: 3 entries were lost: "));
	assert_non_null(strstr(said, "locked by another program"));
	assert_int_equal(sqlite3_close(other), SQLITE_OK);
	assert_noted("");
}

static void test_forget(void **state)
{
	(void)state;
	assert_true(begin(1));
	assert_true(end(1, "a"));
	history_tick(history);
	wall += 50 * DAY;
	assert_true(begin(2));
	assert_true(end(2, "b"));
	assert_true(begin(3));
	history_tick(history);
	assert_int_equal(count_noted(), 3);
	wall += 40 * DAY;
	history_tick(history);
	assert_int_equal(count_noted(), 3);
	wall += 61;
	history_tick(history);
	assert_int_equal(count_noted(), 2);
	wall += 1000 * DAY;
	history_tick(history);
	/* What is up is not old. */
	assert_int_equal(count_noted(), 1);
}

/* A step each second, of what is much. */
static void test_forget_much(void **state)
{
	(void)state;
	for (uint32_t id = 0; id < 600; id++) {
		assert_true(begin(id));
		assert_true(end(id, "a"));
	}
	history_tick(history);
	wall += 91 * DAY;
	history_tick(history);
	assert_int_equal(count_noted(), 600 - 256);
	wall++;
	history_tick(history);
	assert_int_equal(count_noted(), 600 - 512);
	wall++;
	history_tick(history);
	assert_int_equal(count_noted(), 0);
}

/* Then nothing is written, and what there was goes. */
static void test_none(void **state)
{
	(void)state;
	assert_true(begin(1));
	assert_true(end(1, "a"));
	assert_true(begin(2));
	history_free(history, 0);
	options.history_keep = 0;
	wall++;
	history = history_new(&options, users);
	assert_int_equal(count_noted(), 2);
	notes = 0;
	assert_true(begin(1));
	assert_true(end(1, "a"));
	assert_false(end(1, "a"));
	history_tick(history);
	assert_int_equal(notes, 0);
	assert_int_equal(count_noted(), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_together),	    TEST(test_at_once),
		TEST(test_words),	    TEST(test_locked),
		TEST(test_locked_for_long), TEST(test_locked_at_the_end),
		TEST(test_lost_at_the_end), TEST(test_forget),
		TEST(test_forget_much),	    TEST(test_none),
	};

	return cmocka_run_group_tests_name("server history", tests, NULL, NULL);
}
