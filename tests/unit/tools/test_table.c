/* SPDX-License-Identifier: BSD-2-Clause */
#include "tools/ctl_table.h"
#include "tools/ctl_text.h"

#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static const struct ctl_column columns[] = {
	{.heading = "NAME", .least = 4},
	{.heading = "SIZE", .right = true},
	{.heading = "KIND", .rank = 1},
	{.heading = "SIDE", .rank = 2},
};

static struct ctl_table *table;
static char buf[300];

static const char *line(size_t row)
{
	return ctl_table_line(table, row, buf, sizeof(buf));
}

static int setup(void **state)
{
	(void)state;
	assert_non_null(setlocale(LC_CTYPE, "C.UTF-8"));
	table = ctl_table_new(columns, 4);
	assert_non_null(table);
	ctl_table_row(table, CTL_PLAIN);
	ctl_table_cell(table, "%s", "Jürgen");
	ctl_table_cell(table, "%d", 7);
	ctl_table_cell(table, "%s", "x");
	ctl_table_cell(table, "%s", "left");
	ctl_table_row(table, CTL_BAD);
	ctl_table_cell(table, "%s", "\033[2Jabcdef");
	ctl_table_cell(table, "%d", 12345);
	ctl_table_cell(table, "%s", "");
	ctl_table_cell(table, "%s", "");
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	ctl_table_free(table);
	return 0;
}

static void columns_line_up(void **state)
{
	(void)state;
	assert_true(ctl_table_fit(table, 0));
	assert_int_equal(ctl_table_rows(table), 3);
	assert_string_equal(line(0), "NAME            SIZE  KIND  SIDE");
	assert_string_equal(line(1), "Jürgen             7  x     left");
	/* Nothing is behind the last text. */
	assert_string_equal(line(2), "\\x1b[2Jabcdef  12345");
	assert_int_equal(ctl_table_style(table, 0), CTL_STRONG);
	assert_int_equal(ctl_table_style(table, 1), CTL_PLAIN);
	assert_int_equal(ctl_table_style(table, 2), CTL_BAD);
}

static void what_is_too_wide_is_cut_then_left_out(void **state)
{
	(void)state;
	assert_true(ctl_table_fit(table, 32));
	assert_string_equal(line(0), "NAME            SIZE  KIND  SIDE");
	assert_true(ctl_table_fit(table, 27));
	assert_string_equal(line(0), "NAME       SIZE  KIND  SIDE");
	assert_string_equal(line(2), "\\x1b[2J…  12345");
	assert_true(ctl_table_fit(table, 20));
	/* Without the last column there is more room for the first one. */
	assert_string_equal(line(0), "NAME      SIZE  KIND");
	assert_string_equal(line(1), "Jürgen       7  x");
	assert_true(ctl_table_fit(table, 12));
	assert_string_equal(line(1), "Jürg…      7");
	/* What is left is shown, whatever it takes. */
	assert_true(ctl_table_fit(table, 3));
	assert_string_equal(line(2), "\\x1…  12345");
}

static void no_row_is_a_table_too(void **state)
{
	struct ctl_table *empty = ctl_table_new(columns, 4);

	(void)state;
	assert_non_null(empty);
	assert_true(ctl_table_fit(empty, 0));
	assert_int_equal(ctl_table_rows(empty), 1);
	assert_string_equal(ctl_table_line(empty, 0, buf, sizeof(buf)), "NAME  SIZE  KIND  SIDE");
	ctl_table_free(empty);
}

static void a_cell_has_a_longest_length(void **state)
{
	char text[1000];

	(void)state;
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	ctl_table_row(table, CTL_PLAIN);
	for (int i = 0; i < 4; i++)
		ctl_table_cell(table, "%s", text);
	assert_true(ctl_table_fit(table, 0));
	/* It does not go into so small a buffer, which is not written past its end. */
	assert_true(strlen(line(3)) < sizeof(buf));
}

int main(void)
{
#define ONE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		ONE(columns_line_up),
		ONE(what_is_too_wide_is_cut_then_left_out),
		ONE(no_row_is_a_table_too),
		ONE(a_cell_has_a_longest_length),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
