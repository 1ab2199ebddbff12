/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/proto/addresses.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

struct in_addr addr4(const char *text)
{
	struct in_addr addr;

	assert_int_equal(inet_pton(AF_INET, text, &addr), 1);
	return addr;
}

struct in6_addr addr6(const char *text)
{
	struct in6_addr addr;

	assert_int_equal(inet_pton(AF_INET6, text, &addr), 1);
	return addr;
}

struct prefix6 prefix(const char *text)
{
	struct prefix6 out;

	assert_int_equal(prefix6_parse(text, &out), PREFIX_OK);
	return out;
}
