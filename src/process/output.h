/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What children say: the end of a pipe that root's process reads, each line of it a line in the
 * log. It is theirs and not to be trusted: what cannot be shown is escaped, what is too long is
 * cut, and what is not the exact form of a record is a text.
 */
#ifndef DTCP_PROCESS_OUTPUT_H
#define DTCP_PROCESS_OUTPUT_H

#include <event2/event.h>
#include <stdbool.h>

struct output;

/*
 * Makes the pipe; *writer is the child's end, close-on-exec and blocking. name stands before each
 * line and is copied; process: a line can be a record (log_to_root()). NULL if memory or
 * descriptors are short: *writer is -1 then.
 */
struct output *output_new(struct event_base *base, const char *name, bool process, int *writer);

/* Logs what has been written by now, also a last line without an end. */
void output_drain(struct output *output);

/* Closes it; what has not been read is lost. NULL is allowed. */
void output_free(struct output *output);

/* It goes on by itself until nobody can write to it any more, and then is freed. */
void output_let_go(struct output *output);

#endif
