/* SPDX-License-Identifier: BSD-2-Clause */
#include "packets.h"

#include "forward/icmp6.h"

#include <string.h>

/* 2001:db8:100::1, the server's own address */
#define SERVER "20010db8010000000000000000000001"

static uint8_t packet[70000];

static struct inner parse(const char *text)
{
	struct inner inner;
	size_t n = packet_hex(text, packet, sizeof(packet));

	assert_int_equal(inner_parse(packet, n, &inner), DROP_NONE);
	return inner;
}

static void exact_bytes(void **state)
{
	static const struct {
		struct icmp6_error error;
		const char *text;
	} rows[] = {
		/* 56 octets of ICMPv6: type 1, code 0, 3 or 5, checksum, unused, then the packet */
		{{ICMP6_NO_ROUTE, 0}, "0100 0000 00000000"},
		{{ICMP6_ADDRESS_UNREACHABLE, 0}, "0103 0000 00000000"},
		{{ICMP6_SOURCE_POLICY, 0}, "0105 0000 00000000"},
		/* type 2, code 0, MTU 1380 */
		{{ICMP6_TOO_BIG, 1380}, "0200 0000 00000564"},
	};
	const struct in6_addr source = packet_address("2001:db8:100::1");
	struct inner inner = parse(HEAD_ECHO FAR SITE ECHO);

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint8_t out[ICMP6_ERROR_SIZE];
		uint8_t want[96];
		size_t len = icmp6_build(&rows[i].error, &source, &inner, out);

		assert_int_equal(len, 96);
		assert_int_equal(packet_checksum(out, 58, 40, len), 0);
		(void)packet_hex("60000000 0038 3a 40" SERVER FAR, want, 40);
		(void)packet_hex(rows[i].text, want + 40, 8);
		(void)packet_hex(HEAD_ECHO FAR SITE ECHO, want + 48, 48);
		out[42] = 0;
		out[43] = 0;
		assert_memory_equal(out, want, 96);
	}
}

static void quotes_what_fits(void **state)
{
	const struct in6_addr source = packet_address("2001:db8:100::1");
	const struct icmp6_error error = {ICMP6_TOO_BIG, 1280};

	(void)state;
	for (size_t len = 1200; len < 1500; len++) {
		uint8_t out[ICMP6_ERROR_SIZE];
		struct inner inner;

		(void)packet_hex("60000000 0000 3b 40" FAR SITE, packet, sizeof(packet));
		packet[4] = (uint8_t)((len - 40) >> 8);
		packet[5] = (uint8_t)(len - 40);
		memset(packet + 40, (int)(len & 0xff), len - 40);
		assert_int_equal(inner_parse(packet, len, &inner), DROP_NONE);

		size_t n = icmp6_build(&error, &source, &inner, out);

		assert_int_equal(n, len + 48 < 1280 ? len + 48 : 1280);
		assert_int_equal(out[4] << 8 | out[5], n - 40);
		assert_memory_equal(out + 48, packet, n - 48);
		assert_int_equal(packet_checksum(out, 58, 40, n), 0);
	}
}

static void expect(const char *text, bool unreachable, bool too_big)
{
	struct inner inner = parse(text);

	assert_int_equal(icmp6_allowed(ICMP6_NO_ROUTE, &inner), unreachable);
	assert_int_equal(icmp6_allowed(ICMP6_ADDRESS_UNREACHABLE, &inner), unreachable);
	assert_int_equal(icmp6_allowed(ICMP6_TOO_BIG, &inner), too_big);
	assert_false(icmp6_allowed(ICMP6_NONE, &inner));
}

static void who_gets_none(void **state)
{
	(void)state;
	/* echo request, UDP, no next header (59): yes */
	expect(HEAD_ECHO FAR SITE ECHO, true, true);
	expect("60000000 0008 11 40" FAR SITE "0001 0002 0008 0000", true, true);
	expect("60000000 0000 3b 40" FAR SITE, true, true);
	/* destination unreachable, packet too big, type 127, redirect (137) */
	expect(HEAD_ECHO FAR SITE "01 00 0000 00000000", false, false);
	expect(HEAD_ECHO FAR SITE "02 00 0000 00000500", false, false);
	expect(HEAD_ECHO FAR SITE "7f 00 0000 00000000", false, false);
	expect(HEAD_ECHO FAR SITE "89 00 0000 00000000", false, false);
	/* an error behind a hop-by-hop header (0) and a destination header (60) */
	expect("60000000 0018 00 40" FAR SITE "3c00 0104 00000000"
	       "3a00 0104 00000000"
	       "01 00 0000 00000000",
	       false, false);
	/* an error in a first fragment (44); octets of a later one are no header */
	expect("60000000 0010 2c 40" FAR SITE "3a00 0001 00000007"
	       "01 00 0000 00000000",
	       false, false);
	expect("60000000 0010 2c 40" FAR SITE "3a00 0008 00000007"
	       "01 00 0000 00000000",
	       true, true);
	/* ICMPv6 without its type; a header chain that is cut short */
	expect("60000000 0000 3a 40" FAR SITE, false, false);
	expect("60000000 0008 00 40" FAR SITE "3a01 0104 00000000", false, false);
	expect("60000000 0004 00 40" FAR SITE "3a00 0000", false, false);
	/* to a multicast address: only the size is told */
	expect(HEAD_ECHO FAR "ff050000000000000000000000000001" ECHO, false, true);
	/* from ::, from ff02::1, from ::1 */
	expect(HEAD_ECHO "00000000000000000000000000000000" SITE ECHO, false, false);
	expect(HEAD_ECHO "ff020000000000000000000000000001" SITE ECHO, false, false);
	expect(HEAD_ECHO "00000000000000000000000000000001" SITE ECHO, false, false);
}

/* Each kind by itself, and one limit says nothing about another. */
static void limits(void **state)
{
	struct icmp6_limit limit, other;

	(void)state;
	icmp6_limit_init(&limit, 100, 5000);
	icmp6_limit_init(&other, 100, 5000);
	for (enum icmp6_kind kind = ICMP6_NO_ROUTE; kind < ICMP6_KINDS; kind++) {
		for (int i = 0; i < 10; i++)
			assert_true(icmp6_limit_take(&limit, kind, 5000));
		assert_false(icmp6_limit_take(&limit, kind, 5000));
	}
	assert_true(icmp6_limit_take(&limit, ICMP6_TOO_BIG, 5010));
	assert_false(icmp6_limit_take(&limit, ICMP6_TOO_BIG, 5010));
	assert_true(icmp6_limit_take(&other, ICMP6_TOO_BIG, 5010));
	icmp6_limit_init(&limit, 0, 6000);
	assert_false(icmp6_limit_take(&limit, ICMP6_TOO_BIG, 100000));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(exact_bytes),
		cmocka_unit_test(quotes_what_fits),
		cmocka_unit_test(who_gets_none),
		cmocka_unit_test(limits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
