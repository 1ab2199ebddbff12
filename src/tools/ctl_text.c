/* SPDX-License-Identifier: BSD-2-Clause */
#include "tools/ctl_text.h"

#include <langinfo.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <wchar.h>
#include <wctype.h>

/*
 * Returns the octets of the next character, and its columns; 0: not printable. Characters without a
 * width change those around them, or the text's direction.
 */
static size_t ctl_text_next(const char *text, int *columns)
{
	mbstate_t state;
	wchar_t wide;
	size_t len;

	*columns = 1;
	/* The common case. */
	if (*text >= ' ' && *text <= '~')
		return 1;
	memset(&state, 0, sizeof(state));
	len = mbrtowc(&wide, text, strlen(text), &state);
	if (len == 0 || len > strlen(text) || !iswprint((wint_t)wide))
		return 0;
	*columns = wcwidth(wide);
	return *columns > 0 ? len : 0;
}

size_t ctl_text_visible(const char *text)
{
	int columns;

	return ctl_text_next(text, &columns);
}

const char *ctl_text_shown(const char *text, char *buf, size_t size)
{
	static const char hex[] = "0123456789abcdef";
	size_t out = 0;
	int columns;

	while (*text) {
		size_t len = ctl_text_next(text, &columns);

		if (out + (len ? len : 4) >= size)
			break;
		if (len) {
			memcpy(buf + out, text, len);
			out += len;
			text += len;
			continue;
		}
		buf[out++] = '\\';
		buf[out++] = 'x';
		buf[out++] = hex[(unsigned char)*text >> 4];
		buf[out++] = hex[(unsigned char)*text & 15];
		text++;
	}
	buf[out] = '\0';
	return buf;
}

int ctl_text_width(const char *shown)
{
	int columns, width = 0;

	while (*shown) {
		size_t len = ctl_text_next(shown, &columns);

		width += len ? columns : 1;
		shown += len ? len : 1;
	}
	return width;
}

/* One column wide. */
static const char *ctl_text_more(void)
{
	return strcmp(nl_langinfo(CODESET), "UTF-8") == 0 ? "…" : "~";
}

const char *ctl_text_cut(const char *shown, int width, char *buf, size_t size)
{
	const char *more = ctl_text_more();
	size_t out = 0;
	int columns;

	if (ctl_text_width(shown) <= width) {
		(void)snprintf(buf, size, "%s", shown);
		return buf;
	}
	for (width--; *shown; width -= columns) {
		size_t len = ctl_text_next(shown, &columns);

		if (len == 0) {
			len = 1;
			columns = 1;
		}
		if (columns > width || out + len + strlen(more) >= size)
			break;
		memcpy(buf + out, shown, len);
		out += len;
		shown += len;
	}
	(void)snprintf(buf + out, size - out, "%s", width < 0 ? "" : more);
	return buf;
}

size_t ctl_text_fold(const char *shown, int width)
{
	size_t at = 0, end = 0;
	int columns;

	while (shown[at] && (width >= 0 || end == 0)) {
		size_t len = ctl_text_next(shown + at, &columns);

		if (shown[at] == ' ')
			end = at;
		at += len ? len : 1;
		width -= len ? columns : 1;
	}
	return width < 0 && end > 0 ? end : at;
}

const char *ctl_text_octets(double octets, char buf[static CTL_TEXT_SIZE])
{
	static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
	size_t unit = 0;

	/* What rounds up to 1024 is 1.0 of the next unit. */
	while (octets >= 1023.5 && unit + 1 < sizeof(units) / sizeof(units[0])) {
		octets /= 1024;
		unit++;
	}
	(void)snprintf(buf, CTL_TEXT_SIZE, "%.*f %s", unit > 0 && octets < 99.95 ? 1 : 0, octets,
		       units[unit]);
	return buf;
}

const char *ctl_text_rate(double octets, char buf[static CTL_TEXT_SIZE])
{
	char text[CTL_TEXT_SIZE];

	(void)snprintf(buf, CTL_TEXT_SIZE, "%.30s/s", ctl_text_octets(octets, text));
	return buf;
}

const char *ctl_text_count(double count, char buf[static CTL_TEXT_SIZE])
{
	double bits = count > 0 ? log2(count) : 0;

	if (count < 1e15)
		(void)snprintf(buf, CTL_TEXT_SIZE, "%.0f", count);
	else if (fabs(bits - round(bits)) < 1e-9)
		(void)snprintf(buf, CTL_TEXT_SIZE, "2^%.0f", round(bits));
	else
		(void)snprintf(buf, CTL_TEXT_SIZE, "%.1e", count);
	return buf;
}

const char *ctl_text_plural(double count)
{
	return fabs(count - 1) < 0.5 ? "" : "s";
}

const char *ctl_text_duration(double seconds, char buf[static CTL_TEXT_SIZE])
{
	/* Negative if the clock was set in between. */
	uint64_t s = seconds > 0 && seconds < 1e15 ? (uint64_t)seconds : 0;

	if (s < 60)
		(void)snprintf(buf, CTL_TEXT_SIZE, "%us", (unsigned)s);
	else if (s < 3600)
		(void)snprintf(buf, CTL_TEXT_SIZE, "%um %us", (unsigned)(s / 60),
			       (unsigned)(s % 60));
	else if (s < 86400)
		(void)snprintf(buf, CTL_TEXT_SIZE, "%uh %um", (unsigned)(s / 3600),
			       (unsigned)(s / 60 % 60));
	else
		(void)snprintf(buf, CTL_TEXT_SIZE, "%jud %uh", (uintmax_t)(s / 86400),
			       (unsigned)(s / 3600 % 24));
	return buf;
}

const char *ctl_text_moment(double seconds, char buf[static CTL_TEXT_SIZE])
{
	double ms = 1000 * seconds;

	if (ms < 1000)
		(void)snprintf(buf, CTL_TEXT_SIZE, "%.*f ms", ms < 10 ? 2 : 1, ms);
	else
		(void)snprintf(buf, CTL_TEXT_SIZE, "%.2f s", seconds);
	return buf;
}

const char *ctl_text_time(double time, char buf[static CTL_TEXT_SIZE])
{
	struct tm tm;
	time_t when = fabs(time) < 1e15 ? (time_t)time : 0;

	if (!localtime_r(&when, &tm) || !strftime(buf, CTL_TEXT_SIZE, "%Y-%m-%d %H:%M:%S", &tm))
		(void)snprintf(buf, CTL_TEXT_SIZE, "?");
	return buf;
}

bool ctl_text_seconds(const char *text, long *seconds)
{
	static const struct {
		char letter;
		long seconds;
	} units[] = {{'s', 1}, {'m', 60}, {'h', 3600}, {'d', 86400}, {'\0', 1}};
	const long longest = 30 * 86400L;
	long number = 0;
	size_t unit = 0;

	if (*text < '0' || *text > '9')
		return false;
	for (; *text >= '0' && *text <= '9'; text++) {
		number = 10 * number + (*text - '0');
		if (number > longest)
			return false;
	}
	while (units[unit].letter && units[unit].letter != *text)
		unit++;
	if (*text && (units[unit].letter != *text || text[1]))
		return false;
	*seconds = number * units[unit].seconds;
	return *seconds <= longest;
}
