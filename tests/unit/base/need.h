/* SPDX-License-Identifier: BSD-2-Clause */
/* What a test needs and not every system allows. */
#ifndef DTCP_TESTS_UNIT_BASE_NEED_H
#define DTCP_TESTS_UNIT_BASE_NEED_H

#include <stdbool.h>

/*
 * Fails the test where what it needs is not there: one that is left out must not look like one that
 * has passed. Who knows better sets DTCP_TESTS_MAY_SKIP=1, and the test is skipped.
 */
void need(bool there, const char *what);

#endif
