/* SPDX-License-Identifier: BSD-2-Clause */
#include "web/address.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void addresses(void **state)
{
	static const char *const good[] = {"127.0.0.1:20280", "[::1]:20280", "0.0.0.0:1",
					   "[2001:db8::1]:65535"};
	static const char *const bad[] = {
		"",	    "127.0.0.1",     "127.0.0.1:",    "127.0.0.1:0",   "127.0.0.1:65536",
		"::1:80",   "[::1]",	     "[::1]80",	      "[::1:80",       "[127.0.0.1]:80",
		"name:80",  "127.0.0.1:80x", "127.0.0.1: 80", ":80",	       "[]:80",
		"127.1:80", "127.0.0.1:-1",  "[::1%lo]:80",   " 127.0.0.1:80", "127.0.0.1:80:80",
	};
	char text[ADDRESS_STRLEN];
	struct address address;

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		assert_true(address_parse(good[i], &address));
		assert_string_equal(address_format(&address, text), good[i]);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		if (address_parse(bad[i], &address))
			fail_msg("%s was taken", bad[i]);
	}
}

static void kinds(void **state)
{
	static const struct {
		const char *text;
		bool loopback;
		bool any;
	} all[] = {
		{"127.0.0.1:1", true, false},	   {"127.9.9.9:1", true, false},
		{"[::1]:1", true, false},	   {"0.0.0.0:1", false, true},
		{"[::]:1", false, true},	   {"192.0.2.1:1", false, false},
		{"[2001:db8::1]:1", false, false},
	};
	struct address address;

	(void)state;
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		assert_true(address_parse(all[i].text, &address));
		assert_int_equal(address_is_loopback(&address), all[i].loopback);
		assert_int_equal(address_is_any(&address), all[i].any);
	}
}

/* Names that a browser may call us by, and those of pages that only lead here. */
static void hosts(void **state)
{
	static const char *const names[] = {"status.example.net", "2001:db8::9"};
	static const char *const good[] = {
		"localhost",
		"LocalHost:80",
		"localhost.",
		"me.localhost",
		"127.0.0.1",
		"127.0.0.1:20280",
		"127.8.8.8",
		"[::1]",
		"[::1]:8080",
		"status.example.net",
		"STATUS.example.NET:443",
		"192.0.2.1:20280",
		"[2001:db8::1]",
		"[2001:db8::9]:80",
		"[0:0::1]",
		"status.example.net.",
	};
	static const char *const bad[] = {
		"",
		"evil.example",
		"localhost.evil.example",
		"evillocalhost",
		"192.0.2.2",
		"[2001:db8::2]",
		"0.0.0.0",
		"[::]",
		"example.net",
		"x.status.example.net",
		"::1",
		"localhost:x",
		"localhost:80:80",
		"[::1]x",
		"[localhost]",
		"127.0.0.1@evil",
		"127.0.0.1.evil.example",
		":80",
		"[::1",
		"localhost..",
	};
	struct address listen[2];
	const struct address_names all = {
		.listen = listen, .n_listen = 2, .hosts = names, .n_hosts = 2};
	struct address any;
	const struct address_names wild = {.listen = &any, .n_listen = 1};

	(void)state;
	assert_true(address_parse("192.0.2.1:20280", &listen[0]));
	assert_true(address_parse("[2001:db8::1]:20280", &listen[1]));
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		if (!address_host_allowed(good[i], &all))
			fail_msg("%s was refused", good[i]);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		if (address_host_allowed(bad[i], &all))
			fail_msg("%s was allowed", bad[i]);
	}
	/* Whoever listens everywhere has not said what it is called. */
	assert_true(address_parse("0.0.0.0:20280", &any));
	assert_false(address_host_allowed("192.0.2.1", &wild));
	assert_false(address_host_allowed("0.0.0.0", &wild));
	assert_true(address_host_allowed("127.0.0.1", &wild));
}

static void host_names(void **state)
{
	static const char *const good[] = {"a", "status.example.net", "192.0.2.1", "2001:db8::1",
					   "x_y-z.example"};
	static const char *const bad[] = {"",	  ".",	       "-a",	       "a b",
					  "a:80", "[::1]",     "http://a/",    "a/b",
					  "a\n",  "*.example", "2001:db8::1:x"};

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		assert_true(address_host_valid(good[i]));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(address_host_valid(bad[i]));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(addresses),
		cmocka_unit_test(kinds),
		cmocka_unit_test(hosts),
		cmocka_unit_test(host_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
