/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/web/said.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

json_t *said_json(const char *text)
{
	char *copy = strdup(text);
	json_t *json;

	assert_non_null(copy);
	for (char *c = copy; *c; c++)
		*c = *c == '\'' ? '"' : *c;
	json = json_loads(copy, JSON_REJECT_DUPLICATES, NULL);
	free(copy);
	assert_non_null(json);
	return json;
}

const char *said_text(struct evbuffer *buffer)
{
	static char text[65536];
	size_t len = evbuffer_get_length(buffer);

	assert_true(len < sizeof(text));
	assert_int_equal(evbuffer_remove(buffer, text, len), len);
	text[len] = '\0';
	return text;
}

void said_expect(const char *text, const char *part, unsigned int times)
{
	unsigned int found = 0;

	for (const char *at = text; (at = strstr(at, part)); at += strlen(part))
		found++;
	if (found != times)
		fail_msg("%u times, not %u: %s\nin: %s", found, times, part, text);
}
