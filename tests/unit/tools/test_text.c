/* SPDX-License-Identifier: BSD-2-Clause */
#include "tools/ctl_screen.h"
#include "tools/ctl_text.h"
#include "tools/ctl_value.h"

#include <locale.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

static char buf[300];

static void utf8(void)
{
	assert_non_null(setlocale(LC_CTYPE, "C.UTF-8"));
}

static void what_steers_a_terminal_is_not_shown(void **state)
{
	static const char *const cases[][2] = {
		{"alice", "alice"},
		{"a\\b", "a\\b"},
		{"a\033[31mb", "a\\x1b[31mb"},
		{"a\nb\rc\td\x7f", "a\\x0ab\\x0dc\\x09d\\x7f"},
		{"Grüße 端末", "Grüße 端末"},
		/* CSI as one character of C1, and what turns the direction of the text around it.
		 */
		{"a\xc2\x9b"
		 "31m",
		 "a\\xc2\\x9b31m"},
		{"a\u202egnp", "a\\xe2\\x80\\xaegnp"},
		/* Half a character, a lone octet, and a NUL in two octets. */
		{"a\xc3", "a\\xc3"},
		{"\xff", "\\xff"},
		{"\xc0\x80", "\\xc0\\x80"},
		{"", ""},
	};

	(void)state;
	utf8();
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_string_equal(ctl_text_shown(cases[i][0], buf, sizeof(buf)), cases[i][1]);
	/* Never within a character, nor within an escape. */
	assert_string_equal(ctl_text_shown("端末", buf, 6), "端");
	assert_string_equal(ctl_text_shown("a\033b", buf, 5), "a");
	assert_non_null(setlocale(LC_CTYPE, "C"));
	assert_string_equal(ctl_text_shown("Grüße", buf, sizeof(buf)), "Gr\\xc3\\xbc\\xc3\\x9fe");
}

static void width_is_that_on_the_screen(void **state)
{
	(void)state;
	utf8();
	assert_int_equal(ctl_text_width(""), 0);
	assert_int_equal(ctl_text_width("Grüße"), 5);
	assert_int_equal(ctl_text_width("端末"), 4);
}

static void long_texts_go_on_below(void **state)
{
	static const struct {
		const char *text;
		int width;
		size_t len;
	} cases[] = {
		{"one two three", 13, 13},
		{"one two three", 12, 7},
		{"one two three", 7, 7},
		{"one two three", 6, 3},
		/* No narrower than a word is. */
		{"one two three", 2, 3},
		{"three", 2, 5},
		{"three", 0, 5},
		{"", 0, 0},
		/* Two columns each, of three octets. */
		{"端末 端末 x", 9, 13},
		{"端末 端末 x", 8, 6},
	};

	(void)state;
	utf8();
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(ctl_text_fold(cases[i].text, cases[i].width), cases[i].len);
}

static void long_texts_are_cut(void **state)
{
	(void)state;
	utf8();
	assert_string_equal(ctl_text_cut("abcdef", 6, buf, sizeof(buf)), "abcdef");
	assert_string_equal(ctl_text_cut("abcdefg", 6, buf, sizeof(buf)), "abcde…");
	/* A wide character does not fit into one column. */
	assert_string_equal(ctl_text_cut("a端末", 3, buf, sizeof(buf)), "a…");
	assert_string_equal(ctl_text_cut("a端末", 4, buf, sizeof(buf)), "a端…");
	assert_string_equal(ctl_text_cut("abc", 1, buf, sizeof(buf)), "…");
	assert_string_equal(ctl_text_cut("abc", 0, buf, sizeof(buf)), "");
	assert_non_null(setlocale(LC_CTYPE, "C"));
	assert_string_equal(ctl_text_cut("abcdefg", 6, buf, sizeof(buf)), "abcde~");
}

static void octets_have_units(void **state)
{
	static const struct {
		double octets;
		const char *text;
	} cases[] = {
		{0, "0 B"},
		{1023, "1023 B"},
		{1023.6, "1.0 KiB"},
		{1024, "1.0 KiB"},
		{102348, "99.9 KiB"},
		{102400, "100 KiB"},
		{1047551, "1023 KiB"},
		{1048570, "1.0 MiB"},
		{1.5 * (1 << 30), "1.5 GiB"},
		{0x1p60 * 1000, "1000 EiB"},
		{0x1p63, "8.0 EiB"},
	};
	char text[CTL_TEXT_SIZE];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_string_equal(ctl_text_octets(cases[i].octets, text), cases[i].text);
		assert_true(strlen(text) <= 8);
	}
	assert_string_equal(ctl_text_rate(2048, text), "2.0 KiB/s");
}

