/* SPDX-License-Identifier: BSD-2-Clause */
/* Line framing and splitting into words. docs/protocol.md, section 1. */
#ifndef DTCP_PROTO_LINE_H
#define DTCP_PROTO_LINE_H

#include <stdbool.h>
#include <stddef.h>

/* Longest line without its line end. */
#define DTCP_LINE_MAX 512
/* Longest line with its line end and a NUL, for buffers. */
#define DTCP_LINE_SIZE (DTCP_LINE_MAX + 3)
/* Largest number of words in a line: every other byte begins one. */
#define DTCP_WORDS_MAX (DTCP_LINE_MAX / 2)

enum line_status {
	LINE_MORE,     /* no line end yet; wait for more */
	LINE_READY,    /* a line of *len bytes; *used bytes can be dropped from the buffer */
	LINE_TOO_LONG, /* more than DTCP_LINE_MAX bytes before a line end */
	LINE_NUL,      /* a NUL byte inside the line */
};

/*
 * Finds a line (ended by LF or CRLF) at the start of the size bytes at buf, without copying or
 * changing anything. *len and *used are set for LINE_READY only. Errors are reported as soon as the
 * bytes show them, even before the line end has come; after an error the connection must be closed.
 */
enum line_status line_next(const char *buf, size_t size, size_t *len, size_t *used);

/*
 * Splits text in place at runs of spaces and tabs into at most max words; returns the number of
 * words, which can be larger than max (the rest are not stored). Leading and trailing blanks are
 * ignored.
 */
size_t line_split(char *text, char *words[], size_t max);

/* True if each of the len bytes is printable ASCII, space or tab. */
bool line_is_text(const char *line, size_t len);

/*
 * The first word whose name repeats that of an earlier one, in either case; NULL: none. The name of
 * an extension is what comes before '=', or all of it: "udp" and "UDP=4028" repeat each other.
 */
const char *line_repeated_name(char *const words[], size_t count);

#endif
