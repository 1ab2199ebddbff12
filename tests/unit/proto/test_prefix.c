/* SPDX-License-Identifier: BSD-2-Clause */
#include "proto/prefix.h"

#include "exact.h"
#include "tests/unit/proto/addresses.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

static void assert_addr6(const struct in6_addr *addr, const char *text)
{
	struct in6_addr expected = addr6(text);

	assert_memory_equal(addr, &expected, sizeof(expected));
}

static void test_parse(void **state)
{
	static const struct {
		const char *text, *addr;
		uint8_t len;
	} rows[] = {
		{"2001:db8::/48", "2001:db8::", 48},
		{"2001:03e0:03c3::/48", "2001:3e0:3c3::", 48},
		{"2001:DB8:0:0:0:0:0:1/128", "2001:db8::1", 128},
		{"2001:db8:100:100::/56", "2001:db8:100:100::", 56},
		{"8000::/1", "8000::", 1},
		{"::/1", "::", 1},
		{"2001:db8:8000::/33", "2001:db8:8000::", 33},
		{"ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe/127",
		 "ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe", 127},
		{"::ffff:192.0.2.1/128", "::ffff:192.0.2.1", 128},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct prefix6 out = prefix(rows[i].text);

		assert_addr6(&out.addr, rows[i].addr);
		assert_int_equal(out.len, rows[i].len);
	}
}

static void test_parse_errors(void **state)
{
	static const struct {
		const char *text;
		enum prefix_error error;
	} rows[] = {
		{"", PREFIX_SYNTAX},
		{"/", PREFIX_SYNTAX},
		{"/48", PREFIX_SYNTAX},
		{"2001:db8::", PREFIX_SYNTAX},
		{"2001:db8::/", PREFIX_SYNTAX},
		{"2001:db8::/ 48", PREFIX_SYNTAX},
		{"2001:db8::/48 ", PREFIX_SYNTAX},
		{" 2001:db8::/48", PREFIX_SYNTAX},
		{"2001:db8::/+48", PREFIX_SYNTAX},
		{"2001:db8::/-1", PREFIX_SYNTAX},
		{"2001:db8::/0x30", PREFIX_SYNTAX},
		{"2001:db8::/048", PREFIX_SYNTAX},
		{"2001:db8::/00", PREFIX_SYNTAX},
		{"2001:db8::/48/48", PREFIX_SYNTAX},
		{"2001:db8::/48,", PREFIX_SYNTAX},
		{"2001:db8:::/48", PREFIX_SYNTAX},
		{"2001:db8::1::/48", PREFIX_SYNTAX},
		{"2001:db8/48", PREFIX_SYNTAX},
		{"2001:db8::%eth0/48", PREFIX_SYNTAX},
		{"[2001:db8::]/48", PREFIX_SYNTAX},
		{"192.0.2.0/24", PREFIX_SYNTAX},
		{"g001::/48", PREFIX_SYNTAX},
		/* 45 and 46 characters before the slash: the longest address fits, no more does. */
		{"0000:0000:0000:0000:0000:ffff:255.255.255.2555/48", PREFIX_SYNTAX},
		{"00000000000000000000000000000000000000000000000000000::/48", PREFIX_SYNTAX},
		{"2001:db8::/0", PREFIX_LENGTH},
		{"::/0", PREFIX_LENGTH},
		{"2001:db8::/129", PREFIX_LENGTH},
		{"2001:db8::/999", PREFIX_LENGTH},
		/* 2^32 + 48 and 2^64 + 48 */
		{"2001:db8::/4294967344", PREFIX_LENGTH},
		{"2001:db8::/18446744073709551664", PREFIX_LENGTH},
		{"2001:db8::1/48", PREFIX_HOST_BITS},
		{"2001:db8::1/127", PREFIX_HOST_BITS},
		{"2001:db8:8000::/32", PREFIX_HOST_BITS},
		{"2001:db8:0:80::/56", PREFIX_HOST_BITS},
		{"4000::/1", PREFIX_HOST_BITS},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct prefix6 out = {.addr = {.s6_addr = {0xaa}}, .len = 77};

		assert_int_equal(prefix6_parse(rows[i].text, &out), rows[i].error);
		if (rows[i].error == PREFIX_HOST_BITS)
			continue;
		assert_addr6(&out.addr, "aa00::");
		assert_int_equal(out.len, 77);
	}
}

