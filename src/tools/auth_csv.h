/* SPDX-License-Identifier: BSD-2-Clause */
/* Comma-separated values (RFC 4180). */
#ifndef DTCP_TOOLS_AUTH_CSV_H
#define DTCP_TOOLS_AUTH_CSV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

enum { AUTH_CSV_CELLS = 16 };

/* A row, parsed in place from a NUL-terminated text, which the cells point into. */
struct auth_csv {
	char *next;  /* start of the next row */
	size_t line; /* its line number, from 1 */
	size_t row_line;
	size_t count;
	char *cells[AUTH_CSV_CELLS];
};

enum auth_csv_result { AUTH_CSV_ROW, AUTH_CSV_END, AUTH_CSV_BAD };

/*
 * Parses the next row, skipping empty lines. Lines end with CRLF or LF, also inside of quotes. For
 * a bad row, *why is the reason, and the next row begins on the following line.
 */
enum auth_csv_result auth_csv_read(struct auth_csv *csv, const char **why);

/* Writes a cell, after a comma if it is not the first one of its row. */
void auth_csv_write(FILE *out, bool first, const char *cell);

#endif
