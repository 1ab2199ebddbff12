/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DTCP_TESTS_UNIT_PROTO_EXACT_H
#define DTCP_TESTS_UNIT_PROTO_EXACT_H

#include <stddef.h>

/* Elements of an array. */
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/*
 * A copy of len bytes on the heap with nothing behind it, not even a NUL, so that the sanitizers
 * see a read past the end. To be freed by the caller.
 */
char *exact_copy(const void *bytes, size_t len);

/* A string of count times c, to be freed by the caller. */
char *exact_fill(char c, size_t count);

#endif