/* What is meant by a prefix with too many bits, for those who can do with it. */
static void test_host_bits_are_cleared(void **state)
{
	static const char *const rows[][2] = {
		{"2001:db8::1/48", "2001:db8::/48"},
		{"2001:db8::1/127", "2001:db8::/127"},
		{"2001:db8:8000::/32", "2001:db8::/32"},
		{"2001:db8:0:80::/56", "2001:db8::/56"},
		{"2001:db8:ffff::/33", "2001:db8:8000::/33"},
		{"c000::/1", "8000::/1"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct prefix6 out = {.addr = {.s6_addr = {0xaa}}, .len = 77};
		char buf[PREFIX6_STRLEN];

		assert_int_equal(prefix6_parse(rows[i][0], &out), PREFIX_HOST_BITS);
		assert_true(prefix6_valid(&out));
		assert_string_equal(prefix6_format(&out, buf), rows[i][1]);
	}
}

static void test_longest_text(void **state)
{
	/* 45 characters of address, the most that inet_pton(3) takes, and "/128". */
	struct prefix6 out = prefix("0000:0000:0000:0000:0000:ffff:255.255.255.255/128");
	char buf[PREFIX6_STRLEN];

	(void)state;
	assert_string_equal(prefix6_format(&out, buf), "::ffff:255.255.255.255/128");
	out = prefix("abcd:abcd:abcd:abcd:abcd:abcd:abcd:abcd/128");
	assert_string_equal(prefix6_format(&out, buf),
			    "abcd:abcd:abcd:abcd:abcd:abcd:abcd:abcd/128");
	assert_ptr_equal(prefix6_format(&out, buf), buf);
}

static void test_format_is_canonical(void **state)
{
	/* RFC 5952, section 4. */
	static const char *const rows[][2] = {
		{"2001:03E0:03C3::/48", "2001:3e0:3c3::/48"},
		{"2001:db8:0:0:1:0:0:0/80", "2001:db8:0:0:1::/80"},
		{"2001:db8:0:1:1:1:1:1/128", "2001:db8:0:1:1:1:1:1/128"},
		{"2001:0:0:1:0:0:0:1/128", "2001:0:0:1::1/128"},
		{"fd00:0:0:0:0:0:0:0/8", "fd00::/8"},
		{"0:0:0:0:0:0:0:0/1", "::/1"},
	};
	char buf[PREFIX6_STRLEN];

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct prefix6 out = prefix(rows[i][0]);

		assert_string_equal(prefix6_format(&out, buf), rows[i][1]);
	}
}

static void test_error_text(void **state)
{
	(void)state;
	assert_string_equal(prefix_error_text(PREFIX_OK), "is a valid prefix");
	assert_string_equal(prefix_error_text(PREFIX_SYNTAX),
			    "is not an IPv6 address, a slash and a number");
	assert_string_equal(prefix_error_text(PREFIX_LENGTH), "has a length outside 1 to 128");
	assert_string_equal(prefix_error_text(PREFIX_HOST_BITS), "has bits set beyond its length");
}

static void test_has(void **state)
{
	static const struct {
		const char *prefix, *addr;
		bool has;
	} rows[] = {
		{"2001:db8::/32", "2001:db8::", true},
		{"2001:db8::/32", "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff", true},
		{"2001:db8::/32", "2001:db9::", false},
		{"2001:db8::/32", "2001:db7:ffff::", false},
		{"2001:db8::/33", "2001:db8:7fff::1", true},
		{"2001:db8::/33", "2001:db8:8000::", false},
		{"2001:db8::fe/127", "2001:db8::ff", true},
		{"2001:db8::fe/127", "2001:db8::fd", false},
		{"2001:db8::1/128", "2001:db8::1", true},
		{"2001:db8::1/128", "2001:db8::", false},
		{"8000::/1", "ffff::", true},
		{"8000::/1", "7fff::", false},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct prefix6 p = prefix(rows[i].prefix);
		struct in6_addr addr = addr6(rows[i].addr);

		assert_int_equal(prefix6_has(&p, &addr), rows[i].has);
	}
}

static void test_contains_and_overlaps(void **state)
{
	static const struct {
		const char *a, *b;
		bool a_has_b, b_has_a;
	} rows[] = {
		{"2001:db8::/40", "2001:db8::/40", true, true},
		{"2001:db8::/40", "2001:db8::/56", true, false},
		{"2001:db8::/40", "2001:db8:ff:ff00::/56", true, false},
		{"2001:db8::/40", "2001:db8:100::/56", false, false},
		{"2001:db8::/40", "2001:db8::/32", false, true},
		{"2001:db8:0:100::/56", "2001:db8:0:200::/56", false, false},
		{"2001:db8::/128", "2001:db8::1/128", false, false},
		{"2001:db8::/127", "2001:db8::1/128", true, false},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct prefix6 a = prefix(rows[i].a), b = prefix(rows[i].b);
		bool overlap = rows[i].a_has_b || rows[i].b_has_a;

		assert_int_equal(prefix6_contains(&a, &b), rows[i].a_has_b);
		assert_int_equal(prefix6_contains(&b, &a), rows[i].b_has_a);
		assert_int_equal(prefix6_overlaps(&a, &b), overlap);
		assert_int_equal(prefix6_overlaps(&b, &a), overlap);
	}
}

