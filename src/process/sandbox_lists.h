/* SPDX-License-Identifier: BSD-2-Clause */
/* The system calls that the processes may make. */
#ifndef DTCP_PROCESS_SANDBOX_LISTS_H
#define DTCP_PROCESS_SANDBOX_LISTS_H

#include "process/sandbox.h"

#include <stdint.h>

/* Largest number of conditions for a call; size of the longest list of names, with its NUL. */
#define SANDBOX_CONDITIONS 3
#define SANDBOX_CALLS_SIZE 128

struct sandbox_condition {
	unsigned int argument; /* counted from 0 */
	uint32_t mask;	       /* 0: no condition */
	uint32_t value;	       /* of the argument, in the bits of the mask */
};

/*
 * Calls to which a rule applies, if all conditions hold. They are named, separated by blanks: their
 * numbers differ between machines, and no machine has all of them.
 */
struct sandbox_rule {
	const char *calls; /* NULL after the last rule of a group */
	struct sandbox_condition conditions[SANDBOX_CONDITIONS];
};

/*
 * The groups of a process, NULL after the last one: the permitted calls; for a resolver, the denied
 * ones.
 */
const struct sandbox_rule *const *sandbox_groups(enum sandbox_kind kind);

/* sandbox_resolver.c */
extern const struct sandbox_rule *const sandbox_resolver[];

#endif
