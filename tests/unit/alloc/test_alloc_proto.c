/* SPDX-License-Identifier: BSD-2-Clause */
/* The digests, for which libcrypto needs memory: right, or nothing at all. */
#include "alloc.h"

#include "proto/digest.h"
#include "proto/probe.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define CHALLENGE "0B1517C87D516A5FA65BED722D51A04F"
/* upper-case hex of MD5("foo" CHALLENGE "bar") */
#define RESPONSE "DAC487C8DFBBF9EE5C7F8CDCC37B62A3"

static bool respond(unsigned long n)
{
	char response[DTCP_RESPONSE_SIZE];
	bool ok, failed;

	memset(response, 'x', sizeof(response));
	alloc_fail(n);
	ok = digest_response("foo", CHALLENGE, "bar", response);
	failed = alloc_failed();
	assert_string_equal(response, ok ? RESPONSE : "");
	assert_true(ok || failed);
	return failed;
}

static bool sign(unsigned long n)
{
	static const uint8_t zeros[PROBE_KEY_SIZE];
	const struct probe probe = {.type = PROBE_HELLO, .session = 1, .counter = 1};
	static uint8_t good_key[PROBE_KEY_SIZE], good_octets[PROBE_SIZE];
	uint8_t key[PROBE_KEY_SIZE], octets[PROBE_SIZE];
	bool keyed, written, verified, failed;

	alloc_fail(0);
	assert_true(probe_key("bar", "foo", CHALLENGE, 1, good_key));
	assert_true(probe_write(&probe, good_key, good_octets));
	alloc_fail(n);
	keyed = probe_key("bar", "foo", CHALLENGE, 1, key);
	written = probe_write(&probe, good_key, octets);
	verified = probe_verify(good_octets, good_key);
	failed = alloc_failed();
	assert_memory_equal(key, keyed ? good_key : zeros, sizeof(key));
	if (written)
		assert_memory_equal(octets, good_octets, sizeof(octets));
	assert_true(failed || (keyed && written && verified));
	/* A wrong one is never taken for right. */
	octets[0] = PROBE_ANSWER;
	alloc_fail(n);
	assert_false(probe_verify(octets, good_key));
	return failed;
}

static void a_response_is_right_or_empty(void **state)
{
	(void)state;
	alloc_each(respond);
}

static void a_probe_is_right_or_none(void **state)
{
	(void)state;
	alloc_each(sign);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_response_is_right_or_empty),
		cmocka_unit_test(a_probe_is_right_or_none),
	};

	alloc_install(false);
	return cmocka_run_group_tests_name("allocation failures, proto", tests, NULL, NULL);
}
