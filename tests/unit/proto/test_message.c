/* SPDX-License-Identifier: BSD-2-Clause */
/* The words that both directions share: types, user names, passwords. */
#include "proto/message.h"

#include "exact.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

static void test_types(void **state)
{
	static const struct {
		const char *word;
		enum tunnel_type type;
	} rows[] = {
		{"tunnelonly", TUNNEL_ONLY}, {"host", TUNNEL_HOST},
		{"network", TUNNEL_NETWORK}, {"tunnelroute", TUNNEL_NETWORK},
		{"TUNNELONLY", TUNNEL_ONLY}, {"Host", TUNNEL_HOST},
		{"nEtWoRk", TUNNEL_NETWORK}, {"TunnelRoute", TUNNEL_NETWORK},
		{"", TUNNEL_NONE},	     {"none", TUNNEL_NONE},
		{"hos", TUNNEL_NONE},	     {"hosts", TUNNEL_NONE},
		{" host", TUNNEL_NONE},	     {"tunnel", TUNNEL_NONE},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		assert_int_equal(tunnel_type_parse(rows[i].word), rows[i].type);
}

static void test_type_names(void **state)
{
	(void)state;
	assert_string_equal(tunnel_type_name(TUNNEL_NONE), "none");
	assert_string_equal(tunnel_type_name(TUNNEL_ONLY), "tunnelonly");
	assert_string_equal(tunnel_type_name(TUNNEL_HOST), "host");
	assert_string_equal(tunnel_type_name(TUNNEL_NETWORK), "network");
}

static void test_endpoints(void **state)
{
	static const uint32_t good[] = {0x01000000, 0x7effffff, 0x80000000, 0xc0000201, 0xdfffffff};
	static const uint32_t bad[] = {0,	   0x00ffffff, 0x7f000000, 0x7f000001, 0x7fffffff,
				       0xe0000000, 0xefffffff, 0xf0000000, 0xfffffffe, 0xffffffff};

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		assert_true(dtcp_endpoint_valid((struct in_addr){.s_addr = htonl(good[i])}));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(dtcp_endpoint_valid((struct in_addr){.s_addr = htonl(bad[i])}));
}

/* 198.51.100.2 */
static void test_link_local(void **state)
{
	const struct in6_addr expected = {
		.s6_addr = {0xfe, 0x80, [12] = 0xc6, [13] = 0x33, [14] = 0x64, [15] = 0x02}};
	struct in6_addr addr = dtcp_link_local((struct in_addr){.s_addr = htonl(0xc6336402)});

	(void)state;
	assert_memory_equal(&addr, &expected, sizeof(addr));
}

static void test_user_names(void **state)
{
	(void)state;
	assert_true(dtcp_user_valid("foo"));
	assert_true(dtcp_user_valid("a"));
	assert_true(dtcp_user_valid("foo@example.org"));
	assert_true(dtcp_user_valid("!#$%&'()*+,-./09;<=>?@AZ[\\]^_`az{|}~\""));
	assert_false(dtcp_user_valid(""));
	assert_false(dtcp_user_valid("foo bar"));
	assert_false(dtcp_user_valid(" foo"));
	assert_false(dtcp_user_valid("foo\t"));
	assert_false(dtcp_user_valid("foo:bar"));
	assert_false(dtcp_user_valid("foo\n"));
	assert_false(dtcp_user_valid("f\x01o"));
	assert_false(dtcp_user_valid("foo\x7f"));
	assert_false(dtcp_user_valid("fo\xc3\xb6"));
}

static void test_passwords(void **state)
{
	(void)state;
	assert_true(dtcp_password_valid("bar"));
	assert_true(dtcp_password_valid(" a pass:phrase "));
	assert_true(dtcp_password_valid("b\xc3\xa4r"));
	assert_true(dtcp_password_valid("\xff~"));
	assert_false(dtcp_password_valid(""));
	assert_false(dtcp_password_valid("bar\n"));
	assert_false(dtcp_password_valid("bar\r"));
	assert_false(dtcp_password_valid("b\tr"));
	assert_false(dtcp_password_valid("\x1f"));
	assert_false(dtcp_password_valid("bar\x7f"));
}

/* The hashes are test vectors of FNV-1a. */
static void test_link_local_user(void **state)
{
	static const struct {
		const char *user;
		const char *address;
	} rows[] = {
		{"a", "fe80::af63:dc4c:8601:ec8c"},
		{"foo", "fe80::dcb2:7518:fed9:d577"},
		{"foobar", "fe80::8594:4171:f739:67e8"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		const struct in6_addr addr = dtcp_link_local_user(rows[i].user);
		char text[INET6_ADDRSTRLEN];

		assert_string_equal(inet_ntop(AF_INET6, &addr, text, sizeof(text)),
				    rows[i].address);
	}
}

static void test_lengths(void **state)
{
	char *text = exact_fill('x', 257);

	(void)state;
	assert_false(dtcp_password_valid(text));
	text[256] = '\0';
	assert_true(dtcp_password_valid(text));
	text[65] = '\0';
	assert_false(dtcp_user_valid(text));
	text[64] = '\0';
	assert_true(dtcp_user_valid(text));
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_types),	   cmocka_unit_test(test_type_names),
		cmocka_unit_test(test_endpoints),  cmocka_unit_test(test_link_local),
		cmocka_unit_test(test_user_names), cmocka_unit_test(test_passwords),
		cmocka_unit_test(test_lengths),	   cmocka_unit_test(test_link_local_user),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
