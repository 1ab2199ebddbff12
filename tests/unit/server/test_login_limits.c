/* SPDX-License-Identifier: BSD-2-Clause */
/* Failed logins: who is slowed down, who is refused, and who must not notice. */
#include "server/control/login_limits.h"

#include "server/control/leaky_counter.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static const uint64_t key[2] = {1, 2};

#define NOW 1000000

/* --- counts that fade ----------------------------------------------------------------------- */

static void test_tally_fades(void **state)
{
	struct leaky_counter *leaky_counter = leaky_counter_new(4, 6);

	(void)state;
	assert_int_equal(leaky_counter_get(leaky_counter, 1, NOW), 0);
	assert_false(leaky_counter_knows(leaky_counter, 1));
	assert_int_equal(leaky_counter_add(leaky_counter, 1, NOW), 1);
	assert_int_equal(leaky_counter_add(leaky_counter, 1, NOW), 2);
	assert_int_equal(leaky_counter_get(leaky_counter, 2, NOW), 0);
	/* One in ten seconds, and what has begun counts as whole. */
	assert_int_equal(leaky_counter_get(leaky_counter, 1, NOW + 1), 2);
	assert_int_equal(leaky_counter_get(leaky_counter, 1, NOW + 9999), 2);
	assert_int_equal(leaky_counter_get(leaky_counter, 1, NOW + 10000), 1);
	assert_int_equal(leaky_counter_get(leaky_counter, 1, NOW + 19999), 1);
	assert_int_equal(leaky_counter_get(leaky_counter, 1, NOW + 20000), 0);
	assert_int_equal(leaky_counter_get(leaky_counter, 1, INT64_MAX / 8), 0);
	assert_true(leaky_counter_knows(leaky_counter, 1));
	assert_int_equal(leaky_counter_add(leaky_counter, 1, NOW + 10000), 2);
	/* Another pace, from now on. */
	leaky_counter_set_fade(leaky_counter, 60, NOW + 10000);
	assert_int_equal(leaky_counter_get(leaky_counter, 1, NOW + 10000), 2);
	assert_int_equal(leaky_counter_get(leaky_counter, 1, NOW + 11000), 1);
	leaky_counter_free(leaky_counter);
}

static void test_tally_forgets_the_oldest(void **state)
{
	struct leaky_counter *leaky_counter = leaky_counter_new(3, 0);

	(void)state;
	for (uint64_t i = 1; i <= 3; i++)
		(void)leaky_counter_add(leaky_counter, i, NOW);
	leaky_counter_touch(leaky_counter, 1, NOW);
	assert_int_equal(leaky_counter_add(leaky_counter, 4, NOW), 1);
	assert_false(leaky_counter_knows(leaky_counter, 2));
	assert_true(leaky_counter_knows(leaky_counter, 1) &&
		    leaky_counter_knows(leaky_counter, 3) && leaky_counter_knows(leaky_counter, 4));
	assert_int_equal(leaky_counter_get(leaky_counter, 1, NOW), 1);
	/* However many come. */
	for (uint64_t i = 100; i < 10000; i++)
		assert_int_equal(leaky_counter_add(leaky_counter, i, NOW), 1);
	assert_true(leaky_counter_knows(leaky_counter, 9999) &&
		    leaky_counter_knows(leaky_counter, 9997));
	assert_false(leaky_counter_knows(leaky_counter, 9996));
	leaky_counter_free(leaky_counter);
	leaky_counter_free(NULL);
}

/* --- logins --------------------------------------------------------------------------------- */

struct bench {
	struct login_limits_config config;
	struct login_limits *limits;
	int64_t now;
	enum dtcp_reason why;
	uint32_t delay;
};

static struct in_addr source(uint32_t number)
{
	return (struct in_addr){.s_addr = htonl(0x0a000000 + number)};
}

static void begin_with(struct bench *bench, uint32_t failures, uint32_t sessions)
{
	*bench = (struct bench){.config = {.failures = failures, .delay_max = 5000}, .now = NOW};
	bench->limits = login_limits_new(&bench->config, sessions, key);
	assert_non_null(bench->limits);
}

static void begin(struct bench *bench, uint32_t failures)
{
	begin_with(bench, failures, 1);
}

static enum login_limits_account ask_for(struct bench *bench, uint32_t from, const char *user,
					 bool device)
{
	bench->why = REASON_OTHER;
	bench->delay = 0;
	return login_limits_ask(bench->limits, source(from), user, device, bench->now, &bench->why,
				&bench->delay);
}

static enum login_limits_account ask(struct bench *bench, uint32_t from, const char *user)
{
	return ask_for(bench, from, user, false);
}