static void test_valid(void **state)
{
	struct prefix6 p = {.addr = addr6("2001:db8::8"), .len = 0};

	(void)state;
	for (unsigned int len = 0; len <= UINT8_MAX; len++) {
		p.len = (uint8_t)len;
		assert_int_equal(prefix6_valid(&p), len >= 125 && len <= 128);
	}
	p.addr = addr6("::");
	for (unsigned int len = 0; len <= UINT8_MAX; len++) {
		p.len = (uint8_t)len;
		assert_int_equal(prefix6_valid(&p), len >= 1 && len <= 128);
	}
}

static void test_equal(void **state)
{
	struct prefix6 a = prefix("2001:db8::/48"), longer = prefix("2001:db8::/49"),
		       other = prefix("2001:db8:1::/48");

	(void)state;
	assert_true(prefix6_equal(&a, &a));
	assert_false(prefix6_equal(&a, &longer) || prefix6_equal(&longer, &a));
	assert_false(prefix6_equal(&a, &other));
}

static void test_first(void **state)
{
	static const char *const rows[][2] = {
		{"2001:db8:1::/48", "2001:db8:1::1"},
		{"2001:db8:1::10/124", "2001:db8:1::11"},
		{"2001:db8:1::fe/127", "2001:db8:1::ff"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct prefix6 p = prefix(rows[i][0]);
		struct in6_addr first = prefix6_first(&p);

		assert_addr6(&first, rows[i][1]);
	}
}

static void test_last(void **state)
{
	static const char *const rows[][2] = {
		{"2001:db8::/32", "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff"},
		{"2001:db8::/33", "2001:db8:7fff:ffff:ffff:ffff:ffff:ffff"},
		{"2001:db8:1::/56", "2001:db8:1:ff:ffff:ffff:ffff:ffff"},
		{"2001:db8::/64", "2001:db8::ffff:ffff:ffff:ffff"},
		{"2001:db8::4/126", "2001:db8::7"},
		{"2001:db8::1/128", "2001:db8::1"},
		{"::/1", "7fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct prefix6 p = prefix(rows[i][0]);
		struct in6_addr last = prefix6_last(&p);

		assert_addr6(&last, rows[i][1]);
	}
}

static void test_mask(void **state)
{
	static const struct {
		uint8_t len;
		const char *masked;
	} rows[] = {
		{0, "::"},
		{1, "8000::"},
		{7, "fe00::"},
		{8, "ff00::"},
		{9, "ff80::"},
		{64, "ffff:ffff:ffff:ffff::"},
		{127, "ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe"},
		{128, "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"},
	};
	struct in6_addr all = addr6("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff");

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct in6_addr masked = prefix6_mask(&all, rows[i].len);

		assert_addr6(&masked, rows[i].masked);
	}
}

/* Each length, compared bit by bit. */
static void test_every_length(void **state)
{
	struct in6_addr addr = addr6("a5c3:963c:5aa5:0ff0:c3a5:3c96:a55a:f00f");

	(void)state;
	for (unsigned int len = 0; len <= 128; len++) {
		struct in6_addr masked = prefix6_mask(&addr, (uint8_t)len);
		struct prefix6 p = {.addr = masked, .len = (uint8_t)len};
		struct in6_addr last = prefix6_last(&p);

		for (unsigned int bit = 0; bit < 128; bit++) {
			uint8_t value = (uint8_t)(0x80 >> bit % 8);
			struct in6_addr other = addr;

			other.s6_addr[bit / 8] ^= value;
			assert_int_equal(prefix6_has(&p, &other), bit >= len);
			assert_int_equal(masked.s6_addr[bit / 8] & value,
					 bit < len ? addr.s6_addr[bit / 8] & value : 0);
			assert_int_equal(last.s6_addr[bit / 8] & value,
					 bit < len ? addr.s6_addr[bit / 8] & value : value);
		}
		assert_true(prefix6_has(&p, &addr));
	}
}

static void test_is_unicast(void **state)
{
	static const struct {
		const char *text;
		enum { ELSEWHERE, SHORT, SITE } what;
	} rows[] = {
		{"2001:db8::/48", SITE},
		{"2000::/16", SITE},
		{"3fff::/16", SITE},
		{"3fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff/128", SITE},
		{"fc00::/16", SITE},
		{"fd00::/16", SITE},
		{"fdff::1/128", SITE},
		{"2000::/15", SHORT},
		{"2000::/3", SHORT},
		{"fc00::/7", SHORT},
		{"fd00::/8", SHORT},
		{"::/1", ELSEWHERE},
		{"1fff::/16", ELSEWHERE},
		{"4000::/16", ELSEWHERE},
		{"::/128", ELSEWHERE},
		{"::1/128", ELSEWHERE},
		{"::ffff:192.0.2.1/128", ELSEWHERE},
		{"64:ff9b::/96", ELSEWHERE},
		{"fbff::/16", ELSEWHERE},
		{"fe00::/16", ELSEWHERE},
		{"fe80::/10", ELSEWHERE},
		{"fe80::1/128", ELSEWHERE},
		{"ff00::/16", ELSEWHERE},
		{"ff02::1/128", ELSEWHERE},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct prefix6 p = prefix(rows[i].text);

		assert_int_equal(prefix6_is_unicast(&p), rows[i].what == SITE);
		assert_int_equal(prefix6_in_unicast(&p), rows[i].what != ELSEWHERE);
		assert_int_equal(prefix6_is_global(&p),
				 rows[i].what != ELSEWHERE && rows[i].text[0] != 'f');
	}
}

/* No two of a set overlap, and its order does not matter. */
static void test_set(void **state)
{
	struct prefix6_set one = {.n = 0}, two = {.n = 0};
	struct prefix6 a = prefix("2001:db8:7::/48"), b = prefix("2001:db8:8::/56");
	struct prefix6 part = prefix("2001:db8:7:1::/64");

	(void)state;
	assert_true(prefix6_set_equal(&one, &two));
	assert_true(prefix6_set_add(&one, &a) && prefix6_set_add(&one, &b));
	assert_true(prefix6_set_has(&one, &a) && prefix6_set_has(&one, &b));
	assert_false(prefix6_set_has(&one, &part));
	assert_false(prefix6_set_add(&one, &a));
	assert_false(prefix6_set_add(&one, &part));
	assert_false(prefix6_set_equal(&one, &two));
	assert_true(prefix6_set_add(&two, &b));
	assert_false(prefix6_set_equal(&one, &two) || prefix6_set_equal(&two, &one));
	assert_true(prefix6_set_add(&two, &a));
	assert_true(prefix6_set_equal(&one, &two) && prefix6_set_equal(&two, &one));
	for (uint8_t i = 0; i < PREFIX6_SET_MAX - 2; i++) {
		a.addr.s6_addr[5] = (uint8_t)(0x10 + i);
		assert_true(prefix6_set_add(&one, &a));
	}
	a.addr.s6_addr[5] = 0x77;
	assert_false(prefix6_set_add(&one, &a));
	assert_int_equal(one.n, PREFIX6_SET_MAX);
}

/* What is packed is the same when it is unpacked; an empty set is nothing. */
static void test_pack(void **state)
{
	struct prefix6_set set = {.n = 0};
	struct prefix6_set back = prefix6_set_unpack(NULL);
	struct prefix6_packed *packed;

	(void)state;
	assert_int_equal(back.n, 0);
	assert_null(prefix6_set_pack(&set));
	for (uint32_t i = 0; i < PREFIX6_SET_MAX; i++) {
		const struct prefix6 one = {.addr.s6_addr = {0x20, 1, (uint8_t)i}, .len = 48};

		assert_true(prefix6_set_add(&set, &one));
		packed = prefix6_set_pack(&set);
		assert_non_null(packed);
		back = prefix6_set_unpack(packed);
		free(packed);
		assert_int_equal(back.n, i + 1);
		assert_true(prefix6_set_equal(&set, &back));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pack),
		cmocka_unit_test(test_parse),
		cmocka_unit_test(test_parse_errors),
		cmocka_unit_test(test_host_bits_are_cleared),
		cmocka_unit_test(test_longest_text),
		cmocka_unit_test(test_format_is_canonical),
		cmocka_unit_test(test_error_text),
		cmocka_unit_test(test_has),
		cmocka_unit_test(test_contains_and_overlaps),
		cmocka_unit_test(test_valid),
		cmocka_unit_test(test_equal),
		cmocka_unit_test(test_first),
		cmocka_unit_test(test_last),
		cmocka_unit_test(test_mask),
		cmocka_unit_test(test_every_length),
		cmocka_unit_test(test_is_unicast),
		cmocka_unit_test(test_set),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
