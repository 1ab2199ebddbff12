/* SPDX-License-Identifier: BSD-2-Clause */
#include "proto/line.h"

#include "exact.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define UNTOUCHED 4711

/* Expects this verdict on exactly size bytes, and len and used with LINE_READY only. */
static void expect(const char *bytes, size_t size, enum line_status status, size_t len, size_t used)
{
	char *buf = exact_copy(bytes, size);
	size_t got_len = UNTOUCHED, got_used = UNTOUCHED;

	assert_int_equal(line_next(buf, size, &got_len, &got_used), status);
	assert_int_equal(got_len, status == LINE_READY ? len : UNTOUCHED);
	assert_int_equal(got_used, status == LINE_READY ? used : UNTOUCHED);
	assert_memory_equal(buf, bytes, size);
	free(buf);
}

/*
 * Feeds the stream in pieces of step bytes to a reader that keeps what is left over, and expects
 * these lines, then this status.
 */
static void expect_stream(const char *stream, size_t size, size_t step, const char *const lines[],
			  size_t n_lines, enum line_status last)
{
	size_t from = 0, to = 0, seen = 0, len, used;
	enum line_status status = LINE_MORE;

	while (to < size && status == LINE_MORE) {
		to = to + step < size ? to + step : size;
		for (;;) {
			char *buf = exact_copy(stream + from, to - from);

			status = line_next(buf, to - from, &len, &used);
			if (status != LINE_READY) {
				free(buf);
				break;
			}
			assert_true(seen < n_lines);
			assert_int_equal(len, strlen(lines[seen]));
			assert_memory_equal(buf, lines[seen], len);
			free(buf);
			seen++;
			from += used;
		}
	}
	assert_int_equal(seen, n_lines);
	assert_int_equal(status, last);
}

static void test_line_ends(void **state)
{
	(void)state;
	expect("", 0, LINE_MORE, 0, 0);
	expect("ping", 4, LINE_MORE, 0, 0);
	expect("ping\r", 5, LINE_MORE, 0, 0);
	expect("ping\n", 5, LINE_READY, 4, 5);
	expect("ping\r\n", 6, LINE_READY, 4, 6);
	expect("\n", 1, LINE_READY, 0, 1);
	expect("\r\n", 2, LINE_READY, 0, 2);
	expect("\r", 1, LINE_MORE, 0, 0);
	expect("  \t \r\n", 6, LINE_READY, 4, 6);
}

static void test_bare_cr_belongs_to_the_line(void **state)
{
	(void)state;
	expect("pi\rng\r\n", 7, LINE_READY, 5, 7);
	expect("ping\r\r\n", 7, LINE_READY, 5, 7);
	expect("\rping\n", 6, LINE_READY, 5, 6);
}

static void test_pipelined(void **state)
{
	(void)state;
	expect("ping\r\nquit\r\n", 12, LINE_READY, 4, 6);
	expect("ping\nquit\r\n", 11, LINE_READY, 4, 5);
	expect("ping\n\0", 6, LINE_READY, 4, 5);
}

static void test_streams(void **state)
{
	static const char stream[] = "ping\r\n\nhelp\n\r\n a b \r\nx\ry\nquit\r\nrest";
	static const char *const lines[] = {"ping", "", "help", "", " a b ", "x\ry", "quit"};

	(void)state;
	for (size_t step = 1; step <= sizeof(stream); step++)
		expect_stream(stream, sizeof(stream) - 1, step, lines, COUNT(lines), LINE_MORE);
}

static void test_longest_line(void **state)
{
	char *text = exact_fill('x', 520);
	static const char *const none[] = {NULL};

	(void)state;
	expect(text, 511, LINE_MORE, 0, 0);
	expect(text, 512, LINE_MORE, 0, 0);
	expect(text, 513, LINE_TOO_LONG, 0, 0);
	expect(text, 514, LINE_TOO_LONG, 0, 0);
	expect(text, 520, LINE_TOO_LONG, 0, 0);

	/* 512 bytes and each line end. */
	text[512] = '\n';
	expect(text, 513, LINE_READY, 512, 513);
	expect(text, 520, LINE_READY, 512, 513);
	text[512] = '\r';
	expect(text, 513, LINE_MORE, 0, 0);
	text[513] = '\n';
	expect(text, 514, LINE_READY, 512, 514);
	expect(text, 520, LINE_READY, 512, 514);

	/* The CR turns out not to be half of a line end. */
	text[513] = 'x';
	expect(text, 514, LINE_TOO_LONG, 0, 0);
	text[513] = '\r';
	expect(text, 514, LINE_TOO_LONG, 0, 0);
	text[514] = '\n';
	expect(text, 515, LINE_TOO_LONG, 0, 0);

	/* 513 bytes and each line end. */
	text[512] = 'x';
	text[513] = '\n';
	expect(text, 514, LINE_TOO_LONG, 0, 0);
	text[513] = '\r';
	text[514] = '\n';
	expect(text, 515, LINE_TOO_LONG, 0, 0);

	for (size_t step = 1; step <= 520; step += 13)
		expect_stream(text, 520, step, none, 0, LINE_TOO_LONG);
	free(text);
}

