/* SPDX-License-Identifier: BSD-2-Clause */
/* Macros for the tables of sandbox_lists.h. */
#ifndef DTCP_PROCESS_SANDBOX_RULES_H
#define DTCP_PROCESS_SANDBOX_RULES_H

#include "process/sandbox_lists.h"

/* ARG(number, bits, value); ALL: all bits that the kernel compares. */
#define ALL UINT32_MAX
#define ARG(n, m, v)                                                                               \
	{                                                                                          \
		.argument = (n), .mask = (uint32_t)(m), .value = (uint32_t)(v)                     \
	}
#define CALL(names)                                                                                \
	{                                                                                          \
		.calls = (names)                                                                   \
	}
#define CALL_IF(names, ...)                                                                        \
	{                                                                                          \
		.calls = (names), .conditions = { __VA_ARGS__ }                                    \
	}
#define SANDBOX_END CALL(NULL)

#endif
