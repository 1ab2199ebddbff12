/* SPDX-License-Identifier: BSD-2-Clause */
/* Which solicitations are answered, and how many. */
#include "server/ndp/answerer.h"

#include "tests/unit/proto/addresses.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { NOW = 1000000, INTERFACE = 7 };

struct rig {
	struct answerer *answerer;
	struct answerer_answer answer; /* the last one */
};

static void start(struct rig *rig)
{
	const struct server_ndp_link link = {
		.interface = INTERFACE, .source = addr6("fe80::2"), .mac = {2, 0, 0, 0, 0, 2}};

	answerer_start(rig->answerer, &link);
}

static void add(struct rig *rig, const char *text)
{
	const struct prefix6 what = prefix(text);

	assert_true(answerer_add(rig->answerer, &what, NOW));
}

static void take(struct rig *rig, const char *text)
{
	const struct prefix6 what = prefix(text);

	answerer_remove(rig->answerer, &what);
}

static void never(struct rig *rig, const char *text)
{
	const struct prefix6 what = prefix(text);

	assert_true(answerer_never(rig->answerer, &what));
}

/* fe80::1 asks for the address: at a multicast address of all that have it, or of itself. */
static enum answerer_verdict ask_at(struct rig *rig, const struct in6_addr *target, bool itself,
				    uint64_t now)
{
	struct in6_addr to = {{{0xff, 0x02, [11] = 0x01, [12] = 0xff}}};
	const struct in6_addr from = addr6("fe80::1");
	uint8_t packet[64] = {0x60, [5] = 24, [6] = 58, [7] = 255, [40] = 135};
	uint32_t sum = 24 + 58;

	memcpy(&to.s6_addr[13], &target->s6_addr[13], 3);
	memcpy(packet + 8, &from, sizeof(from));
	memcpy(packet + 24, itself ? target : &to, sizeof(to));
	memcpy(packet + 48, target, sizeof(*target));
	for (size_t i = 8; i < sizeof(packet); i += 2)
		sum += (uint32_t)(packet[i] << 8 | packet[i + 1]);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	packet[42] = (uint8_t)(~sum >> 8);
	packet[43] = (uint8_t)~sum;
	return answerer_ask(rig->answerer, packet, sizeof(packet), now, &rig->answer);
}

static enum answerer_verdict ask(struct rig *rig, const struct in6_addr *target, uint64_t now)
{
	return ask_at(rig, target, false, now);
}

static bool answers(struct rig *rig, const char *text)
{
	const struct in6_addr target = addr6(text);
	enum answerer_verdict verdict = ask(rig, &target, NOW);

	assert_int_not_equal(verdict, ANSWERER_TOO_MANY);
	if (verdict == ANSWERER_ANSWER)
		assert_memory_equal(&rig->answer.target, &target, sizeof(target));
	return verdict == ANSWERER_ANSWER;
}

static int open_rig(void **state)
{
	static struct rig rig;

	rig = (struct rig){.answerer = answerer_new(NOW)};
	assert_non_null(rig.answerer);
	start(&rig);
	*state = &rig;
	return 0;
}

static int close_rig(void **state)
{
	const struct rig *rig = *state;

	answerer_free(rig->answerer);
	return 0;
}

static void test_sessions(void **state)
{
	struct rig *rig = *state;

	assert_false(answers(rig, "2001:db8:a::5"));
	add(rig, "2001:db8:a::5/128");
	add(rig, "2001:db8:a:0:8000::/80");
	assert_true(answers(rig, "2001:db8:a::5"));
	assert_false(answers(rig, "2001:db8:a::4"));
	assert_true(answers(rig, "2001:db8:a:0:8000::"));
	assert_true(answers(rig, "2001:db8:a:0:8000:ffff:ffff:ffff"));
	assert_false(answers(rig, "2001:db8:a:0:8001::"));
	assert_false(answers(rig, "2001:db8:a:0:7fff:ffff:ffff:ffff"));
	/* The next session of a user begins before the last one has ended. */
	add(rig, "2001:db8:a::5/128");
	take(rig, "2001:db8:a::5/128");
	assert_true(answers(rig, "2001:db8:a::5"));
	take(rig, "2001:db8:a::5/128");
	assert_false(answers(rig, "2001:db8:a::5"));
	assert_true(answers(rig, "2001:db8:a:0:8000::1"));
	/* An address of somebody else's in a prefix. */
	add(rig, "2001:db8:a:0:8000::7/128");
	take(rig, "2001:db8:a:0:8000::/80");
	assert_true(answers(rig, "2001:db8:a:0:8000::7"));
	assert_false(answers(rig, "2001:db8:a:0:8000::8"));
	/* What was never there. */
	take(rig, "2001:db8:a::9/128");
}

