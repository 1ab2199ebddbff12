/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The daemon's side of its control socket: connections, requests and answers, in a process that has
 * other things to do. Nothing blocks; in a turn of the loop at most one request is handled, or one
 * piece of a long answer made, of all connections together, and only for a reader that keeps up.
 */
#ifndef DTCP_CTL_CTL_H
#define DTCP_CTL_CTL_H

#include "ctl/request.h"

#include <event2/event.h>

/* Connections at once; the last ones of them are root's. */
enum { CTL_CONNECTIONS = 16, CTL_CONNECTIONS_ROOT = 2 };

struct ctl;

/*
 * Answers on fd, a listening socket (ctl/listen.h) that it takes over. commands must stay valid;
 * arg is for all functions that answer. NULL, with fd closed, if memory is short.
 */
struct ctl *ctl_new(struct event_base *base, int fd, const struct ctl_commands *commands,
		    void *arg);

/*
 * Closes all connections, after what is still to be read has gone out, or half a second: who waits
 * for an answer is told that the program ends. NULL is allowed.
 */
void ctl_free(struct ctl *ctl);

/* --- for the functions that answer -------------------------------------------------------- */
/*
 * Each call is answered once, by ctl_ok(), ctl_ok_with(), ctl_fail() or ctl_rows(), or told to
 * wait, before the function returns. Afterwards nothing of ours may keep its address.
 */

/* As ctl_request_text() and ctl_request_number(). */
const char *ctl_text(const struct ctl_call *call, const char *member);
bool ctl_number(const struct ctl_call *call, const char *member, int64_t *number);

/* The command was carried out. more: an object with further members, which it takes over. */
void ctl_ok(struct ctl_call *call);
void ctl_ok_with(struct ctl_call *call, json_t *more);

__attribute__((format(printf, 3, 4))) void ctl_fail(struct ctl_call *call, enum ctl_code code,
						    const char *format, ...);

enum ctl_row {
	CTL_ROW,  /* there is one, to be taken over; NULL: memory is short */
	CTL_LOOK, /* nothing yet; this has cost a little time */
	CTL_END,
};

/*
 * An answer of many rows: next() is asked for one after the other, as the reader takes them, and
 * done() is called at the end, whatever it is, to free state. After next() has said CTL_END, the
 * answer is good.
 */
typedef enum ctl_row (*ctl_next)(void *state, json_t **row, void *arg);
typedef void (*ctl_done)(void *state);
void ctl_rows(struct ctl_call *call, ctl_next next, ctl_done done, void *state);

/*
 * The answer depends on others: resumed() is called when ctl_resume() is, or after ms milliseconds,
 * and answers. If the connection goes first, it is not called any more.
 */
typedef void (*ctl_resumed)(struct ctl_call *call, void *arg);
void ctl_wait(struct ctl_call *call, int64_t ms, ctl_resumed resumed);

/* Goes on with all calls that wait with that function. */
void ctl_resume(struct ctl *ctl, ctl_resumed resumed);

/* --- values --------------------------------------------------------------------------------- */

/* A text, with what is no UTF-8 escaped. */
json_t *ctl_json_text(const char *text);

/* Seconds since 1970 of a time in milliseconds of clock_ms(); seconds of a duration. */
json_t *ctl_json_time(int64_t ms);
json_t *ctl_json_seconds(uint64_t us);

#endif
