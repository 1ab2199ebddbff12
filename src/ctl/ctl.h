/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The daemon's side of its control socket: connections, requests and answers, in a process with
 * other duties. Nothing blocks; in a turn of the loop at most one request is handled, or one piece
 * of a long answer made, for all connections together, and only for a reader that keeps up.
 */
#ifndef DTCP_CTL_CTL_H
#define DTCP_CTL_CTL_H

#include "ctl/request.h"

#include <event2/event.h>

/* Largest number of connections; some of them are reserved for root. */
enum { CTL_CONNECTIONS = 16, CTL_CONNECTIONS_ROOT = 2 };

struct ctl;

/*
 * Takes over fd, a listening socket (ctl/listen.h). commands must stay valid; arg is passed to all
 * their functions. NULL, with fd closed, if memory is short.
 */
struct ctl *ctl_new(struct event_base *base, int fd, const struct ctl_commands *commands,
		    void *arg);

/*
 * Closes all connections, after what is still to be read has gone out, or half a second: who waits
 * for an answer is told that the program ends. NULL is allowed.
 */
void ctl_free(struct ctl *ctl);

/* --- for the functions of commands -------------------------------------------------------- */
/*
 * Each call must be answered once, by ctl_ok(), ctl_ok_with(), ctl_fail() or ctl_rows(), or
 * suspended by ctl_wait(), before the function returns. The call must not be used afterwards.
 */

/* As ctl_request_text() and ctl_request_number(). */
const char *ctl_text(const struct ctl_call *call, const char *member);
bool ctl_number(const struct ctl_call *call, const char *member, int64_t *number);

/* Success. more: an object with further members, which is taken over. */
void ctl_ok(struct ctl_call *call);
void ctl_ok_with(struct ctl_call *call, json_t *more);

__attribute__((format(printf, 3, 4))) void ctl_fail(struct ctl_call *call, enum ctl_code code,
						    const char *format, ...);

enum ctl_row {
	CTL_ROW,  /* a row, to be taken over; NULL: memory is short */
	CTL_LOOK, /* no row yet, but this has taken some time */
	CTL_END,
};

/*
 * An answer of many rows: next() is called for each as the reader accepts them, and done() at the
 * end, in any case, to free state. CTL_END completes the answer.
 */
typedef enum ctl_row (*ctl_next)(void *state, json_t **row, void *arg);
typedef void (*ctl_done)(void *state);
void ctl_rows(struct ctl_call *call, ctl_next next, ctl_done done, void *state);

/*
 * Suspends a call that depends on others: resumed() is called after ctl_resume(), or after ms
 * milliseconds, and answers. It is not called if the connection closes first.
 */
typedef void (*ctl_resumed)(struct ctl_call *call, void *arg);
void ctl_wait(struct ctl_call *call, int64_t ms, ctl_resumed resumed);

/* Resumes all calls that wait with that function. */
void ctl_resume(struct ctl *ctl, ctl_resumed resumed);

/* --- values --------------------------------------------------------------------------------- */

/* A string, with invalid UTF-8 escaped. */
json_t *ctl_json_text(const char *text);

/* Seconds since 1970 of a time in milliseconds of clock_ms(); seconds of a duration. */
json_t *ctl_json_time(int64_t ms);
json_t *ctl_json_seconds(uint64_t us);

#endif
