/* SPDX-License-Identifier: BSD-2-Clause */
/* Reads the files of "import", whose format is recognized by their first line. */
#ifndef DTCP_TOOLS_AUTH_READ_H
#define DTCP_TOOLS_AUTH_READ_H

#include "users/users.h"

#include <stdbool.h>
#include <stddef.h>

/* A line, or several about one user. Its texts point into those of the files. */
struct auth_entry {
	struct users_record record;
	const char *file;
	size_t line;
	bool list;   /* from one of the old server's lists */
	bool merged; /* merged into an earlier one */
	bool changed;
};

struct auth_file {
	const char *name;
	char *text; /* ends with NUL */
	size_t size;
};

struct auth_import {
	struct auth_file *files;
	size_t n_files;
	struct auth_entry *entries;
	size_t count;
	size_t bad; /* number of bad lines */
};

/* Reports an error in a line. */
void auth_import_bad(struct auth_import *import, const char *file, size_t line, const char *format,
		     ...) __attribute__((format(printf, 4, 5)));

/*
 * Reads all files. False after an error message if one cannot be read; bad lines are reported and
 * counted.
 */
bool auth_read(struct auth_import *import, char **names, size_t n_names);

/* Wipes and frees all. */
void auth_read_free(struct auth_import *import);

#endif
