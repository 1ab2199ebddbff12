/* SPDX-License-Identifier: BSD-2-Clause */
#include "packets.h"

#include "forward/hello.h"

/* Times here are in milliseconds since the beginning, which is not the clock's. */
#define BEGIN UINT64_C(123456789)

static uint64_t at(uint64_t ms)
{
	return BEGIN + ms * HELLO_MS;
}

/* What is due, with what is said of silence left aside. */
static enum hello_action step(struct hello *hello, uint64_t ms)
{
	enum hello_action action;

	do
		action = hello_step(hello, at(ms));
	while (action == HELLO_SILENT);
	return action;
}

/* Nothing happens before ms, and then this. What is said of silence has tests of its own. */
static void expect(struct hello *hello, uint64_t ms, enum hello_action action)
{
	while (action != HELLO_SILENT && hello->asks && hello->asked + 10000 * HELLO_MS < at(ms) &&
	       hello_deadline(hello) == hello->asked + 10000 * HELLO_MS)
		assert_int_equal(hello_step(hello, hello_deadline(hello)), HELLO_SILENT);
	assert_int_equal(hello_deadline(hello), at(ms));
	assert_int_equal(hello_step(hello, at(ms) - 1), HELLO_WAIT);
	assert_int_equal(hello_step(hello, at(ms)), action);
}

/* A good answer to the last hello; what it tells of the path. */
static bool answer(struct hello *hello, uint64_t ms)
{
	bool revived;

	(void)hello_answered(hello, hello_clock(hello->sent), at(ms), &revived);
	return revived;
}

static void unanswered(void **state)
{
	struct hello hello;

	(void)state;
	hello_start(&hello, at(0));
	expect(&hello, 0, HELLO_SEND);
	expect(&hello, 500, HELLO_SEND);
	for (uint64_t ms = 1500; ms < 60000; ms += 2000)
		expect(&hello, ms, HELLO_SEND);
	expect(&hello, 60000, HELLO_DEAD);
	/* It is told once, and hellos go on. */
	expect(&hello, 61500, HELLO_SEND);
	for (uint64_t ms = 63500; ms < 200000; ms += 2000)
		expect(&hello, ms, HELLO_SEND);
	assert_true(answer(&hello, 200000));
	expect(&hello, 199500 + 20000, HELLO_SEND);
}

static void answered(void **state)
{
	struct hello hello;

	(void)state;
	hello_start(&hello, at(0));
	expect(&hello, 0, HELLO_SEND);
	expect(&hello, 500, HELLO_SEND);
	assert_true(answer(&hello, 600));
	/* 20 s after the last one was sent */
	for (uint64_t ms = 20500; ms < 200000; ms += 20000) {
		expect(&hello, ms, HELLO_SEND);
		assert_false(answer(&hello, ms + 30));
	}
}

static void one_is_lost(void **state)
{
	struct hello hello;

	(void)state;
	hello_start(&hello, at(0));
	expect(&hello, 0, HELLO_SEND);
	assert_true(answer(&hello, 10));
	expect(&hello, 20000, HELLO_SEND);
	expect(&hello, 20500, HELLO_SEND);
	expect(&hello, 21500, HELLO_SEND);
	expect(&hello, 23500, HELLO_SEND);
	assert_false(answer(&hello, 23510));
	expect(&hello, 43500, HELLO_SEND);
	expect(&hello, 44000, HELLO_SEND);
}

static void verdict_after_the_last_answer(void **state)
{
	struct hello hello;

	(void)state;
	hello_start(&hello, at(0));
	expect(&hello, 0, HELLO_SEND);
	assert_true(answer(&hello, 7));
	expect(&hello, 20000, HELLO_SEND);
	expect(&hello, 20500, HELLO_SEND);
	for (uint64_t ms = 21500; ms < 60007; ms += 2000)
		expect(&hello, ms, HELLO_SEND);
	expect(&hello, 60007, HELLO_DEAD);
	expect(&hello, 61500, HELLO_SEND);
	assert_true(answer(&hello, 61501));
	assert_int_equal(hello_step(&hello, at(81499)), HELLO_WAIT);
}

/* Stopped, or asleep: what was not heard meanwhile says nothing of the path. */
static void away_for_a_while(void **state)
{
	struct hello hello;

	(void)state;
	for (int i = 0; i < 2; i++) {
		hello_start(&hello, at(0));
		expect(&hello, 0, HELLO_SEND);
		assert_true(answer(&hello, 10));
		if (i == 1)
			hello_hurry(&hello, at(1200000));
		assert_int_equal(hello_step(&hello, at(1200000)), HELLO_SEND);
		expect(&hello, 1200500, HELLO_SEND);
		expect(&hello, 1201500, HELLO_SEND);
		for (uint64_t ms = 1203500; ms < 1260000; ms += 2000)
			expect(&hello, ms, HELLO_SEND);
		expect(&hello, 1260000, HELLO_DEAD);
	}
	/* A timer that is merely late is none. */
	hello_start(&hello, at(0));
	expect(&hello, 0, HELLO_SEND);
	for (uint64_t ms = 4500; ms < 60000; ms += 4500)
		assert_int_equal(step(&hello, ms), HELLO_SEND);
	assert_int_equal(step(&hello, 60000), HELLO_DEAD);
}