/* Returns the delay. */
static uint32_t miss(struct bench *bench, uint32_t from, const char *user)
{
	enum login_limits_account account = ask(bench, from, user);

	assert_int_not_equal(account, LOGIN_LIMITS_NONE);
	return login_limits_failed(bench->limits, account, source(from), user, bench->now);
}

static void pass(struct bench *bench, uint32_t from, const char *user)
{
	enum login_limits_account account = ask(bench, from, user);

	assert_int_not_equal(account, LOGIN_LIMITS_NONE);
	login_limits_passed(bench->limits, source(from), user, bench->now);
}

static void expect_refused(struct bench *bench, uint32_t from, const char *user)
{
	assert_int_equal(ask(bench, from, user), LOGIN_LIMITS_NONE);
	assert_int_equal(bench->why, REASON_FAILURES);
	assert_int_equal(bench->delay, 5000);
}

static void test_delays_grow(void **state)
{
	static const uint32_t delays[] = {100, 200, 400, 800, 1600, 3200, 5000, 5000, 5000};
	struct bench bench;

	(void)state;
	begin(&bench, 30);
	for (size_t i = 0; i < sizeof(delays) / sizeof(delays[0]); i++) {
		char user[8];

		/* Whichever users are tried. */
		(void)snprintf(user, sizeof(user), "u%zu", i);
		assert_int_equal(miss(&bench, 1, user), delays[i]);
	}
	/* They fade: half of one a second. */
	bench.now += 60000;
	assert_int_equal(miss(&bench, 1, "alice"), 100);
	login_limits_free(bench.limits);

	begin(&bench, 30);
	bench.config.delay_max = 0;
	assert_int_equal(miss(&bench, 1, "alice"), 0);
	assert_int_equal(miss(&bench, 1, "alice"), 0);
	login_limits_free(bench.limits);
}

/* Guessing one user's password from many addresses: slower, but not much, and good ones at once. */
static void test_user_everywhere(void **state)
{
	struct bench bench;

	(void)state;
	begin(&bench, 30);
	for (uint32_t i = 1; i <= 10000; i++) {
		uint32_t delay = miss(&bench, i, "alice");

		assert_true(delay <= LOGIN_LIMITS_USER_DELAY_MS);
		if (i >= 5)
			assert_int_equal(delay, LOGIN_LIMITS_USER_DELAY_MS);
	}
	pass(&bench, 99999, "alice");
	/* An unknown user's failures are the same. */
	for (uint32_t i = 1; i <= 5; i++)
		assert_int_equal(miss(&bench, 20000 + i, "nobody"), i == 5 ? 1000 : 100 << (i - 1));
	login_limits_free(bench.limits);
}

static void test_source_is_used_up(void **state)
{
	struct bench bench;

	(void)state;
	begin(&bench, 30);
	/* However many ask at the same time: as long as none has failed, none is refused. */
	for (int i = 0; i < 1000; i++)
		assert_int_equal(ask(&bench, 1, "alice"), LOGIN_LIMITS_SOURCE);
	for (int i = 0; i < 30; i++)
		(void)miss(&bench, 1, "alice");
	expect_refused(&bench, 1, "alice");
	expect_refused(&bench, 1, "bob");
	/* The same user elsewhere is not concerned. */
	assert_int_equal(ask(&bench, 2, "alice"), LOGIN_LIMITS_SOURCE);
	/* Refused ones do not count: it gets better however many come. */
	for (int i = 0; i < 1000; i++)
		expect_refused(&bench, 1, "alice");
	bench.now += 2000;
	(void)miss(&bench, 1, "alice");
	expect_refused(&bench, 1, "alice");
	/* Those that were under way when it was used up count as well. */
	for (int i = 0; i < 10; i++)
		(void)login_limits_failed(bench.limits, LOGIN_LIMITS_SOURCE, source(1), "bob",
					  bench.now);
	bench.now += 20000;
	expect_refused(&bench, 1, "alice");
	bench.now += 2000;
	/* More are allowed from now on. */
	bench.config.failures = 60;
	login_limits_reconfigure(bench.limits, bench.now);
	for (int i = 0; i < 31; i++)
		(void)miss(&bench, 1, "alice");
	expect_refused(&bench, 1, "alice");
	login_limits_free(bench.limits);
}

