/* SPDX-License-Identifier: BSD-2-Clause */
/* What a look-up says; no name server is asked for any of these. */
#include "client/resolver/resolver.h"

#include "client/control/session.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void test_address(void **state)
{
	struct client_addresses found;

	(void)state;
	resolver_look_up("192.0.2.1", &found);
	assert_int_equal(found.error, 0);
	assert_int_equal(found.count, 1);
	assert_int_equal(found.list[0].s_addr, inet_addr("192.0.2.1"));
}

static void test_localhost(void **state)
{
	struct client_addresses found;

	(void)state;
	resolver_look_up("localhost", &found);
	assert_int_equal(found.error, 0);
	assert_true(found.count >= 1);
	assert_int_equal(found.list[0].s_addr, htonl(INADDR_LOOPBACK));
}

/* No error, and no address. */
static void test_ipv6_only(void **state)
{
	struct client_addresses found;

	(void)state;
	resolver_look_up("2001:db8::1", &found);
	assert_int_equal(found.error, 0);
	assert_int_equal(found.count, 0);
}

static void test_no_name(void **state)
{
	struct client_addresses found;

	(void)state;
	/* Too long a label for any name server. */
	resolver_look_up("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.",
			 &found);
	assert_int_not_equal(found.error, 0);
	assert_int_equal(found.count, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_address),
		cmocka_unit_test(test_localhost),
		cmocka_unit_test(test_ipv6_only),
		cmocka_unit_test(test_no_name),
	};

	return cmocka_run_group_tests_name("client resolver", tests, NULL, NULL);
}
