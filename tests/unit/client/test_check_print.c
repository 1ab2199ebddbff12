/* SPDX-License-Identifier: BSD-2-Clause */
/* The steps of --check as they are shown, and what root's process believes of them. */
#include "client/root/check_print.h"

#include "tests/unit/proto/addresses.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct client_step step_of(uint32_t number, uint32_t result, const char *text,
				  const char *advice)
{
	struct client_step step = {.step = number, .result = result, .milliseconds = 12};

	(void)strlcpy(step.text, text, sizeof(step.text));
	(void)strlcpy(step.advice, advice, sizeof(step.advice));
	return step;
}

static void expect(const struct client_step *step, bool json, bool ticks, const char *want)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	assert_non_null(out);
	if (json)
		check_print_json(out, step);
	else
		check_print_line(out, step, ticks);
	assert_int_equal(fclose(out), 0);
	assert_string_equal(text, want);
	free(text);
}

static void test_line(void **state)
{
	struct client_step step = step_of(CLIENT_STEP_NAME, CLIENT_STEP_OK, "a is b", "");

	(void)state;
	expect(&step, false, false, "ok    name         a is b\n");
	expect(&step, false, true, "\xe2\x9c\x93  name         a is b\n");
	step = step_of(CLIENT_STEP_PROTO41, CLIENT_STEP_FAIL, "no answer", "use -U");
	expect(&step, false, false, "FAIL  protocol 41  no answer; use -U\n");
	expect(&step, false, true, "\xe2\x9c\x97  protocol 41  no answer; use -U\n");
	step = step_of(CLIENT_STEP_BEYOND, CLIENT_STEP_SKIP, "needs a login", "");
	expect(&step, false, false, "skip  IPv6 beyond  needs a login\n");
	expect(&step, false, true, "-  IPv6 beyond  needs a login\n");
}

/* Quotes and backslashes are the only printable characters that JSON escapes. */
static void test_json(void **state)
{
	struct client_step step =
		step_of(CLIENT_STEP_LOGIN, CLIENT_STEP_FAIL, "it says \"\\x1b\"", "");

	(void)state;
	expect(&step, true, false,
	       "{\"step\":\"login\",\"result\":\"fail\",\"text\":\"it says \\\"\\\\x1b\\\"\","
	       "\"advice\":\"\",\"milliseconds\":12,\"data\":{}}\n");
	step = step_of(CLIENT_STEP_MTU, CLIENT_STEP_OK, "t", "a");
	step.address = addr4("192.0.2.1");
	step.here = addr4("192.0.2.2");
	step.seen = addr4("192.0.2.3");
	step.port = 4028;
	step.rtt_us = 1234;
	step.path_mtu = 1500;
	step.mtu = 1480;
	step.prefix.len = 32;
	assert_int_equal(inet_pton(AF_INET6, "2001:db8::", &step.prefix.addr), 1);
	assert_int_equal(inet_pton(AF_INET6, "2001:db8::1", &step.own), 1);
	assert_int_equal(inet_pton(AF_INET6, "2001:db8::2", &step.target), 1);
	expect(&step, true, false,
	       "{\"step\":\"mtu\",\"result\":\"ok\",\"text\":\"t\",\"advice\":\"a\","
	       "\"milliseconds\":12,\"data\":{\"address\":\"192.0.2.1\",\"port\":4028,"
	       "\"here\":\"192.0.2.2\",\"seen\":\"192.0.2.3\",\"prefix\":\"2001:db8::/32\","
	       "\"own\":\"2001:db8::1\",\"target\":\"2001:db8::2\",\"rtt_ms\":1.234,"
	       "\"path_mtu\":1500,\"mtu\":1480}}\n");
}

/* Control may have been taken over. */
static void test_what_is_believed(void **state)
{
	struct client_step step = step_of(CLIENT_STEP_PORT, CLIENT_STEP_OK, "a\033b\xc3", "c\nd");

	(void)state;
	assert_true(check_print_take(&step, CLIENT_STEP_PORT));
	assert_string_equal(step.text, "a?b?");
	assert_string_equal(step.advice, "c?d");
	assert_false(check_print_take(&step, CLIENT_STEP_NAME));
	assert_false(check_print_take(&step, CLIENT_STEP_GREETING));
	step = step_of(CLIENT_STEPS, CLIENT_STEP_OK, "", "");
	assert_false(check_print_take(&step, CLIENT_STEPS));
	step = step_of(CLIENT_STEP_PORT, CLIENT_STEP_RESULTS, "", "");
	assert_false(check_print_take(&step, CLIENT_STEP_PORT));
	step = step_of(CLIENT_STEP_PORT, CLIENT_STEP_OK, "", "");
	step.prefix.len = 129;
	assert_false(check_print_take(&step, CLIENT_STEP_PORT));
	step = step_of(CLIENT_STEP_PORT, CLIENT_STEP_OK, "", "");
	memset(step.text, 'x', sizeof(step.text));
	assert_false(check_print_take(&step, CLIENT_STEP_PORT));
	step = step_of(CLIENT_STEP_PORT, CLIENT_STEP_OK, "", "");
	memset(step.advice, 'x', sizeof(step.advice));
	assert_false(check_print_take(&step, CLIENT_STEP_PORT));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_line),
		cmocka_unit_test(test_json),
		cmocka_unit_test(test_what_is_believed),
	};

	return cmocka_run_group_tests_name("client check print", tests, NULL, NULL);
}
