/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Neighbour solicitations and the answers to them, octet for octet. The checksums of these two were
 * computed with python.
 */
#include "proto/neighbour.h"

#include "addresses.h"
#include "exact.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum {
	HEADER = 40,
	SOLICITATION = 72,
	LEN_AT = 5,
	CHECKSUM_AT = 42,
	TARGET_AT = 48,
	OPTION_AT = 64
};

/* clang-format off: a row is a field. */

/* fe80::1 asks the group of 2001:db8:a::1:2:3, as 02:00:00:00:00:01. */
static const uint8_t multicast[SOLICITATION] = {
	0x60, 0,    0, 0,    0,	   32,	 58,   255,  0xfe, 0x80, 0,    0,    0,	   0,	 0,
	0,    0,    0, 0,    0,	   0,	 0,    0,    0x01, 0xff, 0x02, 0,    0,	   0,	 0,
	0,    0,    0, 0,    0,	   0x01, 0xff, 0x02, 0,	   0x03, 135,  0,    0x4b, 0x4e, 0,
	0,    0,    0, 0x20, 0x01, 0x0d, 0xb8, 0,    0x0a, 0,	 0,    0,    0,	   0,	 0x01,
	0,    0x02, 0, 0x03, 1,	   1,	 0x02, 0,    0,	   0,	 0,    0x01,
};

/* The answer of fe80::2, 02:00:00:00:00:02: solicited, not to override. */
static const uint8_t answer[NEIGHBOUR_ANSWER_SIZE] = {
	0x60, 0, 0, 0,	  0,   32,   58,   255,	 0xfe, 0x80, 0, 0, 0,	 0,    0,    0,	   0, 0,
	0,    0, 0, 0,	  0,   0x02, 0xfe, 0x80, 0,    0,    0, 0, 0,	 0,    0,    0,	   0, 0,
	0,    0, 0, 0x01, 136, 0,    0x08, 0xd4, 0x40, 0,    0, 0, 0x20, 0x01, 0x0d, 0xb8, 0, 0x0a,
	0,    0, 0, 0,	  0,   0x01, 0,	   0x02, 0,    0x03, 2, 1, 0x02, 0,    0,    0,	   0, 0x02,
};
/* clang-format on */

static const uint8_t mac[NEIGHBOUR_MAC_SIZE] = {0x02, 0, 0, 0, 0, 0x02};

/* Sets the checksum of a packet whose message is of the length that its header says. */
static void sum_up(uint8_t *packet)
{
	size_t len = (size_t)(packet[LEN_AT - 1] << 8 | packet[LEN_AT]);
	uint64_t sum = len + 58;

	packet[CHECKSUM_AT] = packet[CHECKSUM_AT + 1] = 0;
	for (size_t i = 8; i < HEADER + len; i++)
		sum += i % 2 ? packet[i] : (uint64_t)packet[i] << 8;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	packet[CHECKSUM_AT] = (uint8_t)(~sum >> 8);
	packet[CHECKSUM_AT + 1] = (uint8_t)~sum;
}

/* With nothing behind its octets that could be read. */
static bool parse(const uint8_t *packet, size_t size, struct neighbour_solicitation *out)
{
	char *copy = exact_copy(packet, size);
	bool right = neighbour_parse((const uint8_t *)copy, size, out);

	free(copy);
	return right;
}

/* The solicitation with one octet that is another one, and the checksum of that. */
static bool parse_with(size_t at, uint8_t octet)
{
	struct neighbour_solicitation found;
	uint8_t packet[SOLICITATION];

	memcpy(packet, multicast, sizeof(packet));
	packet[at] = octet;
	if (at != CHECKSUM_AT)
		sum_up(packet);
	return parse(packet, sizeof(packet), &found);
}

static void set_address(uint8_t *packet, size_t at, const char *text)
{
	const struct in6_addr addr = addr6(text);

	memcpy(packet + at, &addr, sizeof(addr));
}

static void test_multicast(void **state)
{
	struct neighbour_solicitation found;
	uint8_t padded[SOLICITATION + 5] = {0};
	const struct in6_addr asker = addr6("fe80::1"), target = addr6("2001:db8:a::1:2:3");

	(void)state;
	assert_true(parse(multicast, sizeof(multicast), &found));
	assert_memory_equal(&found.source, &asker, sizeof(asker));
	assert_memory_equal(&found.target, &target, sizeof(target));
	assert_false(neighbour_is_for_all(&found));
	assert_false(found.unicast);
	/* Short frames are made longer on their way. */
	memcpy(padded, multicast, sizeof(multicast));
	assert_true(parse(padded, sizeof(padded), &found));
	/* The option is not needed. */
	memcpy(padded, multicast, OPTION_AT);
	padded[LEN_AT] = 24;
	sum_up(padded);
	assert_true(parse(padded, OPTION_AT, &found));
}

