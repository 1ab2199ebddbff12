/* SPDX-License-Identifier: BSD-2-Clause */
/* A table with aligned columns. The contents of cells are escaped for display. */
#ifndef DTCP_TOOLS_CTL_TABLE_H
#define DTCP_TOOLS_CTL_TABLE_H

#include "tools/ctl_page.h"

#define CTL_TABLE_COLUMNS 12

struct ctl_column {
	const char *heading;
	bool right; /* numbers */
	int wide;   /* smallest width, so that it does not change from sample to sample */
	/* If the terminal is too narrow: the width to which it may be cut, 0: none; and the rank in
	 * which columns are dropped, the highest first, 0: never. */
	int least;
	int rank;
};

struct ctl_table;

/* columns must stay valid; count is at most CTL_TABLE_COLUMNS. NULL if memory is short. */
struct ctl_table *ctl_table_new(const struct ctl_column *columns, size_t count);
void ctl_table_free(struct ctl_table *table);

/* Begins a row; its cells follow from the left. An incomplete row is not shown. */
void ctl_table_row(struct ctl_table *table, enum ctl_style style);
__attribute__((format(printf, 2, 3))) void ctl_table_cell(struct ctl_table *table,
							  const char *format, ...);

/* Computes the widths; width 0: unlimited. Returns false if memory was short for a cell. */
bool ctl_table_fit(struct ctl_table *table, int width);

/* The number of rows, including the headings, row 0; a row as text, and its style. */
size_t ctl_table_rows(const struct ctl_table *table);
const char *ctl_table_line(const struct ctl_table *table, size_t row, char *buf, size_t size);
enum ctl_style ctl_table_style(const struct ctl_table *table, size_t row);

/* Prints it, in the terminal's width. False if memory was short. */
bool ctl_table_print(struct ctl_table *table);

#endif
