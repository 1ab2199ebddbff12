/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/options.h"

#include "base/log.h"

#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool options_bad(const char *format, ...)
{
	char text[600];
	char shown[800];
	va_list ap;

	va_start(ap, format);
	(void)vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	log_warnx("%s", log_escape(text, strlen(text), shown, sizeof(shown)));
	return false;
}

bool options_number(const char *where, const char *text, uint32_t min, uint32_t max, uint32_t *out)
{
	const char *error = NULL;
	long long value = strtonum(text, min, max, &error);

	if (error)
		return options_bad("%s: \"%s\": a number from %u to %u is needed", where, text, min,
				   max);
	*out = (uint32_t)value;
	return true;
}

/* Reports an option that getopt_long() rejects. word is the last one that it has read to its end.
 */
static void options_bad_option(const struct options_hint *hint, int result, const char *word)
{
	const char letter[] = {'-', (char)optopt, '\0'};
	bool is_short = optopt > 0 && optopt <= UCHAR_MAX;

	while (hint && hint->letter && hint->letter != optopt)
		hint++;
	/* In "-xd" the word of an unknown x has not been read to its end. */
	(void)options_bad("%s: %s; %s", is_short ? letter : word,
			  result == ':' ? "its value is missing" : "unknown option",
			  hint && hint->letter ? hint->text : "see --help");
}

enum options_result options_read(const struct options_table *table, int argc, char *const argv[],
				 void *options)
{
	int option;

	/* glibc's way to restart. */
	optind = 0;
	while ((option = getopt_long(argc, argv, table->letters, table->words, NULL)) != -1) {
		if (option == OPTION_HELP) {
			(void)fputs(table->usage, stdout);
			return OPTIONS_DONE;
		}
		if (option == OPTION_VERSION) {
			(void)puts(table->version);
			return OPTIONS_DONE;
		}
		if (option == '?' || option == ':') {
			options_bad_option(table->hints, option, argv[optind - 1]);
			return OPTIONS_ERROR;
		}
		if (!table->take(options, option))
			return OPTIONS_ERROR;
	}
	return OPTIONS_OK;
}
