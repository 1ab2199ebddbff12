/* SPDX-License-Identifier: BSD-2-Clause */
/* Which server is tried next, and when. */
#include "client/control/retry.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

enum { HOUR = 3600000 };

/* The server refuses for a reason that may be gone in a second; and one that will not. */
static const struct retry_failure refused = {.status = CLIENT_REFUSED, .up_since = -1};
static const struct retry_failure wrong = {.status = CLIENT_AUTH, .up_since = -1};

/* Each pause is the shortest, or the longest, that it can be. */
static bool longest;

static uint32_t limit(uint32_t n)
{
	return longest ? n - 1 : 0;
}

static struct retry begin(size_t n_servers)
{
	struct retry retry;

	longest = false;
	retry_init(&retry, n_servers, limit);
	assert_int_equal(retry.current, 0);
	return retry;
}

static void expect_next(struct retry *retry, const struct retry_failure *failure, int64_t now,
			size_t server)
{
	assert_true(retry_failed(retry, failure, now).next);
	assert_int_equal(retry->current, server);
}

/* After the pause a round begins. */
static void expect_pause(struct retry *retry, const struct retry_failure *failure, int64_t now,
			 uint32_t about, int64_t milliseconds)
{
	const struct retry_verdict verdict = retry_failed(retry, failure, now);

	assert_false(verdict.next);
	assert_int_equal(verdict.about, about);
	assert_int_equal(verdict.pause, milliseconds);
}

static void test_rounds(void **state)
{
	struct retry retry = begin(3);

	(void)state;
	expect_next(&retry, &refused, 0, 1);
	expect_next(&retry, &refused, 0, 2);
	expect_pause(&retry, &refused, 0, 1, 750);
	retry_begin(&retry, 1000);
	assert_int_equal(retry.current, 0);
	/* The one that works is the first of the rounds that follow. */
	expect_next(&retry, &refused, 1000, 1);
	retry_succeeded(&retry);
	assert_int_equal(retry.current, 1);
	retry_begin(&retry, 2000);
	assert_int_equal(retry.current, 1);
	expect_next(&retry, &refused, 2000, 2);
	expect_next(&retry, &refused, 2000, 0);
	expect_pause(&retry, &refused, 2000, 2, 1500);
}

static void test_pauses(void **state)
{
	static const uint32_t seconds[] = {1, 2, 4, 8, 16, 32, 60, 60};
	struct retry retry = begin(1);

	(void)state;
	for (size_t i = 0; i < sizeof(seconds) / sizeof(seconds[0]); i++) {
		longest = i % 2;
		expect_pause(&retry, &refused, 0, seconds[i],
			     (int64_t)seconds[i] * (longest ? 1250 : 750));
		retry_begin(&retry, 0);
	}
	longest = false;
	/* Elsewhere, or at somebody's wish, it begins anew. */
	retry_moved(&retry);
	expect_pause(&retry, &refused, 0, 1, 750);
	retry_begin(&retry, 0);
	expect_pause(&retry, &refused, 0, 2, 1500);
	retry_forget(&retry);
	expect_pause(&retry, &refused, 0, 1, 750);
}

static void test_hopeless(void **state)
{
	const struct retry_failure hopeless[] = {
		wrong,
		{.status = CLIENT_TYPE, .up_since = -1},
		{.status = CLIENT_NAT, .up_since = -1},
		{.status = CLIENT_LOCAL, .up_since = -1},
		{.status = CLIENT_SERVER, .said = REASON_SUPERSEDED, .up_since = -1},
		{.status = CLIENT_SERVER, .said = REASON_ADDRESS, .up_since = -1},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(hopeless) / sizeof(hopeless[0]); i++) {
		struct retry retry = begin(1);

		assert_true(retry_failed(&retry, &hopeless[i], 0).hopeless);
		retry = begin(1);
		expect_pause(&retry, &hopeless[i], 0, 60, 45000);
	}
	struct retry retry = begin(1);

	assert_false(retry_failed(&retry, &refused, 0).hopeless);
}

