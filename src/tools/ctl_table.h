/* SPDX-License-Identifier: BSD-2-Clause */
/* A table whose columns line up. Whatever is in a cell is made fit to be shown. */
#ifndef DTCP_TOOLS_CTL_TABLE_H
#define DTCP_TOOLS_CTL_TABLE_H

#include "tools/ctl_page.h"

#define CTL_TABLE_COLUMNS 12

struct ctl_column {
	const char *heading;
	bool right; /* numbers */
	int wide;   /* it has at least so many columns, that it does not change from look to look */
	/* Where there is not enough room: to what width it may be cut, 0 for not at all; then which
	 * column goes first, that with the highest number, and 0 for none. */
	int least;
	int rank;
};

struct ctl_table;

/* columns must stay; count is at most CTL_TABLE_COLUMNS. NULL if memory is short. */
struct ctl_table *ctl_table_new(const struct ctl_column *columns, size_t count);
void ctl_table_free(struct ctl_table *table);

/* The next row, cell by cell from the left; a row that is not whole is not shown. */
void ctl_table_row(struct ctl_table *table, enum ctl_style style);
__attribute__((format(printf, 2, 3))) void ctl_table_cell(struct ctl_table *table,
							  const char *format, ...);

/* Decides the widths; width 0: as wide as it is. Returns false if memory was short for a cell. */
bool ctl_table_fit(struct ctl_table *table, int width);

/* Rows that are there with the headings, which are number 0; one of them as text, and its style. */
size_t ctl_table_rows(const struct ctl_table *table);
const char *ctl_table_line(const struct ctl_table *table, size_t row, char *buf, size_t size);
enum ctl_style ctl_table_style(const struct ctl_table *table, size_t row);

/* To standard output, as wide as the terminal is. False if memory was short. */
bool ctl_table_print(struct ctl_table *table);

#endif
