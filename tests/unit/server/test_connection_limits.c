/* SPDX-License-Identifier: BSD-2-Clause */
/* Who is let in when there are too many connections, and who has to go for it. */
#include "server/control/connection_limits.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#define PLACES 5000

static const uint64_t key[2] = {1, 2};

/* Connections that are there, and what was said last. */
struct bench {
	struct connection_limits_config config;
	struct connection_limits *limits;
	struct connection_limits_place *places; /* owner: the place itself while it is entered */
	size_t used;
	int64_t now;
	struct connection_limits_place *drop;
	const char *why;
};

static struct in_addr source(uint32_t number)
{
	return (struct in_addr){.s_addr = htonl(0x0a000000 + number)};
}

static void begin(struct bench *bench, uint32_t connections, uint32_t pending,
		  uint32_t source_connections, uint32_t source_pending)
{
	*bench = (struct bench){.config = {.connections = connections,
					   .pending = pending,
					   .source_connections = source_connections,
					   .source_pending = source_pending}};
	bench->limits = connection_limits_new(&bench->config, connections, key);
	bench->places = calloc(PLACES, sizeof(*bench->places));
	assert_non_null(bench->limits);
	assert_non_null(bench->places);
}

static void end(struct bench *bench)
{
	for (size_t i = 0; i < bench->used; i++) {
		if (bench->places[i].owner)
			connection_limits_leave(bench->limits, &bench->places[i]);
	}
	assert_int_equal(connection_limits_count(bench->limits), 0);
	assert_int_equal(connection_limits_pending(bench->limits), 0);
	assert_null(connection_limits_worst(bench->limits));
	connection_limits_free(bench->limits);
	free(bench->places);
}

static void leave(struct bench *bench, struct connection_limits_place *place)
{
	connection_limits_leave(bench->limits, place);
	place->owner = NULL;
}

static enum connection_limits_answer ask(struct bench *bench, uint32_t from)
{
	return connection_limits_ask(bench->limits, source(from), &bench->drop, &bench->why);
}

static struct connection_limits_place *enter(struct bench *bench, uint32_t from)
{
	struct connection_limits_place *place = &bench->places[bench->used++];

	assert_int_equal(ask(bench, from), CONNECTION_LIMITS_ENTER);
	assert_null(bench->drop);
	connection_limits_enter(bench->limits, place, source(from), place, bench->now);
	assert_ptr_equal(place->owner, place);
	return place;
}

/* As the server does it. Returns NULL where it was refused. */
static struct connection_limits_place *arrive(struct bench *bench, uint32_t from)
{
	enum connection_limits_answer answer;

	while ((answer = ask(bench, from)) == CONNECTION_LIMITS_DROP)
		leave(bench, bench->drop);
	return answer == CONNECTION_LIMITS_ENTER ? enter(bench, from) : NULL;
}

static void expect_drop(struct bench *bench, uint32_t from,
			const struct connection_limits_place *place, const char *why)
{
	assert_int_equal(ask(bench, from), CONNECTION_LIMITS_DROP);
	assert_ptr_equal(bench->drop, place);
	assert_string_equal(bench->why, why);
}

static void expect_refuse(struct bench *bench, uint32_t from, const char *why)
{
	assert_int_equal(ask(bench, from), CONNECTION_LIMITS_REFUSE);
	assert_null(bench->drop);
	assert_string_equal(bench->why, why);
}

