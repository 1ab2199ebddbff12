/* SPDX-License-Identifier: BSD-2-Clause */
#include "tools/ctl_table.h"

#include "tools/ctl_text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Blanks between two columns. */
#define GAP 2

/* Longest cell, with its NUL. */
#define CELL_MAX 300

struct ctl_table {
	const struct ctl_column *columns;
	size_t column_count;
	char **cells; /* row by row, without the headings */
	size_t cell_count;
	size_t room;
	enum ctl_style *styles;
	size_t row_count;
	size_t style_room;
	int widths[CTL_TABLE_COLUMNS]; /* -1: left out */
	bool failed;
};

struct ctl_table *ctl_table_new(const struct ctl_column *columns, size_t count)
{
	struct ctl_table *table = calloc(1, sizeof(*table));

	if (table) {
		table->columns = columns;
		table->column_count = count;
	}
	return table;
}

void ctl_table_free(struct ctl_table *table)
{
	if (!table)
		return;
	for (size_t i = 0; i < table->cell_count; i++)
		free(table->cells[i]);
	free(table->cells);
	free(table->styles);
	free(table);
}

/* Makes room for one more than count. False without changes if memory is short. */
static bool ctl_table_room(void **list, size_t count, size_t *room, size_t size)
{
	size_t more = *room ? 2 * *room : 64;
	void *larger;

	if (count < *room)
		return true;
	larger = reallocarray(*list, more, size);
	if (!larger)
		return false;
	*list = larger;
	*room = more;
	return true;
}

void ctl_table_row(struct ctl_table *table, enum ctl_style style)
{
	void *styles = table->styles;

	if (!ctl_table_room(&styles, table->row_count, &table->style_room, sizeof(style))) {
		table->failed = true;
		return;
	}
	table->styles = styles;
	table->styles[table->row_count++] = style;
}

void ctl_table_cell(struct ctl_table *table, const char *format, ...)
{
	char text[CELL_MAX], shown[CELL_MAX];
	void *cells = table->cells;
	char *cell = NULL;
	va_list ap;

	va_start(ap, format);
	(void)vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	if (!table->failed &&
	    ctl_table_room(&cells, table->cell_count, &table->room, sizeof(*table->cells))) {
		table->cells = cells;
		cell = strdup(ctl_text_shown(text, shown, sizeof(shown)));
	}
	if (!cell) {
		table->failed = true;
		return;
	}
	table->cells[table->cell_count++] = cell;
}

size_t ctl_table_rows(const struct ctl_table *table)
{
	return table->cell_count / table->column_count + 1;
}

/* The text of a cell or a heading. */
static const char *ctl_table_text(const struct ctl_table *table, size_t row, size_t column)
{
	return row == 0 ? table->columns[column].heading
			: table->cells[(row - 1) * table->column_count + column];
}

/* Each column that is not left out, as wide as it is. */
static void ctl_table_measure(struct ctl_table *table)
{
	for (size_t i = 0; i < table->column_count; i++) {
		if (table->widths[i] < 0)
			continue;
		table->widths[i] = table->columns[i].wide;
		for (size_t row = 0; row < ctl_table_rows(table); row++) {
			int cell = ctl_text_width(ctl_table_text(table, row, i));

			if (cell > table->widths[i])
				table->widths[i] = cell;
		}
	}
}

static int ctl_table_total(const struct ctl_table *table)
{
	int total = -GAP;

	for (size_t i = 0; i < table->column_count; i++)
		total += table->widths[i] < 0 ? 0 : table->widths[i] + GAP;
	return total;
}

/* Narrows the widest column that may be truncated by up to too_much. */
static bool ctl_table_shrink(struct ctl_table *table, int too_much)
{
	const struct ctl_column *columns = table->columns;
	size_t widest = table->column_count;
	int can;

	for (size_t i = 0; i < table->column_count; i++) {
		if (columns[i].least && table->widths[i] > columns[i].least &&
		    (widest == table->column_count || table->widths[i] > table->widths[widest]))
			widest = i;
	}
	if (widest == table->column_count)
		return false;
	can = table->widths[widest] - columns[widest].least;
	table->widths[widest] -= can < too_much ? can : too_much;
	return true;
}

static bool ctl_table_leave_out(struct ctl_table *table)
{
	size_t first = table->column_count;

	for (size_t i = 0; i < table->column_count; i++) {
		if (table->columns[i].rank && table->widths[i] >= 0 &&
		    (first == table->column_count ||
		     table->columns[i].rank > table->columns[first].rank))
			first = i;
	}
	if (first == table->column_count)
		return false;
	table->widths[first] = -1;
	/* The others may need to be cut less. */
	ctl_table_measure(table);
	return true;
}

bool ctl_table_fit(struct ctl_table *table, int width)
{
	int total;

	memset(table->widths, 0, sizeof(table->widths));
	ctl_table_measure(table);
	while (width > 0 && (total = ctl_table_total(table)) > width &&
	       (ctl_table_shrink(table, total - width) || ctl_table_leave_out(table)))
		;
	return !table->failed;
}

const char *ctl_table_line(const struct ctl_table *table, size_t row, char *buf, size_t size)
{
	char cut[CELL_MAX];
	size_t out = 0, end = 0;

	for (size_t i = 0; i < table->column_count; i++) {
		const char *text = ctl_table_text(table, row, i);
		int width = table->widths[i], blanks;

		if (width < 0)
			continue;
		text = ctl_text_cut(text, width, cut, sizeof(cut));
		blanks = width - ctl_text_width(text);
		if (out + strlen(text) + (size_t)blanks + GAP >= size)
			break;
		if (table->columns[i].right) {
			memset(buf + out, ' ', (size_t)blanks);
			out += (size_t)blanks;
		}
		memcpy(buf + out, text, strlen(text));
		out += strlen(text);
		if (*text)
			end = out;
		if (table->columns[i].right)
			blanks = 0;
		memset(buf + out, ' ', (size_t)blanks + GAP);
		out += (size_t)blanks + GAP;
	}
	buf[end] = '\0';
	return buf;
}

enum ctl_style ctl_table_style(const struct ctl_table *table, size_t row)
{
	return row == 0 ? CTL_STRONG : table->styles[row - 1];
}

bool ctl_table_print(struct ctl_table *table)
{
	char line[CTL_LINE_MAX];

	/* If the output is not a terminal, nothing is truncated. */
	if (!ctl_table_fit(table, ctl_page_width()))
		return false;
	for (size_t row = 0; row < ctl_table_rows(table); row++) {
		ctl_page_put(ctl_table_style(table, row),
			     ctl_table_line(table, row, line, sizeof(line)));
		(void)putchar('\n');
	}
	return true;
}