static void hurry(void **state)
{
	struct hello hello;

	(void)state;
	hello_start(&hello, at(0));
	expect(&hello, 0, HELLO_SEND);
	assert_true(answer(&hello, 10));
	hello_hurry(&hello, at(1234));
	expect(&hello, 1234, HELLO_SEND);
	expect(&hello, 1734, HELLO_SEND);
	expect(&hello, 2734, HELLO_SEND);
	expect(&hello, 4734, HELLO_SEND);
	/* Once more while none is answered: from the beginning, but the verdict does not wait. */
	hello_hurry(&hello, at(5000));
	expect(&hello, 5000, HELLO_SEND);
	expect(&hello, 5500, HELLO_SEND);
	for (uint64_t ms = 6500; ms < 60010; ms += 2000)
		expect(&hello, ms, HELLO_SEND);
	expect(&hello, 60010, HELLO_DEAD);
}

static void packets_out_and_none_in(void **state)
{
	struct hello hello;

	(void)state;
	hello_start(&hello, at(0));
	expect(&hello, 0, HELLO_SEND);
	assert_true(answer(&hello, 10));
	/* It is the first one out that counts. */
	hello_packet_out(&hello, at(1000));
	hello_packet_out(&hello, at(5999));
	expect(&hello, 6000, HELLO_SEND);
	expect(&hello, 6500, HELLO_SEND);
	assert_false(answer(&hello, 6510));
	/* It was the network's fault, or nobody's: not again before 5 s. */
	hello_packet_out(&hello, at(6511));
	expect(&hello, 11511, HELLO_SEND);
	assert_false(answer(&hello, 11520));
	/* Whatever comes in between is a sign of life. */
	hello_packet_out(&hello, at(12000));
	hello_packet_in(&hello);
	hello_packet_out(&hello, at(13000));
	expect(&hello, 18000, HELLO_SEND);
	hello_packet_in(&hello);
	assert_false(answer(&hello, 18010));
	expect(&hello, 38000, HELLO_SEND);
	/* So is what others have seen, if it came after the packet. */
	assert_false(answer(&hello, 38010));
	hello_packet_out(&hello, at(39000));
	hello_noticed(&hello, at(38900));
	assert_int_equal(hello_deadline(&hello), at(44000));
	hello_noticed(&hello, at(39100));
	assert_int_equal(hello_deadline(&hello), at(58000));
	expect(&hello, 58000, HELLO_SEND);
	assert_false(answer(&hello, 58010));
}

static void hellos_on_their_way(void **state)
{
	struct hello hello;

	(void)state;
	hello_start(&hello, at(0));
	expect(&hello, 0, HELLO_SEND);
	assert_true(answer(&hello, 10));
	expect(&hello, 20000, HELLO_SEND);
	assert_false(answer(&hello, 20010));
	/* While hellos are on their way there is no need for more. */
	expect(&hello, 40000, HELLO_SEND);
	hello_packet_out(&hello, at(40000));
	expect(&hello, 40500, HELLO_SEND);
	expect(&hello, 41500, HELLO_SEND);
	expect(&hello, 43500, HELLO_SEND);
}

/* An answer that is not content with us: soon again, and still a sign of life. */
static void unproven(void **state)
{
	struct hello hello;

	(void)state;
	hello_start(&hello, at(0));
	expect(&hello, 0, HELLO_SEND);
	for (uint64_t ms = 0; ms < 200000; ms += 2000) {
		assert_int_equal(answer(&hello, ms + 30), ms == 0);
		hello_unproven(&hello);
		expect(&hello, ms + 2000, HELLO_SEND);
	}
}

/* A network that changes all the time does not keep a dead path alive. */
static void hurry_with_packets_out(void **state)
{
	enum hello_action action = HELLO_WAIT;
	struct hello hello;

	(void)state;
	hello_start(&hello, at(0));
	expect(&hello, 0, HELLO_SEND);
	hello_packet_out(&hello, at(100));
	for (uint64_t ms = 200; action != HELLO_DEAD; ms += 100) {
		if (ms % 20000 == 0)
			hello_hurry(&hello, at(ms));
		action = step(&hello, ms);
		assert_true(ms <= 60000);
		assert_true(action != HELLO_DEAD || ms == 60000);
	}
}