static void counts_are_whole(void **state)
{
	char text[CTL_TEXT_SIZE];

	(void)state;
	assert_string_equal(ctl_text_count(0, text), "0");
	assert_string_equal(ctl_text_count(123456789, text), "123456789");
	assert_string_equal(ctl_text_count(0x1p64, text), "2^64");
	/* A pool of addresses is short of two of them, which this number cannot show. */
	assert_string_equal(ctl_text_count(18446744073709551614.0, text), "2^64");
	assert_string_equal(ctl_text_count(3e20, text), "3.0e+20");
}

static void times_have_two_units(void **state)
{
	static const struct {
		double seconds;
		const char *text;
	} cases[] = {
		{-5, "0s"},	   {0.9, "0s"},	    {59.9, "59s"},	{60, "1m 0s"},
		{3599, "59m 59s"}, {3600, "1h 0m"}, {86399, "23h 59m"}, {86400, "1d 0h"},
		{1e7, "115d 17h"}, {1e300, "0s"},
	};
	char text[CTL_TEXT_SIZE];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_string_equal(ctl_text_duration(cases[i].seconds, text), cases[i].text);
	assert_string_equal(ctl_text_moment(0.00015, text), "0.15 ms");
	assert_string_equal(ctl_text_moment(0.0123, text), "12.3 ms");
	assert_string_equal(ctl_text_moment(1.234, text), "1.23 s");
	assert_int_equal(setenv("TZ", "XXX-1", 1), 0);
	tzset();
	assert_string_equal(ctl_text_time(1796047512.9, text), "2026-11-30 15:05:12");
	assert_string_equal(ctl_text_time(1e300, text), "1970-01-01 01:00:00");
}

static void times_are_read(void **state)
{
	static const struct {
		const char *text;
		long seconds;
	} good[] = {{"30s", 30}, {"10m", 600}, {"2h", 7200},	     {"1d", 86400},
		    {"45", 45},	 {"0", 0},     {"30d", 30 * 86400L}, {"007s", 7}};
	static const char *const bad[] = {"",	"s",   "-1",	"+1",
					  "1x", "1ms", "1h30m", "1 h",
					  " 1", "31d", "1.5h",	"99999999999999999999"};
	long seconds;

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		assert_true(ctl_text_seconds(good[i].text, &seconds));
		assert_int_equal(seconds, good[i].seconds);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(ctl_text_seconds(bad[i], &seconds));
}

static void graphs_are_as_high_as_the_largest(void **state)
{
	static const double values[] = {9, 0, 1, 4, 8};
	static const double impossible[] = {1e308, HUGE_VAL, -HUGE_VAL, HUGE_VAL - HUGE_VAL};

	(void)state;
	utf8();
	assert_string_equal(ctl_screen_graph(values, 5, 4, buf, sizeof(buf)), " ▁▄█");
	assert_string_equal(ctl_screen_graph(values, 0, 4, buf, sizeof(buf)), "");
	assert_string_equal(ctl_screen_graph(values + 1, 1, 4, buf, sizeof(buf)), " ");
	assert_string_equal(ctl_screen_graph(impossible, 1, 4, buf, sizeof(buf)), "█");
	assert_string_equal(ctl_screen_graph(impossible, 4, 4, buf, sizeof(buf)), "    ");
	assert_non_null(setlocale(LC_CTYPE, "C"));
	assert_string_equal(ctl_screen_graph(values, 5, 4, buf, sizeof(buf)), " .-#");
}

static void values_are_found_by_paths(void **state)
{
	json_t *object = json_pack("{s{s{si}}ss}", "a", "b", "c", 7, "d", "text");

	(void)state;
	assert_non_null(object);
	assert_int_equal((int)ctl_value_number(object, "a.b.c"), 7);
	assert_string_equal(ctl_value_text(object, "d"), "text");
	/* What is not there, or something else. */
	assert_null(ctl_value(object, "a.x.c"));
	assert_null(ctl_value(object, "d.x"));
	assert_int_equal((int)ctl_value_number(object, "d"), 0);
	assert_string_equal(ctl_value_text(object, "a"), "");
	assert_null(ctl_value(NULL, "a"));
	json_decref(object);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_steers_a_terminal_is_not_shown),
		cmocka_unit_test(width_is_that_on_the_screen),
		cmocka_unit_test(long_texts_go_on_below),
		cmocka_unit_test(long_texts_are_cut),
		cmocka_unit_test(octets_have_units),
		cmocka_unit_test(counts_are_whole),
		cmocka_unit_test(times_have_two_units),
		cmocka_unit_test(times_are_read),
		cmocka_unit_test(graphs_are_as_high_as_the_largest),
		cmocka_unit_test(values_are_found_by_paths),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
