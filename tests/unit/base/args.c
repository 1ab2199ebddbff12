/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/base/args.h"

#include "tests/unit/base/capture.h"

#include <getopt.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum { ARGS_MAX = 12 };

enum options_result args_parse(const struct args_program *program, const char *const args[], int fd,
			       const char **printed)
{
	static char words[ARGS_MAX + 1][2048];
	char *argv[ARGS_MAX + 2] = {words[0]};
	enum options_result result;
	int argc = 1;

	(void)snprintf(words[0], sizeof(words[0]), "/usr/local/sbin/%s", program->name);
	for (; args[argc - 1]; argc++) {
		assert_true(argc <= ARGS_MAX);
		(void)strlcpy(words[argc], args[argc - 1], sizeof(words[argc]));
		argv[argc] = words[argc];
	}
	/* glibc's way to begin anew. */
	optind = 0;
	capture_begin(fd);
	result = program->parse(argc, argv);
	*printed = capture_end();
	return result;
}

void args_expect_ok(const struct args_program *program, const char *const args[])
{
	const char *printed;

	assert_int_equal(args_parse(program, args, STDERR_FILENO, &printed), OPTIONS_OK);
	assert_string_equal(printed, "");
}

void args_expect_error(const struct args_program *program, const char *const args[],
		       const char *message)
{
	char line[4096];
	const char *printed;

	(void)snprintf(line, sizeof(line), "%s: %s\n", program->name, message);
	assert_int_equal(args_parse(program, args, STDERR_FILENO, &printed), OPTIONS_ERROR);
	assert_string_equal(printed, line);
	assert_ptr_equal(strchr(printed, '\n'), printed + strlen(printed) - 1);
}