/* Whoever has said what takes time to change is left out for as long as the longest pause. */
static void test_rest(void **state)
{
	struct retry retry = begin(2);

	(void)state;
	expect_next(&retry, &wrong, 0, 1);
	expect_pause(&retry, &refused, 0, 1, 750);
	retry_begin(&retry, 44999);
	assert_int_equal(retry.current, 1);
	expect_pause(&retry, &refused, 44999, 2, 1500);
	retry_begin(&retry, 45000);
	assert_int_equal(retry.current, 0);
	/* All of them: then it is the first all the same. */
	expect_next(&retry, &wrong, 45000, 1);
	expect_pause(&retry, &wrong, 45000, 60, 45000);
	retry_begin(&retry, 45001);
	assert_int_equal(retry.current, 0);
	retry_forget(&retry);
	expect_next(&retry, &refused, 45001, 1);
}

/* It worked: it is the first to be tried again, and soon, but not by all its clients at once. */
static void test_was_up(void **state)
{
	struct retry_failure lost = {.status = CLIENT_CLOSED, .up_since = 0};
	struct retry retry = begin(2);

	(void)state;
	expect_next(&retry, &refused, 0, 1);
	retry_succeeded(&retry);
	expect_pause(&retry, &lost, HOUR, 0, RETRY_SPREAD_MIN_MS);
	assert_int_equal(retry.current, 1);
	longest = true;
	expect_pause(&retry, &lost, HOUR, 0, RETRY_SPREAD_MAX_MS);
	longest = false;
	/* One that falls at once is no better than one that never was. */
	lost.up_since = HOUR - 59999;
	expect_pause(&retry, &lost, HOUR, 2, 1500);
	expect_pause(&retry, &lost, HOUR, 4, 3000);
	/* Unless the server was told to end. */
	lost.said = REASON_STOPPING;
	expect_pause(&retry, &lost, HOUR, 0, RETRY_SPREAD_MIN_MS);
	lost.said = REASON_OTHER;
	expect_pause(&retry, &lost, HOUR, 2, 1500);
	lost.up_since = HOUR - 60000;
	expect_pause(&retry, &lost, HOUR, 0, RETRY_SPREAD_MIN_MS);
	/* Another place uses the account. */
	lost.said = REASON_SUPERSEDED;
	expect_pause(&retry, &lost, HOUR, 60, 45000);
}

/* This machine's own trouble says nothing of the server, so no other one is tried. */
static void test_local(void **state)
{
	const struct retry_failure local = {.status = CLIENT_LOCAL, .up_since = -1};
	struct retry retry = begin(2);

	(void)state;
	expect_next(&retry, &refused, 0, 1);
	expect_pause(&retry, &local, 0, 60, 45000);
	retry_begin(&retry, 1);
	assert_int_equal(retry.current, 0);
	expect_next(&retry, &refused, 1, 1);
}

/* The server comes again after the others of the round, and need not rest. */
static void test_otherwise(void **state)
{
	struct retry_failure silent = {.status = CLIENT_TYPE, .up_since = -1, .otherwise = true};
	struct retry retry = begin(2);

	(void)state;
	assert_false(retry_failed(&retry, &silent, 0).hopeless);
	assert_int_equal(retry.current, 1);
	expect_next(&retry, &refused, 0, 0);
	expect_pause(&retry, &refused, 0, 1, 750);
	retry = begin(1);
	expect_next(&retry, &silent, 0, 0);
}

static void test_hurry(void **state)
{
	struct retry retry = begin(1);
	int64_t end = HOUR;

	(void)state;
	expect_pause(&retry, &refused, 0, 1, 750);
	/* At once, and then every five seconds. */
	assert_true(retry_hurry(&retry, 1000, &end));
	expect_pause(&retry, &refused, 1000, 2, 1500);
	assert_false(retry_hurry(&retry, 1001, &end));
	assert_int_equal(end, 1000 + RETRY_HURRY_MS);
	end = 2000;
	assert_false(retry_hurry(&retry, 1002, &end));
	assert_int_equal(end, 2000);
	assert_true(retry_hurry(&retry, 1000 + RETRY_HURRY_MS, &end));
	/* No network helps against a wrong password. */
	expect_pause(&retry, &wrong, 7000, 60, 45000);
	end = HOUR;
	assert_false(retry_hurry(&retry, 30000, &end));
	assert_int_equal(end, HOUR);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rounds),	  cmocka_unit_test(test_pauses),
		cmocka_unit_test(test_hopeless),  cmocka_unit_test(test_rest),
		cmocka_unit_test(test_was_up),	  cmocka_unit_test(test_local),
		cmocka_unit_test(test_otherwise), cmocka_unit_test(test_hurry),
	};

	return cmocka_run_group_tests_name("client retry", tests, NULL, NULL);
}
