/* SPDX-License-Identifier: BSD-2-Clause */
/* Tables as RFC 4180 has them: commas between cells, quotes around those that need them. */
#ifndef DTCP_TOOLS_AUTH_CSV_H
#define DTCP_TOOLS_AUTH_CSV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

enum { AUTH_CSV_CELLS = 16 };

/* A row, cut out of a text that ends with NUL: cells lie in it. */
struct auth_csv {
	char *next;  /* where the next row begins */
	size_t line; /* the number of its line, from 1 on */
	size_t row_line;
	size_t count;
	char *cells[AUTH_CSV_CELLS];
};

enum auth_csv_result { AUTH_CSV_ROW, AUTH_CSV_END, AUTH_CSV_BAD };

/*
 * The next row, past empty lines. Lines end with CRLF or LF, and also inside of quotes. Of a bad
 * one, *why is what is wrong, and the next row begins on the line after it.
 */
enum auth_csv_result auth_csv_read(struct auth_csv *csv, const char **why);

/* Writes a cell, after a comma if it is not the first one of its row. */
void auth_csv_write(FILE *out, bool first, const char *cell);

#endif
