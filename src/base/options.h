/* SPDX-License-Identifier: BSD-2-Clause */
/* Common parts of the programs' command lines. */
#ifndef DTCP_BASE_OPTIONS_H
#define DTCP_BASE_OPTIONS_H

#include <getopt.h>
#include <stdbool.h>
#include <stdint.h>

enum options_result {
	OPTIONS_OK,
	OPTIONS_DONE,  /* --help or --version was printed: exit 0 */
	OPTIONS_ERROR, /* one line was written to standard error: exit 2 */
};

/* Values of the two long options of every program, and the first one for others. */
enum { OPTION_HELP = 256, OPTION_VERSION, OPTION_OTHER };

/* An option of another program of this protocol, and what replaces it here. */
struct options_hint {
	char letter; /* '\0' at the end of a list */
	const char *text;
};

struct options_table {
	const char *letters; /* as for getopt_long(3), beginning with a colon */
	const struct option *words;
	const char *usage;
	const char *version;
	/* Printed instead of "see --help" if a letter is unknown, or its value missing; NULL:
	 * nothing. */
	const struct options_hint *hints;
	/* Handles one option; false after options_bad(). */
	bool (*take)(void *options, int option);
};

/* Reads the options up to the first argument, whose index is then in optind. */
enum options_result options_read(const struct options_table *table, int argc, char *const argv[],
				 void *options);

/* Logs an error of the command line and returns false. */
__attribute__((format(printf, 1, 2))) bool options_bad(const char *format, ...);

/* Parses a decimal number; where names the option. False after options_bad(). */
bool options_number(const char *where, const char *text, uint32_t min, uint32_t max, uint32_t *out);

#endif
