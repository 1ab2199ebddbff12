/* SPDX-License-Identifier: BSD-2-Clause */
/* When a path of protocol 41 is asked, and what is made of silence. */
#include "forward/liveness.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define BEGIN UINT64_C(1000000)

static struct liveness live;
static uint64_t now, since;

static void begin(void)
{
	now = BEGIN;
	since = 0;
	liveness_start(&live, now, false);
}

/* Nothing is due before that time, and then this. */
static void expect_at(uint64_t when, enum liveness_action action)
{
	uint64_t deadline = liveness_deadline(&live, since);

	assert_true(deadline <= when);
	if (when > now) {
		assert_int_equal(deadline, when);
		assert_int_equal(liveness_step(&live, since, when - 1), LIVENESS_WAIT);
	}
	now = when;
	assert_int_equal(liveness_step(&live, since, now), action);
}

/* Five a second apart, the first at that time. */
static void expect_quick(uint64_t when)
{
	for (uint64_t i = 0; i < 5; i++)
		expect_at(when + i * 1000, LIVENESS_ASK);
}

static void answered(void)
{
	(void)liveness_answered(&live, now);
}

static void idle(void **state)
{
	(void)state;
	begin();
	expect_at(BEGIN, LIVENESS_ASK);
	now += 40;
	assert_true(liveness_answered(&live, now));
	/* Every 20 s, and that is all. */
	for (uint64_t i = 1; i < 10; i++) {
		expect_at(BEGIN + 40 + i * 20000, LIVENESS_ASK);
		assert_false(liveness_answered(&live, now));
	}
	/* What comes in by itself shows it as well. */
	now += 19000;
	assert_false(liveness_heard(&live, now));
	expect_at(now + 20000, LIVENESS_ASK);
}

/* The peer asks; this end begins again when it has. */
static void dead_and_quiet(void **state)
{
	(void)state;
	begin();
	live.quiet = true;
	expect_at(BEGIN, LIVENESS_ASK);
	answered();
	expect_quick(BEGIN + 20000);
	for (uint64_t i = 29000; i < 60000; i += 5000)
		expect_at(BEGIN + i, LIVENESS_ASK);
	expect_at(BEGIN + 60000, LIVENESS_DEAD);
	assert_int_equal(liveness_deadline(&live, since), UINT64_MAX);
	/* Once for each time that the peer asks; its answer shows that the path is back. */
	for (int i = 0; i < 3; i++) {
		now += 1000000;
		assert_int_equal(liveness_step(&live, since, now), LIVENESS_WAIT);
		liveness_asked(&live);
		expect_at(now, LIVENESS_ASK);
		assert_int_equal(liveness_deadline(&live, since), UINT64_MAX);
	}
	assert_true(liveness_answered(&live, now));
	expect_at(now + 20000, LIVENESS_ASK);
}

static void dies_and_comes_back(void **state)
{
	(void)state;
	begin();
	expect_at(BEGIN, LIVENESS_ASK);
	answered();
	expect_quick(BEGIN + 20000);
	for (uint64_t i = 29000; i < 60000; i += 5000)
		expect_at(BEGIN + i, LIVENESS_ASK);
	expect_at(BEGIN + 60000, LIVENESS_DEAD);
	/* Said once, and still asked. */
	for (uint64_t i = 64000; i < 300000; i += 5000)
		expect_at(BEGIN + i, LIVENESS_ASK);
	now += 100;
	assert_true(liveness_heard(&live, now));
	assert_false(liveness_heard(&live, now));
	/* And the same again. */
	expect_quick(now + 20000);
	now += 1000;
	assert_false(liveness_answered(&live, now));
	expect_at(now + 20000, LIVENESS_ASK);
}

static void lonely_packets(void **state)
{
	(void)state;
	begin();
	expect_at(BEGIN, LIVENESS_ASK);
	answered();
	now = BEGIN + 1000;
	liveness_packet_out(&live, now);
	/* The first counts. */
	liveness_packet_out(&live, now + 3000);
	expect_quick(BEGIN + 6000);
	now += 100;
	answered();
	/* One that is answered with a packet is not lonely; nor does one come soon after 20 s. */
	liveness_packet_out(&live, now);
	assert_false(liveness_heard(&live, now + 10));
	liveness_packet_out(&live, now + 18000);
	expect_at(now + 20010, LIVENESS_ASK);
}

