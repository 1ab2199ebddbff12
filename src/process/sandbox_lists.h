/* SPDX-License-Identifier: BSD-2-Clause */
/* Which system calls the processes may make. */
#ifndef DTCP_PROCESS_SANDBOX_LISTS_H
#define DTCP_PROCESS_SANDBOX_LISTS_H

#include "process/sandbox.h"

#include <stdint.h>

/* Most conditions on the arguments of a call; and the longest list of names with its NUL. */
#define SANDBOX_CONDITIONS 3
#define SANDBOX_CALLS_SIZE 128

struct sandbox_condition {
	unsigned int argument; /* counted from 0 */
	uint32_t mask;	       /* 0: there is no condition here */
	uint32_t value;	       /* what the argument must be, in the bits of the mask */
};

/* Calls that are meant, if all conditions hold. By their names, with a blank in between: machines
 * have different numbers, and each has some of them only. */
struct sandbox_rule {
	const char *calls; /* NULL behind the last rule of a group with one purpose */
	struct sandbox_condition conditions[SANDBOX_CONDITIONS];
};

/* The groups of a process, NULL behind the last one: what it may do; a resolver's, what it may not.
 */
const struct sandbox_rule *const *sandbox_groups(enum sandbox_kind kind);

/* sandbox_resolver.c */
extern const struct sandbox_rule *const sandbox_resolver[];

#endif