/* Nothing at all, while it has no interface; sessions are remembered. */
static void test_interface(void **state)
{
	struct rig *rig = *state;

	add(rig, "2001:db8:a::5/128");
	assert_int_equal(answerer_interface(rig->answerer), INTERFACE);
	answerer_stop(rig->answerer);
	assert_int_equal(answerer_interface(rig->answerer), 0);
	assert_false(answers(rig, "2001:db8:a::5"));
	start(rig);
	assert_true(answers(rig, "2001:db8:a::5"));
	/* Until they are to be forgotten, however many have the same. */
	add(rig, "2001:db8:a::5/128");
	answerer_forget(rig->answerer);
	assert_false(answers(rig, "2001:db8:a::5"));
	add(rig, "2001:db8:a::5/128");
	assert_true(answers(rig, "2001:db8:a::5"));
}

static void test_never(void **state)
{
	struct rig *rig = *state;

	add(rig, "2001:db8:a::/80");
	add(rig, "2001:db8:a::1/128");
	never(rig, "2001:db8:a::1/128");
	never(rig, "2001:db8:a::100/120");
	never(rig, "2001:db8:a::100/120");
	assert_false(answers(rig, "2001:db8:a::1"));
	assert_false(answers(rig, "2001:db8:a::1ff"));
	assert_true(answers(rig, "2001:db8:a::2"));
	/* The machine is another one now. */
	answerer_stop(rig->answerer);
	never(rig, "2001:db8:a::2/128");
	start(rig);
	assert_true(answers(rig, "2001:db8:a::1"));
	assert_false(answers(rig, "2001:db8:a::2"));
}

/* How many of so many questions about different addresses of a prefix are answered. */
static unsigned int count(struct rig *rig, const char *text, unsigned int questions, uint64_t now)
{
	struct in6_addr target = addr6(text);
	unsigned int answered = 0;

	for (unsigned int i = 0; i < questions; i++) {
		target.s6_addr[14] = (uint8_t)(i >> 8);
		target.s6_addr[15] = (uint8_t)i;
		answered += ask(rig, &target, now) == ANSWERER_ANSWER;
	}
	return answered;
}

static void test_rate(void **state)
{
	enum { PREFIXES = 2 * ANSWERER_RATE / ANSWERER_PREFIX_RATE };
	struct rig *rig = *state;
	unsigned int answered = 0;
	char text[40];

	add(rig, "2001:db8:a::/80");
	add(rig, "2001:db8:b::/80");
	assert_int_equal(count(rig, "2001:db8:a::", 5000, NOW), ANSWERER_PREFIX_RATE);
	/* That is nobody else's trouble, and over after a second. */
	assert_true(answers(rig, "2001:db8:b::1"));
	assert_int_equal(count(rig, "2001:db8:a::1:0", 5000, NOW + 1000), ANSWERER_PREFIX_RATE);
	/* All of them together. */
	for (unsigned int i = 0; i < PREFIXES; i++) {
		(void)snprintf(text, sizeof(text), "2001:db8:c:%x::/80", i);
		add(rig, text);
		(void)snprintf(text, sizeof(text), "2001:db8:c:%x::", i);
		answered += count(rig, text, ANSWERER_PREFIX_RATE, NOW + 2000);
	}
	assert_int_equal(answered, ANSWERER_RATE);
	/* What nobody has costs nothing. */
	assert_int_equal(count(rig, "2001:db8:d::", 5000, NOW + 3000), 0);
	assert_int_equal(count(rig, "2001:db8:b::", 10, NOW + 3000), 10);
}

