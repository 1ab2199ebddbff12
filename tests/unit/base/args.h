/* SPDX-License-Identifier: BSD-2-Clause */
/* Command lines for a program's option parser, and what it says to them. */
#ifndef DTCP_TESTS_UNIT_BASE_ARGS_H
#define DTCP_TESTS_UNIT_BASE_ARGS_H

#include "base/options.h"

struct args_program {
	const char *name;
	/* Into options that hold garbage before. */
	enum options_result (*parse)(int argc, char *const argv[]);
};

/* Words after the program's name, 12 at most. */
#define ARGS(...) ((const char *const[]){__VA_ARGS__, NULL})

/*
 * Parses them; what was printed to fd is in *printed until the next call. The words themselves stay
 * until then as well, because values of options point into them.
 */
enum options_result args_parse(const struct args_program *program, const char *const args[], int fd,
			       const char **printed);

/* They are accepted without a word. */
void args_expect_ok(const struct args_program *program, const char *const args[]);

/* They are refused with this one line; message is without the program's name and the line's end. */
void args_expect_error(const struct args_program *program, const char *const args[],
		       const char *message);

#endif
