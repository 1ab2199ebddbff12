/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/text.h"

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