/* Somebody outside has a router ask for one address after the other, for minutes. */
static void test_scan(void **state)
{
	enum { MINUTES = 5 };
	const struct in6_addr used = addr6("2001:db8:a::1"), once = addr6("2001:db8:a::2");
	const struct in6_addr fresh = addr6("2001:db8:a::3"), host = addr6("2001:db8:b::5");
	struct rig *rig = *state;
	uint64_t now = NOW;

	add(rig, "2001:db8:a::/64");
	add(rig, "2001:db8:b::5/128");
	assert_int_equal(ask(rig, &used, now), ANSWERER_ANSWER);
	assert_int_equal(ask(rig, &once, now), ANSWERER_ANSWER);
	/* A router that has forgotten it. */
	now += 30000;
	assert_int_equal(ask(rig, &used, now), ANSWERER_ANSWER);
	for (unsigned int second = 0; second < 60 * MINUTES; second++, now += 1000) {
		struct in6_addr target = addr6("2001:db8:a:0:1::");

		/* All that there is for new ones is gone each second. */
		for (unsigned int i = 0; i < 2 * ANSWERER_PREFIX_RATE; i++) {
			target.s6_addr[13] = (uint8_t)(second >> 8);
			target.s6_addr[14] = (uint8_t)second;
			target.s6_addr[15] = (uint8_t)i;
			assert_int_equal(ask(rig, &target, now), i < ANSWERER_PREFIX_RATE
									 ? ANSWERER_ANSWER
									 : ANSWERER_TOO_MANY);
		}
		assert_int_equal(ask(rig, &fresh, now), ANSWERER_TOO_MANY);
		assert_int_equal(ask(rig, &host, now), ANSWERER_ANSWER);
		/* Is it still there? */
		assert_int_equal(ask_at(rig, &target, true, now), ANSWERER_ANSWER);
	}
	now -= 1000;
	assert_int_equal(ask(rig, &used, now), ANSWERER_ANSWER);
	/* Who was asked for once looks like the others by now. */
	assert_int_equal(ask(rig, &once, now), ANSWERER_TOO_MANY);
	/* What nobody has asked for in a long time is new again. */
	now += 601000;
	assert_int_equal(count(rig, "2001:db8:a:0:2::", ANSWERER_PREFIX_RATE, now),
			 ANSWERER_PREFIX_RATE);
	assert_int_equal(ask(rig, &used, now), ANSWERER_TOO_MANY);
	assert_int_equal(ask(rig, &used, now + 1000), ANSWERER_ANSWER);
}

/* Neither do those that are known have more than their share. */
static void test_kept_rate(void **state)
{
	const struct in6_addr used = addr6("2001:db8:a::1"), host = addr6("2001:db8:b::5");
	struct rig *rig = *state;
	unsigned int answered = 0;

	add(rig, "2001:db8:a::/64");
	add(rig, "2001:db8:b::5/128");
	for (unsigned int i = 0; i < 2 * ANSWERER_KEPT_PREFIX_RATE; i++)
		answered += ask_at(rig, &used, true, NOW) == ANSWERER_ANSWER;
	assert_int_equal(answered, ANSWERER_KEPT_PREFIX_RATE);
	assert_int_equal(ask(rig, &used, NOW), ANSWERER_TOO_MANY);
	assert_int_equal(ask(rig, &host, NOW), ANSWERER_ANSWER);
	assert_int_equal(count(rig, "2001:db8:a::1:0", 5000, NOW), ANSWERER_PREFIX_RATE);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_rig, close_rig)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_sessions), TEST(test_interface), TEST(test_never),
		TEST(test_rate),     TEST(test_scan),	   TEST(test_kept_rate),
	};

	return cmocka_run_group_tests_name("answerer", tests, NULL, NULL);
}
