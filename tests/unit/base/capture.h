/* SPDX-License-Identifier: BSD-2-Clause */
/* What a function writes to standard error or standard output, as text. */
#ifndef DTCP_TESTS_UNIT_BASE_CAPTURE_H
#define DTCP_TESTS_UNIT_BASE_CAPTURE_H

/*
 * From here to capture_end() what goes to fd (STDERR_FILENO, STDOUT_FILENO) is kept. Assert nothing
 * in between: the message of a failure would be kept as well.
 */
void capture_begin(int fd);

/* What was written; valid until the next call. */
const char *capture_end(void);

/* How many descriptors this process has open. */
unsigned int capture_count_fds(void);

#endif
