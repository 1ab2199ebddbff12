/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Output of children: the reading end of a pipe, each line of which becomes a line in the log of
 * the root process. The lines are not trusted: unprintable characters are escaped, long lines are
 * cut, and a line that does not have the exact form of a record is logged as text.
 */
#ifndef DTCP_PROCESS_OUTPUT_H
#define DTCP_PROCESS_OUTPUT_H

#include <event2/event.h>
#include <stdbool.h>

struct output;

/*
 * Makes the pipe; *writer is the child's end, close-on-exec and blocking. name is logged in front
 * of each line, and is copied. process: a line can be a record (log_to_root()). NULL if memory or
 * descriptors are short; *writer is -1 then.
 */
struct output *output_new(struct event_base *base, const char *name, bool process, int *writer);

/* Logs what has been written so far, including a last line without a newline. */
void output_drain(struct output *output);

/* Closes the pipe; unread output is lost. NULL is allowed. */
void output_free(struct output *output);

/*
 * Detaches the output: it continues by itself until all writers have closed the pipe, and then
 * frees itself.
 */
void output_let_go(struct output *output);

#endif
