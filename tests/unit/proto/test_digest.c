/* SPDX-License-Identifier: BSD-2-Clause */
#include "proto/digest.h"

#include "exact.h"

#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* The vector of docs/protocol.md, section 1: user foo, password bar. */
#define CHALLENGE "0B1517C87D516A5FA65BED722D51A04F"
#define RESPONSE  "DAC487C8DFBBF9EE5C7F8CDCC37B62A3"

static void test_vector(void **state)
{
	char out[DTCP_RESPONSE_SIZE];

	(void)state;
	assert_true(digest_response("foo", CHALLENGE, "bar", out));
	assert_string_equal(out, RESPONSE);
}

static void test_plain_md5(void **state)
{
	char out[DTCP_RESPONSE_SIZE];

	/* The three parts follow each other without anything between (vectors: RFC 1321, A.5). */
	(void)state;
	assert_true(digest_response("", "", "", out));
	assert_string_equal(out, "D41D8CD98F00B204E9800998ECF8427E");
	assert_true(digest_response("a", "b", "c", out));
	assert_string_equal(out, "900150983CD24FB0D6963F7D28E17F72");
	assert_true(digest_response("mess", "age ", "digest", out));
	assert_string_equal(out, "F96B697D7CB7938D525A2F31AAF161D0");
}

static void test_every_part_counts_with_its_case(void **state)
{
	char out[DTCP_RESPONSE_SIZE];

	(void)state;
	assert_true(digest_response("Foo", CHALLENGE, "bar", out));
	assert_string_not_equal(out, RESPONSE);
	assert_true(digest_response("foo", "0b1517c87d516a5fa65bed722d51a04f", "bar", out));
	assert_string_not_equal(out, RESPONSE);
	assert_true(digest_response("foo", CHALLENGE, "Bar", out));
	assert_string_not_equal(out, RESPONSE);
}

static void test_equal(void **state)
{
	static const char lower[] = "dac487c8dfbbf9ee5c7f8cdcc37b62a3";
	static const char mixed[] = "dAc487C8DfBbF9eE5c7F8cDcC37b62A3";

	(void)state;
	assert_true(digest_equal(RESPONSE, RESPONSE));
	assert_true(digest_equal(RESPONSE, lower));
	assert_true(digest_equal(lower, RESPONSE));
	assert_true(digest_equal(mixed, lower));
	assert_true(digest_equal("0123456789ABCDEF0123456789abcdef",
				 "0123456789abcdef0123456789ABCDEF"));
}

static void test_each_digit_counts(void **state)
{
	(void)state;
	for (size_t i = 0; i < strlen(RESPONSE); i++) {
		char other[] = RESPONSE;

		other[i] = other[i] == '7' ? '8' : '7';
		assert_false(digest_equal(other, RESPONSE));
		assert_false(digest_equal(RESPONSE, other));
	}
}

static void test_only_hex_digits_are_valid(void **state)
{
	(void)state;
	/* Every byte there is, at the first, an inner and the last place. */
	for (int c = 1; c < 256; c++) {
		static const size_t places[] = {0, 13, 31};

		for (size_t i = 0; i < COUNT(places); i++) {
			char text[] = RESPONSE;

			text[places[i]] = (char)c;
			assert_int_equal(digest_valid(text), isxdigit(c) != 0);
			assert_int_equal(digest_equal(text, text), isxdigit(c) != 0);
		}
	}
}

static void test_wrong_lengths(void **state)
{
	static const char *const rows[] = {
		"",
		"D",
		"DAC487C8DFBBF9EE5C7F8CDCC37B62A",
		RESPONSE "0",
		RESPONSE RESPONSE,
		" " RESPONSE,
		RESPONSE " ",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		assert_false(digest_valid(rows[i]));
		assert_false(digest_equal(rows[i], rows[i]));
		assert_false(digest_equal(rows[i], RESPONSE));
		assert_false(digest_equal(RESPONSE, rows[i]));
	}
	assert_true(digest_valid(RESPONSE));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_vector),
		cmocka_unit_test(test_plain_md5),
		cmocka_unit_test(test_every_part_counts_with_its_case),
		cmocka_unit_test(test_equal),
		cmocka_unit_test(test_each_digit_counts),
		cmocka_unit_test(test_only_hex_digits_are_valid),
		cmocka_unit_test(test_wrong_lengths),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
