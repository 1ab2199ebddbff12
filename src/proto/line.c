/* SPDX-License-Identifier: BSD-2-Clause */
#include "proto/line.h"

#include <string.h>
#include <strings.h>

#define BLANKS " \t"

enum line_status line_next(const char *buf, size_t size, size_t *len, size_t *used)
{
	/*
	 * Byte by byte and in order, so that the result never depends on how the stream was split.
	 * The loop ends at the latest with the second byte beyond the longest line.
	 */
	for (size_t i = 0; i < size; i++) {
		if (buf[i] == '\n') {
			*len = i > 0 && buf[i - 1] == '\r' ? i - 1 : i;
			*used = i + 1;
			return LINE_READY;
		}
		/* Just past the longest line, a CR may still be half of its end. */
		if (i > DTCP_LINE_MAX || (i == DTCP_LINE_MAX && buf[i] != '\r'))
			return LINE_TOO_LONG;
		if (buf[i] == '\0')
			return LINE_NUL;
	}
	return LINE_MORE;
}

size_t line_split(char *text, char *words[], size_t max)
{
	size_t count = 0;

	for (;;) {
		text += strspn(text, BLANKS);
		if (*text == '\0')
			return count;
		if (count < max)
			words[count] = text;
		count++;
		text += strcspn(text, BLANKS);
		if (*text != '\0')
			*text++ = '\0';
	}
}

bool line_is_text(const char *line, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if ((line[i] < ' ' || line[i] > '~') && line[i] != '\t')
			return false;
	}
	return true;
}

const char *line_repeated_name(char *const words[], size_t count)
{
	for (size_t i = 1; i < count; i++) {
		size_t len = strcspn(words[i], "=");

		for (size_t j = 0; j < i; j++) {
			if (strcspn(words[j], "=") == len &&
			    strncasecmp(words[i], words[j], len) == 0)
				return words[i];
		}
	}
	return NULL;
}
