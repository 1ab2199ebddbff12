/* SPDX-License-Identifier: BSD-2-Clause */
/* Which system calls the processes may make. */
#ifndef DTCP_PROCESS_SANDBOX_LISTS_H
#define DTCP_PROCESS_SANDBOX_LISTS_H

#include "process/sandbox.h"

#include <stdint.h>

/* Most conditions on the arguments of one call. */
#define SANDBOX_CONDITIONS 3

struct sandbox_condition {
	unsigned int argument; /* counted from 0 */
	uint32_t mask;	       /* 0: there is no condition here */
	uint32_t value;	       /* what the argument must be, in the bits of the mask */
};

/* A call that is meant, if all conditions hold. By its name: machines have different numbers. */
struct sandbox_rule {
	const char *call;
	struct sandbox_condition conditions[SANDBOX_CONDITIONS];
};

/* Rules for one purpose. */
struct sandbox_group {
	const char *name;
	const struct sandbox_rule *rules;
	size_t n_rules;
};

/* The groups of a process, NULL behind the last one: what it may do; a resolver's, what it may not.
 */
const struct sandbox_group *const *sandbox_groups(enum sandbox_kind kind);

/* sandbox_resolver.c */
extern const struct sandbox_group *const sandbox_resolver[];

#endif
