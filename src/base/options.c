/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/options.h"

#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

bool options_bad(const char *format, ...)
{
	char text[600];
	va_list ap;

	va_start(ap, format);
	(void)vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	log_warnx("%s", text);
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

enum options_result options_read(const struct options_table *table, int argc, char **argv,
				 void *options)
{
	int option;

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
			(void)options_bad("%s: %s; see --help", argv[optind - 1],
					  option == ':' ? "its value is missing"
							: "unknown option");
			return OPTIONS_ERROR;
		}
		if (!table->take(options, option))
			return OPTIONS_ERROR;
	}
	return OPTIONS_OK;
}
