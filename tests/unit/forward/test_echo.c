/* SPDX-License-Identifier: BSD-2-Clause */
#include "packets.h"

#include "forward/echo.h"

#include <string.h>

static void request(void **state)
{
	const struct in6_addr source = packet_address("fe80::198.51.100.2");
	const struct in6_addr all_nodes = packet_address("ff02::1");
	uint8_t got[ECHO_SIZE];
	uint8_t want[ECHO_SIZE];

	(void)state;
	echo_write(&source, &all_nodes, 0xabcd, 0x1234, got);
	assert_int_equal(packet_checksum(got, 58, 40, sizeof(got)), 0);
	/* type 128, code 0, checksum (just judged), id, sequence number */
	assert_int_equal(packet_hex(HEAD_ECHO LINK_LOCAL "ff020000000000000000000000000001"
							 "80 00 0000 abcd 1234",
				    want, sizeof(want)),
			 ECHO_SIZE);
	want[42] = got[42];
	want[43] = got[43];
	assert_memory_equal(got, want, sizeof(got));
}

/* text with a right checksum in octets 42 and 43, and what is made of it with id abcd. */
static bool is_reply(const char *text, bool good)
{
	const struct in6_addr us = packet_address("fe80::198.51.100.2");
	struct inner inner;
	uint8_t packet[128];
	size_t n = packet_hex(text, packet, sizeof(packet));
	uint16_t check = packet_checksum(packet, 58, 40, n);

	packet[42] = (uint8_t)(check >> 8);
	packet[43] = (uint8_t)(good ? check : check + 1);
	assert_int_equal(inner_parse(packet, n, &inner), DROP_NONE);
	return echo_is_reply(&inner, &us, 0xabcd);
}

static void replies(void **state)
{
	(void)state;
	/* from anybody, to us; with data as well */
	assert_true(is_reply(HEAD_ECHO FAR LINK_LOCAL "81 00 0000 abcd 0007", true));
	assert_true(
		is_reply("60000000 000b 3a 40" FAR LINK_LOCAL "81 00 0000 abcd 0007 414243", true));
	/* a wrong checksum; another id; code 1; a request; to somebody else */
	assert_false(is_reply(HEAD_ECHO FAR LINK_LOCAL "81 00 0000 abcd 0007", false));
	assert_false(is_reply(HEAD_ECHO FAR LINK_LOCAL "81 00 0000 abce 0007", true));
	assert_false(is_reply(HEAD_ECHO FAR LINK_LOCAL "81 01 0000 abcd 0007", true));
	assert_false(is_reply(HEAD_ECHO FAR LINK_LOCAL "80 00 0000 abcd 0007", true));
	assert_false(is_reply(HEAD_ECHO FAR SITE "81 00 0000 abcd 0007", true));
	/* cut short; UDP */
	assert_false(is_reply("60000000 0007 3a 40" FAR LINK_LOCAL "81 00 0000 abcd 00", true));
	assert_false(is_reply("60000000 0008 11 40" FAR LINK_LOCAL "81 00 0000 abcd 0007", true));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(request),
		cmocka_unit_test(replies),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
