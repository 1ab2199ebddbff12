/* SPDX-License-Identifier: BSD-2-Clause */
#include "tools/auth_csv.h"

#include <string.h>

/* Unquotes a cell in place; from is behind the opening quote. NULL: no closing quote. */
static char *auth_csv_quoted(struct auth_csv *csv, char *from)
{
	char *to = from;

	for (; *from; from++) {
		if (*from == '"' && from[1] != '"') {
			*to = '\0';
			return from + 1;
		}
		if (*from == '"')
			from++;
		csv->line += *from == '\n';
		*to++ = *from;
	}
	return NULL;
}

/* If the end of a row is at *at, steps over it. */
static bool auth_csv_ends(struct auth_csv *csv, char *at)
{
	char *end = at;

	if (end[0] == '\r' && end[1] == '\n')
		end++;
	if (*end != '\0' && *end != '\n')
		return false;
	csv->line += *end == '\n';
	csv->next = *end ? end + 1 : end;
	*at = '\0';
	return true;
}

/* Continues behind the line. */
static enum auth_csv_result auth_csv_bad(struct auth_csv *csv, char *at, const char *what,
					 const char **why)
{
	at += strcspn(at, "\n");
	csv->line += *at == '\n';
	csv->next = *at ? at + 1 : at;
	*why = what;
	return AUTH_CSV_BAD;
}

enum auth_csv_result auth_csv_read(struct auth_csv *csv, const char **why)
{
	char *at = csv->next;

	while (*at == '\n' || (*at == '\r' && at[1] == '\n')) {
		csv->line += *at == '\n';
		at++;
	}
	if (*at == '\0')
		return AUTH_CSV_END;
	csv->row_line = csv->line;
	for (csv->count = 0; csv->count < AUTH_CSV_CELLS; csv->count++) {
		if (*at == '"') {
			char *end = auth_csv_quoted(csv, at + 1);

			if (!end)
				return auth_csv_bad(csv, at + strlen(at),
						    "a quoted cell has no end", why);
			csv->cells[csv->count] = at + 1;
			at = end;
		} else {
			csv->cells[csv->count] = at;
			at += strcspn(at, ",\"\r\n");
		}
		if (*at == ',') {
			*at++ = '\0';
		} else if (auth_csv_ends(csv, at)) {
			csv->count++;
			return AUTH_CSV_ROW;
		} else {
			return auth_csv_bad(csv, at,
					    *at == '"'
						    ? "a quote in a cell without quotes around it"
						    : "something behind the end of a cell",
					    why);
		}
	}
	return auth_csv_bad(csv, at, "too many cells", why);
}

void auth_csv_write(FILE *out, bool first, const char *cell)
{
	size_t len = strlen(cell);
	bool quoted = strcspn(cell, ",\"\r\n") < len ||
		      (len > 0 && (cell[0] == ' ' || cell[len - 1] == ' '));

	if (!first)
		(void)fputc(',', out);
	if (quoted)
		(void)fputc('"', out);
	for (; *cell; cell++) {
		if (*cell == '"')
			(void)fputc('"', out);
		(void)fputc(*cell, out);
	}
	if (quoted)
		(void)fputc('"', out);
}
