/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/client/parsed.h"

#include <string.h>

struct client_options options;
static enum options_result parsed = OPTIONS_ERROR;

void parsed_free(void)
{
	if (parsed == OPTIONS_OK)
		client_options_free(&options);
	parsed = OPTIONS_ERROR;
}

static enum options_result parsed_parse(int argc, char *const argv[])
{
	parsed_free();
	memset(&options, 0xa5, sizeof(options));
	parsed = client_options_parse(&options, argc, argv);
	return parsed;
}

const struct args_program parsed_program = {"dtcpclient", parsed_parse};