/* The kernel has carried packets, which shows later. */
static void noticed(void **state)
{
	(void)state;
	begin();
	expect_at(BEGIN, LIVENESS_ASK);
	answered();
	liveness_noticed(&live, BEGIN + 15000);
	/* An earlier one says nothing new. */
	liveness_noticed(&live, BEGIN + 9000);
	assert_int_equal(liveness_deadline(&live, since), BEGIN + 35000);
	/* It is no answer to what went out after it; one after that is. */
	liveness_packet_out(&live, BEGIN + 16000);
	liveness_noticed(&live, BEGIN + 15500);
	assert_int_equal(liveness_deadline(&live, since), BEGIN + 21000);
	liveness_noticed(&live, BEGIN + 16200);
	assert_int_equal(liveness_deadline(&live, since), BEGIN + 36200);
	/* A path that is dead comes back by what forward sees, and not so. */
	for (now = BEGIN + 36200; liveness_step(&live, since, now) != LIVENESS_DEAD;)
		now = liveness_deadline(&live, since);
	liveness_noticed(&live, now + 10);
	assert_true(liveness_heard(&live, now + 20));
}

/*
 * Called dead as long as nothing has come, and not after that; seldom asked, and still found out
 * when it begins to answer.
 */
static void never_answers(void **state)
{
	(void)state;
	begin();
	expect_quick(BEGIN);
	expect_at(BEGIN + 8000, LIVENESS_DEAD);
	for (uint64_t i = 1; i < 5; i++) {
		expect_at(BEGIN + 4000 + i * 60000, LIVENESS_ASK);
		liveness_packet_out(&live, now + 10);
	}
	/* Nor when there is traffic, whatever goes out. */
	for (uint64_t i = 0; i < 10; i++) {
		now += 10000;
		assert_int_equal(liveness_heard(&live, now), i == 0);
		liveness_packet_out(&live, now + 10);
		assert_int_equal(liveness_step(&live, since, now), LIVENESS_WAIT);
	}
	expect_at(now + 20000, LIVENESS_ASK);
	assert_true(liveness_answered(&live, now));
	expect_quick(now + 20000);
	for (uint64_t i = 0; i < 7; i++)
		expect_at(now + 5000, LIVENESS_ASK);
	expect_at(now + 1000, LIVENESS_DEAD);
}

/* What comes with the first packet, also in the very moment of the beginning, counts. */
static void heard_at_once(void **state)
{
	(void)state;
	begin();
	expect_at(BEGIN, LIVENESS_ASK);
	assert_false(liveness_heard(&live, now));
	for (uint64_t i = 1; i < 5; i++)
		expect_at(BEGIN + i * 1000, LIVENESS_ASK);
	expect_at(BEGIN + 64000, LIVENESS_ASK);
	/* And what the kernel has seen. */
	begin();
	expect_quick(BEGIN);
	liveness_noticed(&live, BEGIN + 4500);
	expect_at(BEGIN + 64000, LIVENESS_ASK);
}

/* A server knows nothing of a client that has not spoken. */
static void quiet_from_the_start(void **state)
{
	(void)state;
	begin();
	live.quiet = true;
	expect_quick(BEGIN);
	expect_at(BEGIN + 64000, LIVENESS_ASK);
}

/* It knows how to, but nothing of ours has ever got there. */
static void one_way_only(void **state)
{
	(void)state;
	begin();
	expect_at(BEGIN, LIVENESS_ASK);
	liveness_asked(&live);
	for (uint64_t i = 1000; i < 5000; i += 1000)
		expect_at(BEGIN + i, LIVENESS_ASK);
	expect_at(BEGIN + 8000, LIVENESS_DEAD);
	for (uint64_t i = 9000; i < 60000; i += 5000) {
		liveness_asked(&live);
		expect_at(BEGIN + i, LIVENESS_ASK);
	}
	/* What it answers then is its first answer, and the path is back; both are told as one. */
	assert_true(liveness_answered(&live, now + 10));
	assert_false(liveness_answered(&live, now + 20));
}

static void hurry(void **state)
{
	(void)state;
	begin();
	expect_at(BEGIN, LIVENESS_ASK);
	answered();
	now += 7000;
	/* A whole row each time. */
	liveness_hurry(&live);
	expect_quick(now);
	liveness_hurry(&live);
	expect_quick(now);
}

/* What could not be heard is not missed. */
static void stopped(void **state)
{
	(void)state;
	begin();
	expect_at(BEGIN, LIVENESS_ASK);
	answered();
	expect_quick(BEGIN + 20000);
	now = since = BEGIN + 500000;
	expect_at(now, LIVENESS_ASK);
	for (uint64_t i = 5000; i < 60000; i += 5000)
		expect_at(since + i, LIVENESS_ASK);
	/* Both are due, and what was missed goes first. */
	expect_at(since + 60000, LIVENESS_DEAD);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(idle),
		cmocka_unit_test(dies_and_comes_back),
		cmocka_unit_test(lonely_packets),
		cmocka_unit_test(noticed),
		cmocka_unit_test(never_answers),
		cmocka_unit_test(one_way_only),
		cmocka_unit_test(hurry),
		cmocka_unit_test(stopped),
		cmocka_unit_test(dead_and_quiet),
		cmocka_unit_test(heard_at_once),
		cmocka_unit_test(quiet_from_the_start),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
