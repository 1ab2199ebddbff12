/* SPDX-License-Identifier: BSD-2-Clause */
/* A command line of the client, and what became of it. */
#ifndef DTCP_TESTS_UNIT_CLIENT_PARSED_H
#define DTCP_TESTS_UNIT_CLIENT_PARSED_H

#include "client/options.h"
#include "tests/unit/base/args.h"

/* The outcome of the last one; options are freed by the next, or by parsed_free(). */
extern struct client_options options;
extern const struct args_program parsed_program;

void parsed_free(void);

#define OK(...)		args_expect_ok(&parsed_program, ARGS(__VA_ARGS__))
#define ERROR(msg, ...) args_expect_error(&parsed_program, ARGS(__VA_ARGS__), msg)

#endif