/* When silence is said next, and only then; hellos go on meanwhile. */
static void expect_silent(struct hello *hello, uint64_t from, uint64_t ms)
{
	for (; from < ms; from += 100)
		assert_true(hello_step(hello, at(from)) <= HELLO_SEND);
	assert_int_equal(hello_step(hello, at(ms)), HELLO_SILENT);
	assert_int_not_equal(hello_step(hello, at(ms)), HELLO_SILENT);
}

/* From the first hello that is not answered: again and again, and anew after an answer. */
static void silence(void **state)
{
	struct hello hello;

	(void)state;
	hello_start(&hello, at(0));
	assert_int_equal(hello_deadline(&hello), at(0));
	expect_silent(&hello, 0, 10000);
	expect_silent(&hello, 10100, 20000);
	/* A network that changes does not put it off. */
	hello_hurry(&hello, at(25000));
	expect_silent(&hello, 25000, 30000);
	assert_true(answer(&hello, 30100));

	/* The next hello is due by itself, and then it is from that one on. */
	uint64_t next = (hello.next - BEGIN) / HELLO_MS;

	assert_in_range(next, 48000, 50100);
	expect(&hello, next, HELLO_SEND);
	expect_silent(&hello, next + 100, next + 10000);

	/* The verdict comes in its time, and silence goes on. */
	hello_start(&hello, at(0));
	for (uint64_t ms = 0; ms < 50000; ms += 10000)
		expect_silent(&hello, ms, ms + 10000);
	for (uint64_t ms = 50000; ms < 60000; ms += 100)
		assert_true(hello_step(&hello, at(ms)) <= HELLO_SEND);
	assert_int_equal(hello_step(&hello, at(60000)), HELLO_DEAD);
	expect_silent(&hello, 60000, 60000);
	expect_silent(&hello, 60100, 70000);

	/* After a sleep it is from the first hello on again. */
	assert_int_equal(hello_step(&hello, at(1000000)), HELLO_SEND);
	expect_silent(&hello, 1000100, 1010000);
}

static void late_timer(void **state)
{
	struct hello hello;

	(void)state;
	/* After a long sleep there is one hello, not all that were missed. */
	hello_start(&hello, at(0));
	expect(&hello, 0, HELLO_SEND);
	assert_true(answer(&hello, 10));
	assert_int_equal(hello_step(&hello, at(3600000)), HELLO_SEND);
	assert_int_equal(hello_step(&hello, at(3600000)), HELLO_WAIT);
	expect(&hello, 3600500, HELLO_SEND);
}

static void round_trip_time(void **state)
{
	struct hello hello;
	bool revived;
	uint32_t clock;

	(void)state;
	hello_start(&hello, at(0));
	assert_int_equal(hello_step(&hello, at(0)), HELLO_SEND);
	clock = hello_clock(at(0));
	/* Exact for the last one, in milliseconds for one before it. */
	assert_int_equal(hello_answered(&hello, clock, at(0) + 345, &revived), 345);
	hello_hurry(&hello, at(1000));
	assert_int_equal(hello_step(&hello, at(1000)), HELLO_SEND);
	assert_int_equal(hello_step(&hello, at(1500)), HELLO_SEND);
	assert_int_equal(hello_answered(&hello, hello_clock(at(1000)), at(1601), &revived), 601000);

	/* The clock on the wire goes through zero: 2^32 ms less 300 ms. */
	uint64_t late = ((UINT64_C(1) << 32) - 300) * HELLO_MS;

	hello_start(&hello, late);
	assert_int_equal(hello_step(&hello, late), HELLO_SEND);
	assert_int_equal(hello_clock(late), UINT32_MAX - 299);
	assert_int_equal(hello_step(&hello, late + 500 * HELLO_MS), HELLO_SEND);
	assert_int_equal(hello_clock(late + 500 * HELLO_MS), 200);
	assert_int_equal(hello_answered(&hello, UINT32_MAX - 299, late + 700 * HELLO_MS, &revived),
			 700000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(unanswered),
		cmocka_unit_test(answered),
		cmocka_unit_test(one_is_lost),
		cmocka_unit_test(verdict_after_the_last_answer),
		cmocka_unit_test(away_for_a_while),
		cmocka_unit_test(hurry),
		cmocka_unit_test(packets_out_and_none_in),
		cmocka_unit_test(hellos_on_their_way),
		cmocka_unit_test(unproven),
		cmocka_unit_test(hurry_with_packets_out),
		cmocka_unit_test(silence),
		cmocka_unit_test(late_timer),
		cmocka_unit_test(round_trip_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