/* As a router asks that wants to know whether its neighbour is still there. */
static void test_unicast(void **state)
{
	struct neighbour_solicitation found;
	uint8_t packet[SOLICITATION];

	(void)state;
	memcpy(packet, multicast, sizeof(packet));
	set_address(packet, 24, "2001:db8:a::1:2:3");
	sum_up(packet);
	assert_true(parse(packet, sizeof(packet), &found));
	assert_true(found.unicast);
	/* To another address than the one that it is about. */
	set_address(packet, 24, "2001:db8:a::1:2:4");
	sum_up(packet);
	assert_false(parse(packet, sizeof(packet), &found));
}

/* Of duplicate address detection (RFC 4862, section 5.4.2). */
static void test_for_all(void **state)
{
	const struct in6_addr own = addr6("fe80::2"), all = addr6("ff02::1");
	struct neighbour_solicitation found;
	uint8_t out[NEIGHBOUR_ANSWER_SIZE];
	uint8_t packet[SOLICITATION];

	(void)state;
	memcpy(packet, multicast, sizeof(packet));
	set_address(packet, 8, "::");
	sum_up(packet);
	/* Nobody who has no address says what it leads to, */
	assert_false(parse(packet, sizeof(packet), &found));
	packet[LEN_AT] = 24;
	sum_up(packet);
	assert_true(parse(packet, OPTION_AT, &found));
	assert_true(neighbour_is_for_all(&found));
	neighbour_answer(&found, &own, mac, out);
	assert_memory_equal(out + 24, &all, sizeof(all));
	assert_int_equal(out[44], 0);
	/* nor asks the one whose address it may be. */
	set_address(packet, 24, "2001:db8:a::1:2:3");
	sum_up(packet);
	assert_false(parse(packet, OPTION_AT, &found));
}

static void test_answer(void **state)
{
	const struct in6_addr own = addr6("fe80::2");
	struct neighbour_solicitation found;
	uint8_t out[NEIGHBOUR_ANSWER_SIZE];

	(void)state;
	assert_true(parse(multicast, sizeof(multicast), &found));
	memset(out, 0xaa, sizeof(out));
	neighbour_answer(&found, &own, mac, out);
	assert_memory_equal(out, answer, sizeof(out));
	assert_false(parse(answer, sizeof(answer), &found));
}

/* What has to be discarded: RFC 4861, section 7.1.1. */
static void test_discarded(void **state)
{
	struct neighbour_solicitation found;
	static const struct {
		size_t at;
		uint8_t octet;
	} rows[] = {
		{0, 0x40},	     /* another version */
		{6, 17},	     /* another protocol */
		{7, 254},	     /* it has come through a router */
		{8, 0xff},	     /* from a group */
		{24, 0xfe},	     /* to neither the group nor the address, */
		{35, 0x02},	     /* to a group of another kind, */
		{39, 0x04},	     /* to that of another address */
		{40, 134},	     /* another message */
		{41, 1},	     /* another code */
		{CHECKSUM_AT, 0x4c}, /* a wrong checksum */
		{TARGET_AT, 0xff},   /* about a group */
		{OPTION_AT + 1, 0},  /* an option without length, */
		{OPTION_AT + 1, 2},  /* and one with too much */
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		if (parse_with(rows[i].at, rows[i].octet))
			fail_msg("octet %zu is %u", rows[i].at, rows[i].octet);
	}
	/* Lengths that are none of a solicitation, and that the packet has not. */
	for (unsigned int len = 0; len < 256; len++) {
		uint8_t packet[SOLICITATION];

		memcpy(packet, multicast, sizeof(packet));
		packet[LEN_AT] = (uint8_t)len;
		if (len <= 32)
			sum_up(packet);
		assert_int_equal(parse(packet, sizeof(packet), &found), len == 24 || len == 32);
	}
	for (size_t size = 0; size < SOLICITATION; size++)
		assert_false(parse(multicast, size, &found));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_multicast), cmocka_unit_test(test_unicast),
		cmocka_unit_test(test_for_all),	  cmocka_unit_test(test_answer),
		cmocka_unit_test(test_discarded),
	};

	return cmocka_run_group_tests_name("neighbour", tests, NULL, NULL);
}