/* Many sites behind one address: who has been there before gets in, whatever the others do. */
static void test_known_at_the_address(void **state)
{
	struct bench bench;

	(void)state;
	begin(&bench, 30);
	pass(&bench, 1, "alice");
	for (int i = 0; i < 30; i++)
		(void)miss(&bench, 1, "mallory");
	expect_refused(&bench, 1, "mallory");
	expect_refused(&bench, 1, "bob");
	pass(&bench, 1, "alice");
	/* Only from there, and under that name. */
	for (int i = 0; i < 30; i++)
		(void)miss(&bench, 2, "mallory");
	expect_refused(&bench, 2, "alice");
	expect_refused(&bench, 1, "alic");
	expect_refused(&bench, 1, "alice2");
	/* Guessing this user's password there ends, too. */
	for (int i = 0; i < LOGIN_LIMITS_KNOWN; i++)
		(void)miss(&bench, 1, "alice");
	expect_refused(&bench, 1, "alice");
	bench.now += 60000 / LOGIN_LIMITS_KNOWN;
	pass(&bench, 1, "alice");
	login_limits_free(bench.limits);
}

/* Good logins of a user are limited as well: each makes work for root. */
static void test_too_many_good_ones(void **state)
{
	struct bench bench;

	(void)state;
	begin(&bench, 30);
	for (uint32_t i = 0; i < LOGIN_LIMITS_LOGINS; i++)
		pass(&bench, i, "alice");
	assert_int_equal(ask(&bench, 1, "alice"), LOGIN_LIMITS_NONE);
	assert_int_equal(bench.why, REASON_LOGINS);
	pass(&bench, 1, "bob");
	bench.now += 60000 / LOGIN_LIMITS_LOGINS;
	pass(&bench, 7, "alice");
	login_limits_free(bench.limits);
}

/* Those for a device of its own are more work, so there can be fewer at once. */
static void test_too_many_devices(void **state)
{
	struct bench bench;

	(void)state;
	begin(&bench, 30);
	for (uint32_t i = 0; i < LOGIN_LIMITS_DEVICES; i++) {
		assert_int_equal(ask_for(&bench, i, "alice", true), LOGIN_LIMITS_SOURCE);
		pass(&bench, i, "alice");
	}
	assert_int_equal(ask_for(&bench, 1, "alice", true), LOGIN_LIMITS_NONE);
	assert_int_equal(bench.why, REASON_LOGINS);
	/* Others do not notice, and one a second is let in from then on. */
	assert_int_equal(ask_for(&bench, 1, "bob", true), LOGIN_LIMITS_SOURCE);
	for (int i = 0; i < 100; i++) {
		bench.now += 999;
		assert_int_equal(ask_for(&bench, 1, "alice", true), LOGIN_LIMITS_NONE);
		bench.now += 1;
		assert_int_equal(ask_for(&bench, 1, "alice", true), LOGIN_LIMITS_PAIR);
		pass(&bench, 1, "alice");
	}
	pass(&bench, 1, "alice");
	login_limits_free(bench.limits);
}

/* A provider's customers, all behind one address, whom somebody there must not lock out. */
static void know_all(uint32_t sessions, uint32_t users)
{
	struct bench bench;
	char user[16];

	begin_with(&bench, 30, sessions);
	for (uint32_t i = 0; i < users; i++) {
		(void)snprintf(user, sizeof(user), "u%u", i);
		pass(&bench, 1, user);
	}
	for (int i = 0; i < 30; i++)
		(void)miss(&bench, 1, "mallory");
	expect_refused(&bench, 1, "mallory");
	for (uint32_t i = 0; i < users; i++) {
		(void)snprintf(user, sizeof(user), "u%u", i);
		assert_int_equal(ask(&bench, 1, user), LOGIN_LIMITS_PAIR);
	}
	login_limits_free(bench.limits);
}

/* Also if only some of them can be logged in at a time. */
static void test_many_users(void **state)
{
	(void)state;
	know_all(16384, 50000);
	know_all(65536, 4 * 65536);
}

/* Names of any length are different names. */
static void test_names(void **state)
{
	char name[66];
	struct bench bench;

	(void)state;
	begin(&bench, 1);
	for (size_t len = 1; len <= 64; len++) {
		memset(name, 'a', len);
		name[len] = '\0';
		pass(&bench, 1, name);
	}
	(void)miss(&bench, 1, "x");
	name[64] = '\0';
	name[63] = 'b';
	expect_refused(&bench, 1, name);
	name[63] = 'a';
	pass(&bench, 1, name);
	login_limits_free(bench.limits);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tally_fades),
		cmocka_unit_test(test_tally_forgets_the_oldest),
		cmocka_unit_test(test_delays_grow),
		cmocka_unit_test(test_user_everywhere),
		cmocka_unit_test(test_source_is_used_up),
		cmocka_unit_test(test_known_at_the_address),
		cmocka_unit_test(test_too_many_good_ones),
		cmocka_unit_test(test_too_many_devices),
		cmocka_unit_test(test_many_users),
		cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests_name("server limits", tests, NULL, NULL);
}
