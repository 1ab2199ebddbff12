/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Memory that runs out. The linker leads the allocations of our code here (--wrap), and libcrypto,
 * SQLite and libevent are told to come here as well. One allocation fails, the n-th that the
 * thread makes which asked for it; for n from 1 on until the scenario gets through without.
 */
#ifndef DTCP_TESTS_UNIT_ALLOC_H
#define DTCP_TESTS_UNIT_ALLOC_H

#include <stdbool.h>
#include <stddef.h>

/*
 * To be called first in main(), before any of the libraries allocates. libevent is left alone
 * unless it is wanted: its bufferevents do not look at their own allocations (2.1.12).
 */
void alloc_install(bool with_libevent);

/* From now on, in this thread: the n-th allocation fails, 0 for none. */
void alloc_fail(unsigned long n);

/* True where one has failed since. */
bool alloc_failed(void);

/*
 * Runs the scenario for each n. It is to arm alloc_fail(n) itself, at the right moment and in the
 * right thread, and returns what alloc_failed() said there.
 */
void alloc_each(bool (*scenario)(unsigned long n));

#endif