static void test_one_source(void **state)
{
	struct bench bench;
	struct connection_limits_place *first, *second;

	(void)state;
	begin(&bench, 100, 50, 4, 2);
	first = enter(&bench, 1);
	second = enter(&bench, 1);
	expect_drop(&bench, 1, first, "limit.source.pending");
	/* That is no matter of others. */
	(void)enter(&bench, 2);
	/* With a session it is not counted for this, and not dropped. */
	connection_limits_settle(bench.limits, first);
	(void)enter(&bench, 1);
	expect_drop(&bench, 1, second, "limit.source.pending");
	connection_limits_settle(bench.limits, second);
	(void)enter(&bench, 1);
	expect_drop(&bench, 1, &bench.places[3], "limit.source.pending");
	connection_limits_settle(bench.limits, &bench.places[3]);
	expect_drop(&bench, 1, &bench.places[4], "limit.source.connections");
	connection_limits_settle(bench.limits, &bench.places[4]);
	expect_refuse(&bench, 1, "limit.source.connections");
	/* A session ended: its connection, which still says good-bye, can go. */
	connection_limits_unsettle(bench.limits, second);
	expect_drop(&bench, 1, second, "limit.source.connections");
	/* Said twice it is as good as once. */
	connection_limits_unsettle(bench.limits, second);
	connection_limits_settle(bench.limits, first);
	assert_int_equal(connection_limits_pending(bench.limits), 2);
	assert_int_equal(connection_limits_count(bench.limits), 5);
	end(&bench);
}

/* Whoever has most of them pays, wherever the newcomer is from. */
static void test_the_fullest_source_pays(void **state)
{
	struct bench bench;
	struct connection_limits_place *flood[8];
	struct connection_limits_place *quiet;

	(void)state;
	begin(&bench, 100, 10, 100, 100);
	quiet = enter(&bench, 1);
	for (size_t i = 0; i < 8; i++)
		flood[i] = enter(&bench, 9);
	(void)enter(&bench, 2);
	expect_drop(&bench, 3, flood[0], "limit.pending");
	expect_drop(&bench, 1, flood[0], "limit.pending");
	expect_drop(&bench, 9, flood[0], "limit.pending");
	connection_limits_settle(bench.limits, flood[0]);
	(void)enter(&bench, 1);
	expect_drop(&bench, 3, flood[1], "limit.pending");
	for (size_t i = 1; i < 7; i++)
		leave(&bench, flood[i]);
	/* Now 1 has two, and the others one each. */
	assert_ptr_equal(connection_limits_worst(bench.limits), quiet);
	end(&bench);
}

/* Sources of one connection each: the oldest goes, so who is quick enough gets through. */
static void test_among_equals_the_oldest(void **state)
{
	struct bench bench;
	struct connection_limits_place *honest;

	(void)state;
	begin(&bench, 2000, 1000, 10, 10);
	for (uint32_t i = 0; i < 1000; i++)
		assert_non_null(arrive(&bench, 100 + i));
	honest = arrive(&bench, 1);
	assert_non_null(honest);
	for (uint32_t i = 0; i < 999; i++) {
		assert_non_null(arrive(&bench, 10000 + i));
		assert_non_null(honest->owner);
		assert_int_equal(connection_limits_pending(bench.limits), 1000);
	}
	assert_ptr_equal(connection_limits_worst(bench.limits), honest);
	end(&bench);
}

/* A flood from one address or a few never displaces somebody else. */
static void test_few_flooders(void **state)
{
	struct bench bench;
	struct connection_limits_place *honest;

	(void)state;
	begin(&bench, 500, 100, 50, 40);
	honest = arrive(&bench, 1);
	for (uint32_t i = 0; i < 4000; i++) {
		assert_non_null(arrive(&bench, 10 + i % 7));
		assert_non_null(honest->owner);
		assert_true(connection_limits_pending(bench.limits) <= 100);
	}
	end(&bench);
}

