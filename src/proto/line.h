/* SPDX-License-Identifier: BSD-2-Clause */
/* Line framing: where a line ends, and its words. docs/protocol.md, section 1. */
#ifndef DTCP_PROTO_LINE_H
#define DTCP_PROTO_LINE_H

#include <stdbool.h>
#include <stddef.h>

/* Longest line without its line end. */
#define DTCP_LINE_MAX 512
/* Longest line with its line end and a NUL, for buffers. */
#define DTCP_LINE_SIZE (DTCP_LINE_MAX + 3)
/* Most words that a line can have: every other byte begins one. */
#define DTCP_WORDS_MAX (DTCP_LINE_MAX / 2)

enum line_status {
	LINE_MORE,     /* no line end yet; wait for more */
	LINE_READY,    /* a line of *len bytes; *used bytes can be dropped from the buffer */
	LINE_TOO_LONG, /* more than DTCP_LINE_MAX bytes before a line end */
	LINE_NUL,      /* a NUL byte inside the line */
};

/*
 * Looks for one line (ended by LF or CRLF) at the start of the size bytes at buf. Nothing is
 * copied or changed. *len and *used are set with LINE_READY only. Errors are reported as soon as
 * the bytes show them, also before the line end has come; after one the connection is to close.
 */
enum line_status line_next(const char *buf, size_t size, size_t *len, size_t *used);

/*
 * Splits text in place at runs of spaces and tabs into at most max words; returns how many words
 * there are, which can be more than max (those beyond it are not stored). Leading and trailing
 * blanks are ignored.
 */
size_t line_split(char *text, char *words[], size_t max);

/* True if each of the len bytes is printable ASCII, space or tab. */
bool line_is_text(const char *line, size_t len);

/*
 * The first word with the name of an earlier one, in either case; NULL for none. The name of an
 * extension is what comes before '=', or all of it: "udp" and "UDP=4028" repeat each other.
 */
const char *line_repeated_name(char *const words[], size_t count);

#endif
