/* SPDX-License-Identifier: BSD-2-Clause */
/* Formats values for display: escaped, with units, and within a width. */
#ifndef DTCP_TOOLS_CTL_TEXT_H
#define DTCP_TOOLS_CTL_TEXT_H

#include <stdbool.h>
#include <stddef.h>

/* Size of a number with its unit, a duration or a time. */
#define CTL_TEXT_SIZE 40

/*
 * Escapes a text for display: whatever is not a printable character in this locale is written as *
 * \xHH, octet by octet, so that no user name can control the terminal. It is cut at the end of the
 * * buffer, never within a character. Returns buf.
 */
const char *ctl_text_shown(const char *text, char *buf, size_t size);

/* Octets of the next character of a text; 0: not printable in this locale. */
size_t ctl_text_visible(const char *text);

/* Display width of an escaped text. */
int ctl_text_width(const char *shown);

/* An escaped text, its end replaced by an ellipsis if it is wider than width. */
const char *ctl_text_cut(const char *shown, int width, char *buf, size_t size);

/*
 * Where to break an escaped text: octets of the longest beginning that ends before a blank and has
 * at most width columns; if there is none, up to the first blank. All of it, if it fits.
 */
size_t ctl_text_fold(const char *shown, int width);

/* "0 B", "1023 B", "1.5 KiB", "99.9 GiB": eight columns at most, up to 1023 EiB. */
const char *ctl_text_octets(double octets, char buf[static CTL_TEXT_SIZE]);

/* "1.5 KiB/s". */
const char *ctl_text_rate(double octets, char buf[static CTL_TEXT_SIZE]);

/* "12", "123456789"; larger numbers as "2^64" or "1.8e+19". */
const char *ctl_text_count(double count, char buf[static CTL_TEXT_SIZE]);

/* The plural ending of a noun for that count: "s", or "" for one. */
const char *ctl_text_plural(double count);

/* "12s", "5m 6s", "4h 5m", "3d 4h": the two largest units. */
const char *ctl_text_duration(double seconds, char buf[static CTL_TEXT_SIZE]);

/* "0.15 ms", "12.3 ms", "1.23 s". */
const char *ctl_text_moment(double seconds, char buf[static CTL_TEXT_SIZE]);

/* "2026-11-30 14:05:12", in the local time zone. */
const char *ctl_text_time(double time, char buf[static CTL_TEXT_SIZE]);

/* Parses "30s", "10m", "2h", "1d" or a plain number of seconds, up to 30 days. */
bool ctl_text_seconds(const char *text, long *seconds);

#endif
