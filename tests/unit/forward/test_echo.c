/* SPDX-License-Identifier: BSD-2-Clause */
#include "packets.h"

#include "forward/echo.h"

#include <string.h>

#define HEAD	  "60000000 0018 3a ff"		     /* 24 octets of ICMPv6, 255 hops */
#define ALL_NODES "ff020000000000000000000000000001" /* ff02::1 */
#define OTHER	  "fe800000000000000000000000000001" /* fe80::1, nobody's in particular */
#define MARK	  "64746370 6563686f"		     /* dtcpecho */
#define COOKIE	  "0102030405060708"

/* LINK_LOCAL is our end; id abcd; the last request was number 7. */
static struct echo an_echo(void)
{
	return (struct echo){
		.near = packet_address("fe80::198.51.100.2"),
		.far = packet_address("ff02::1"),
		.id = 0xabcd,
		.sequence = 7,
		.cookie = {1, 2, 3, 4, 5, 6, 7, 8},
	};
}

/* The octets with a right checksum in 42 and 43, or one that is off by that much. */
static struct inner packet_of(const char *text, uint8_t packet[static 128], unsigned int off)
{
	size_t n = packet_hex(text, packet, 128);
	struct inner inner;
	uint16_t check = (uint16_t)(packet_checksum(packet, 58, 40, n) + off);

	packet[42] = (uint8_t)(check >> 8);
	packet[43] = (uint8_t)check;
	assert_int_equal(inner_parse(packet, n, &inner), DROP_NONE);
	return inner;
}

static void requests(void **state)
{
	const struct in6_addr near = packet_address("2001:db8::1");
	const struct in6_addr far = packet_address("2001:db8::2");
	const struct in6_addr all = packet_address("ff02::1");
	const struct in6_addr none = {0};
	struct echo echo = an_echo();
	struct echo again;
	uint8_t got[ECHO_SIZE];
	uint8_t want[128];

	(void)state;
	echo_request(&echo, got);
	(void)packet_of(HEAD LINK_LOCAL ALL_NODES "80 00 0000 abcd 0008" MARK COOKIE, want, 0);
	assert_memory_equal(got, want, sizeof(got));
	echo_request(&echo, got);
	(void)packet_of(HEAD LINK_LOCAL ALL_NODES "80 00 0000 abcd 0009" MARK COOKIE, want, 0);
	assert_memory_equal(got, want, sizeof(got));

	/* A session of its own has a cookie of its own; an unknown far end is everybody. */
	echo_begin(&echo, &near, &far);
	echo_begin(&again, &near, &none);
	assert_memory_not_equal(echo.cookie, again.cookie, sizeof(echo.cookie));
	assert_memory_equal(&echo.far, &far, sizeof(far));
	assert_memory_equal(&again.far, &all, sizeof(all));
}

static bool is_answer(const char *text, unsigned int off)
{
	const struct echo echo = an_echo();
	uint8_t packet[128];
	const struct inner inner = packet_of(text, packet, off);

	return echo_is_answer(&echo, &inner);
}

static void answers(void **state)
{
	(void)state;
	/* From anybody, to us, by a kernel with any hop limit; to an earlier request as well. */
	assert_true(is_answer(HEAD FAR LINK_LOCAL "81 00 0000 abcd 0007" MARK COOKIE, 0));
	assert_true(is_answer(
		"60000000 0018 3a 40" OTHER LINK_LOCAL "81 00 0000 abcd 0001" MARK COOKIE, 0));
	/* A wrong checksum; another id; a number that was not asked with; another cookie; no mark;
	 * code 1; a request; to somebody else. */
	assert_false(is_answer(HEAD FAR LINK_LOCAL "81 00 0000 abcd 0007" MARK COOKIE, 1));
	assert_false(is_answer(HEAD FAR LINK_LOCAL "81 00 0000 abce 0007" MARK COOKIE, 0));
	assert_false(is_answer(HEAD FAR LINK_LOCAL "81 00 0000 abcd 0008" MARK COOKIE, 0));
	assert_false(is_answer(HEAD FAR LINK_LOCAL "81 00 0000 abcd ffc7" MARK COOKIE, 0));
	assert_false(
		is_answer(HEAD FAR LINK_LOCAL "81 00 0000 abcd 0007" MARK "0102030405060709", 0));
	assert_false(is_answer(HEAD FAR LINK_LOCAL "81 00 0000 abcd 0007" COOKIE COOKIE, 0));
	assert_false(is_answer(HEAD FAR LINK_LOCAL "81 01 0000 abcd 0007" MARK COOKIE, 0));
	assert_false(is_answer(HEAD FAR LINK_LOCAL "80 00 0000 abcd 0007" MARK COOKIE, 0));
	assert_false(is_answer(HEAD FAR SITE "81 00 0000 abcd 0007" MARK COOKIE, 0));
	/* Shorter, longer, no data at all, UDP. */
	assert_false(is_answer("60000000 0017 3a ff" FAR LINK_LOCAL "81 00 0000 abcd 0007" MARK
			       "01020304050607",
			       0));
	assert_false(is_answer(
		"60000000 0019 3a ff" FAR LINK_LOCAL "81 00 0000 abcd 0007" MARK COOKIE "09", 0));
	assert_false(is_answer(HEAD_ECHO FAR LINK_LOCAL "81 00 0000 abcd 0007", 0));
	assert_false(is_answer(
		"60000000 0018 11 ff" FAR LINK_LOCAL "81 00 0000 abcd 0007" MARK COOKIE, 0));
}

/* The answer must be want, NULL: there is none. */
static void expect_answer(const char *request, unsigned int off, const char *want)
{
	const struct echo echo = an_echo();
	uint8_t packet[128];
	uint8_t octets[128];
	uint8_t got[ECHO_SIZE];
	const struct inner inner = packet_of(request, packet, off);

	assert_int_equal(echo_answer(&echo, &inner, got), want != NULL);
	if (!want)
		return;
	(void)packet_of(want, octets, 0);
	assert_memory_equal(got, octets, sizeof(got));
}

#define REQUEST "80 00 0000 1234 5678" MARK "1112131415161718"
#define ANSWER	"81 00 0000 1234 5678" MARK "1112131415161718"

static void requests_of_the_other_end(void **state)
{
	(void)state;
	/* To our end, to any link-local address, as there is nobody else on the link; to all. */
	expect_answer(HEAD FAR LINK_LOCAL REQUEST, 0, HEAD LINK_LOCAL FAR ANSWER);
	expect_answer(HEAD FAR OTHER REQUEST, 0, HEAD OTHER FAR ANSWER);
	expect_answer(HEAD FAR ALL_NODES REQUEST, 0, HEAD LINK_LOCAL FAR ANSWER);
	/* To a host behind us; from afar; somebody's ping; with a wrong checksum; an answer. */
	expect_answer(HEAD FAR SITE REQUEST, 0, NULL);
	expect_answer("60000000 0018 3a fe" FAR LINK_LOCAL REQUEST, 0, NULL);
	expect_answer(HEAD FAR LINK_LOCAL "80 00 0000 1234 5678" COOKIE COOKIE, 0, NULL);
	expect_answer(HEAD_ECHO FAR LINK_LOCAL ECHO, 0, NULL);
	expect_answer(HEAD FAR LINK_LOCAL REQUEST, 1, NULL);
	expect_answer(HEAD FAR LINK_LOCAL ANSWER, 0, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(requests),
		cmocka_unit_test(answers),
		cmocka_unit_test(requests_of_the_other_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