static void test_nul(void **state)
{
	static const char *const lines[] = {"ping"};
	char *text = exact_fill('x', 520);

	(void)state;
	expect("\0", 1, LINE_NUL, 0, 0);
	expect("pi\0ng", 5, LINE_NUL, 0, 0);
	expect("pi\0ng\r\n", 7, LINE_NUL, 0, 0);
	expect("ping\0\n", 6, LINE_NUL, 0, 0);
	expect("ping\r\0", 6, LINE_NUL, 0, 0);
	expect_stream("ping\r\n\0quit\r\n", 13, 1, lines, COUNT(lines), LINE_NUL);
	expect_stream("ping\r\n\0quit\r\n", 13, 13, lines, COUNT(lines), LINE_NUL);

	/* Of two errors the first in the stream counts, however much of it is there. */
	text[511] = '\0';
	expect(text, 512, LINE_NUL, 0, 0);
	expect(text, 520, LINE_NUL, 0, 0);
	text[511] = 'x';
	text[512] = '\0';
	expect(text, 513, LINE_TOO_LONG, 0, 0);
	free(text);
}

static void test_split(void **state)
{
	static const struct {
		const char *text;
		size_t count;
		const char *words[4];
	} rows[] = {
		{"", 0, {NULL}},
		{" ", 0, {NULL}},
		{" \t  \t", 0, {NULL}},
		{"ping", 1, {"ping"}},
		{" ping ", 1, {"ping"}},
		{"\tping\t", 1, {"ping"}},
		{"a b", 2, {"a", "b"}},
		{"a \t  b\tc", 3, {"a", "b", "c"}},
		{"tunnel foo  DAC4 network", 4, {"tunnel", "foo", "DAC4", "network"}},
		{"a,b=c/d:e", 1, {"a,b=c/d:e"}},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		char *text = exact_copy(rows[i].text, strlen(rows[i].text) + 1);
		char *words[4] = {NULL, NULL, NULL, NULL};

		assert_int_equal(line_split(text, words, 4), rows[i].count);
		for (size_t j = 0; j < 4; j++) {
			if (j < rows[i].count)
				assert_string_equal(words[j], rows[i].words[j]);
			else
				assert_null(words[j]);
		}
		free(text);
	}
}

static void test_split_beyond_max(void **state)
{
	char text[] = "one two three four";
	char guard[] = "guard";
	char *words[3] = {NULL, NULL, guard};

	(void)state;
	assert_int_equal(line_split(text, words, 2), 4);
	assert_string_equal(words[0], "one");
	assert_string_equal(words[1], "two");
	assert_ptr_equal(words[2], guard);
}

static void test_split_fullest_line(void **state)
{
	char *text = exact_fill('x', DTCP_LINE_MAX);
	char *words[DTCP_WORDS_MAX];

	(void)state;
	for (size_t i = 1; i < DTCP_LINE_MAX; i += 2)
		text[i] = ' ';
	assert_int_equal(line_split(text, words, DTCP_WORDS_MAX), DTCP_WORDS_MAX);
	assert_string_equal(words[DTCP_WORDS_MAX - 1], "x");
	free(text);
}

static void test_is_text(void **state)
{
	(void)state;
	assert_true(line_is_text("", 0));
	for (int c = 0; c < 256; c++) {
		char byte = (char)c;
		bool text = c == '\t' || (c >= 0x20 && c <= 0x7e);
		char *line = exact_copy("abc", 3);

		assert_int_equal(line_is_text(&byte, 1), text);
		line[2] = byte;
		assert_int_equal(line_is_text(line, 3), text);
		/* What lies behind len does not count. */
		assert_true(line_is_text(line, 2));
		free(line);
	}
}

static void test_repeats_name(void **state)
{
	static const struct {
		const char *words[3];
		size_t count;
		int repeats; /* index of that word; 0: none */
	} rows[] = {
		{{NULL}, 0, 0},
		{{"udp"}, 1, 0},
		{{"udp", "session"}, 2, 0},
		{{"udp", "udp"}, 2, 1},
		{{"udp", "UDP"}, 2, 1},
		{{"udp", "udp=4028"}, 2, 1},
		{{"udp=1", "udp=2"}, 2, 1},
		{{"udp=1", "x", "Udp"}, 3, 2},
		{{"x", "udp=1", "udp=1"}, 3, 2},
		{{"udp", "udpx"}, 2, 0},
		{{"udpx", "udp"}, 2, 0},
		{{"a=x", "b=x"}, 2, 0},
		{{"a=b=c", "a"}, 2, 1},
		{{"=", "=x"}, 2, 1},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		char *words[3] = {NULL, NULL, NULL};

		for (size_t j = 0; j < rows[i].count; j++)
			words[j] = exact_copy(rows[i].words[j], strlen(rows[i].words[j]) + 1);
		assert_ptr_equal(line_repeated_name(words, rows[i].count),
				 rows[i].repeats ? words[rows[i].repeats] : NULL);
		for (size_t j = 0; j < rows[i].count; j++)
			free(words[j]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_line_ends),
		cmocka_unit_test(test_bare_cr_belongs_to_the_line),
		cmocka_unit_test(test_pipelined),
		cmocka_unit_test(test_streams),
		cmocka_unit_test(test_longest_line),
		cmocka_unit_test(test_nul),
		cmocka_unit_test(test_split),
		cmocka_unit_test(test_split_beyond_max),
		cmocka_unit_test(test_split_fullest_line),
		cmocka_unit_test(test_is_text),
		cmocka_unit_test(test_repeats_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