/* Wrong logins from everywhere: who has failed goes before who has not. */
static void test_spoiled_ones(void **state)
{
	struct bench bench;
	struct connection_limits_place *honest, *first, *second;

	(void)state;
	begin(&bench, 2000, 100, 10, 10);
	honest = arrive(&bench, 1);
	for (uint32_t i = 0; i < 3000; i++) {
		struct connection_limits_place *place = arrive(&bench, 10 + i);

		assert_non_null(place);
		connection_limits_spoil(bench.limits, place);
		connection_limits_spoil(bench.limits, place);
		assert_non_null(honest->owner);
		assert_true(connection_limits_pending(bench.limits) <= 100);
	}
	/* A session forgets it. */
	first = connection_limits_worst(bench.limits);
	connection_limits_settle(bench.limits, first);
	connection_limits_spoil(bench.limits, first);
	assert_ptr_not_equal(connection_limits_worst(bench.limits), first);
	connection_limits_unsettle(bench.limits, first);
	assert_ptr_not_equal(connection_limits_worst(bench.limits), first);
	end(&bench);

	/* Of one address that has most, the one that has failed; but no other address's. */
	begin(&bench, 100, 8, 10, 10);
	honest = enter(&bench, 1);
	connection_limits_spoil(bench.limits, honest);
	first = enter(&bench, 2);
	for (int i = 0; i < 5; i++)
		second = enter(&bench, 2);
	assert_ptr_equal(connection_limits_worst(bench.limits), first);
	connection_limits_spoil(bench.limits, second);
	assert_ptr_equal(connection_limits_worst(bench.limits), second);
	end(&bench);
}

static void test_all_have_sessions(void **state)
{
	struct bench bench;

	(void)state;
	begin(&bench, 3, 2, 3, 3);
	for (uint32_t i = 0; i < 3; i++)
		connection_limits_settle(bench.limits, enter(&bench, i));
	expect_refuse(&bench, 7, "limit.connections");
	expect_refuse(&bench, 1, "limit.connections");
	assert_null(connection_limits_worst(bench.limits));
	leave(&bench, &bench.places[1]);
	(void)enter(&bench, 7);
	expect_drop(&bench, 8, &bench.places[3], "limit.connections");
	end(&bench);
}

/* Against a plain count of everything, over a long history of all kinds. */
static void test_counts(void **state)
{
	struct bench bench;
	uint32_t random = 12345;

	(void)state;
	begin(&bench, 64, 32, 12, 8);
	while (bench.used < 1500) {
		uint32_t pending = 0, all = 0;

		random = random * 1103515245 + 12345;
		if (random >> 16 & 1) {
			(void)arrive(&bench, random >> 17 & 15);
		} else if (bench.used > 0) {
			struct connection_limits_place *place =
				&bench.places[(random >> 18) % bench.used];

			if (place->owner && random >> 17 & 1)
				leave(&bench, place);
			else if (place->owner && random >> 28 & 1)
				connection_limits_settle(bench.limits, place);
			else if (place->owner && random >> 27 & 1)
				connection_limits_spoil(bench.limits, place);
			else if (place->owner)
				connection_limits_unsettle(bench.limits, place);
		}
		for (size_t i = 0; i < bench.used; i++) {
			all += bench.places[i].owner != NULL;
			pending += bench.places[i].owner && bench.places[i].pending;
		}
		assert_int_equal(connection_limits_count(bench.limits), all);
		assert_int_equal(connection_limits_pending(bench.limits), pending);
		assert_true(all <= 64);
		assert_true((connection_limits_worst(bench.limits) != NULL) == (pending > 0));
	}
	end(&bench);
}

/* Whose login is looked into stays, and the next one goes instead of it. */
static void test_in_work(void **state)
{
	struct bench bench;
	struct connection_limits_place *first, *second, *third;

	(void)state;
	begin(&bench, 100, 3, 4, 2);
	first = enter(&bench, 1);
	second = enter(&bench, 1);
	connection_limits_work(bench.limits, first);
	connection_limits_work(bench.limits, first);
	expect_drop(&bench, 1, second, "limit.source.pending");
	third = enter(&bench, 2);
	expect_drop(&bench, 3, second, "limit.pending");
	/* A place in work counts for the limits, and not for who has most. */
	connection_limits_work(bench.limits, second);
	expect_drop(&bench, 3, third, "limit.pending");
	expect_refuse(&bench, 1, "limit.source.pending");
	connection_limits_work(bench.limits, third);
	assert_null(connection_limits_worst(bench.limits));
	/* Not one of them is turned away, though none would be dropped: they wait. */
	assert_true(connection_limits_wait(bench.limits, 1000000) > 0);
	/* It failed, and goes before one that was not heard yet. */
	connection_limits_spoil(bench.limits, first);
	connection_limits_rest(bench.limits, second);
	assert_int_equal(connection_limits_wait(bench.limits, 0), 0);
	expect_drop(&bench, 3, first, "limit.pending");
	/* Its next try is in work again, and in vain again. */
	connection_limits_work(bench.limits, first);
	expect_drop(&bench, 3, second, "limit.pending");
	connection_limits_rest(bench.limits, first);
	expect_drop(&bench, 3, first, "limit.pending");
	/* One with a session is not in work. */
	connection_limits_settle(bench.limits, third);
	connection_limits_work(bench.limits, third);
	connection_limits_rest(bench.limits, third);
	assert_int_equal(connection_limits_pending(bench.limits), 2);
	end(&bench);
}

