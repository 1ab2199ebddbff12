/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/text.h"

#include <stdint.h>
#include <string.h>

static bool text_begins(const char *text, size_t len, const char *mark)
{
	return len >= strlen(mark) && strncmp(text, mark, strlen(mark)) == 0;
}

bool text_has_mark(const char *text, size_t len)
{
	return text_begins(text, len, "\xEF\xBB\xBF");
}

bool text_is_utf16(const char *text, size_t len)
{
	return text_begins(text, len, "\xFF\xFE") || text_begins(text, len, "\xFE\xFF");
}

/* The length of a character in octets, 0 if invalid; *code is its code point. */
static size_t text_character(const unsigned char *text, uint32_t *code)
{
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	size_t len = 1;

	if (text[0] < 0x80) {
		*code = text[0];
		return 1;
	}
	while (len < 5 && text[0] & 0x80 >> len)
		len++;
	if (len < 2 || len > 4)
		return 0;
	*code = text[0] & 0x7fU >> len;
	for (size_t i = 1; i < len; i++) {
		if ((text[i] & 0xc0) != 0x80)
			return 0;
		*code = *code << 6 | (text[i] & 0x3f);
	}
	/* Overlong, a UTF-16 surrogate, or beyond Unicode. */
	if (*code < least[len] || (*code >= 0xd800 && *code <= 0xdfff) || *code > 0x10ffff)
		return 0;
	return len;
}

bool text_is_plain(const char *text)
{
	const unsigned char *at = (const unsigned char *)text;

	while (*at) {
		uint32_t code;
		size_t len = text_character(at, &code);

		if (len == 0 || code < 0x20 || (code >= 0x7f && code < 0xa0))
			return false;
		at += len;
	}
	return true;
}
