/* SPDX-License-Identifier: BSD-2-Clause */
#include "server/exclude.h"

#include <stdio.h>
#include <string.h>

#define EXCLUDE_BETWEEN ", \t"

enum prefix_error exclude_next(const char **text, struct prefix6 *out,
			       char word[static PREFIX6_STRLEN])
{
	char full[PREFIX6_STRLEN + 4];
	size_t len;

	*text += strspn(*text, EXCLUDE_BETWEEN);
	len = strcspn(*text, EXCLUDE_BETWEEN);
	(void)snprintf(word, PREFIX6_STRLEN, "%.*s", (int)len, *text);
	*text += len;
	*out = (struct prefix6){.len = 0};
	if (len == 0)
		return PREFIX_OK;
	if (len >= PREFIX6_STRLEN)
		return PREFIX_SYNTAX;
	(void)snprintf(full, sizeof(full), strchr(word, '/') ? "%s" : "%s/128", word);
	return prefix6_parse(full, out);
}