/* One that ends while it is in work is as any other. */
static void test_in_work_at_the_end(void **state)
{
	struct bench bench;
	struct connection_limits_place *first, *second;

	(void)state;
	begin(&bench, 100, 2, 4, 2);
	first = enter(&bench, 1);
	second = enter(&bench, 2);
	connection_limits_work(bench.limits, first);
	connection_limits_work(bench.limits, second);
	connection_limits_unsettle(bench.limits, first);
	expect_drop(&bench, 3, first, "limit.pending");
	leave(&bench, second);
	leave(&bench, first);
	assert_int_equal(connection_limits_pending(bench.limits), 0);
	assert_int_equal(connection_limits_wait(bench.limits, 0), 0);
	end(&bench);
}

/* There is a moment to say something in, but not after a failed login. */
static void test_grace(void **state)
{
	struct bench bench;
	struct connection_limits_place *first;

	(void)state;
	begin(&bench, 100, 2, 4, 2);
	bench.now = 1000;
	assert_int_equal(connection_limits_wait(bench.limits, 1000), 0);
	first = enter(&bench, 1);
	bench.now = 1100;
	(void)enter(&bench, 2);
	assert_true(connection_limits_wait(bench.limits, 1100) > 0);
	assert_true(connection_limits_wait(bench.limits, 1249) > 0);
	assert_int_equal(connection_limits_wait(bench.limits, 1250), 0);
	connection_limits_spoil(bench.limits, first);
	assert_int_equal(connection_limits_wait(bench.limits, 1100), 0);
	end(&bench);
	/* Not where somebody has more than a few. */
	begin(&bench, 100, 5, 10, 10);
	for (int i = 0; i < 5; i++)
		(void)enter(&bench, 1);
	assert_int_equal(connection_limits_wait(bench.limits, 0), 0);
	end(&bench);
	/* Who has too many displaces themselves, at once. */
	begin(&bench, 100, 2, 4, 2);
	(void)arrive(&bench, 3);
	(void)arrive(&bench, 3);
	assert_int_equal(ask(&bench, 3), CONNECTION_LIMITS_DROP);
	end(&bench);
}

/* If there are only sessions, nobody waits for them to end. */
static void test_no_wait_for_sessions(void **state)
{
	struct bench bench;

	(void)state;
	begin(&bench, 1, 1, 1, 1);
	connection_limits_settle(bench.limits, enter(&bench, 1));
	assert_int_equal(connection_limits_wait(bench.limits, 0), 0);
	expect_refuse(&bench, 2, "limit.connections");
	end(&bench);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one_source),
		cmocka_unit_test(test_the_fullest_source_pays),
		cmocka_unit_test(test_among_equals_the_oldest),
		cmocka_unit_test(test_few_flooders),
		cmocka_unit_test(test_spoiled_ones),
		cmocka_unit_test(test_all_have_sessions),
		cmocka_unit_test(test_counts),
		cmocka_unit_test(test_in_work),
		cmocka_unit_test(test_in_work_at_the_end),
		cmocka_unit_test(test_grace),
		cmocka_unit_test(test_no_wait_for_sessions),
	};

	return cmocka_run_group_tests_name("server limits", tests, NULL, NULL);
}
