/* SPDX-License-Identifier: BSD-2-Clause */
#include "tools/auth_json.h"

#include <inttypes.h>
#include <stdio.h>

static void auth_json_string(const char *text)
{
	(void)putchar('"');
	for (; *text; text++) {
		unsigned char octet = (unsigned char)*text;

		if (octet == '"' || octet == '\\')
			(void)printf("\\%c", octet);
		else if (octet < ' ' || octet == 0x7f)
			(void)printf("\\u%04x", octet);
		else
			(void)putchar(octet);
	}
	(void)putchar('"');
}

/* Writes the separator and the key before a value. */
static void auth_json_begin(struct auth_json *json, const char *key)
{
	if (json->more)
		(void)putchar(',');
	if (key) {
		auth_json_string(key);
		(void)putchar(':');
	}
	json->more = true;
}

void auth_json_open(struct auth_json *json, const char *key, char bracket)
{
	auth_json_begin(json, key);
	if (json->depth == 1 && bracket == '{' && !key)
		(void)putchar('\n');
	(void)putchar(bracket);
	json->depth++;
	json->more = false;
}

void auth_json_close(struct auth_json *json, char bracket)
{
	json->depth--;
	if (json->depth == 0 && bracket == ']' && json->more)
		(void)putchar('\n');
	(void)putchar(bracket);
	if (json->depth == 0)
		(void)putchar('\n');
	json->more = true;
}

void auth_json_text(struct auth_json *json, const char *key, const char *text)
{
	auth_json_begin(json, key);
	if (text)
		auth_json_string(text);
	else
		(void)fputs("null", stdout);
}

void auth_json_bool(struct auth_json *json, const char *key, bool value)
{
	auth_json_begin(json, key);
	(void)fputs(value ? "true" : "false", stdout);
}

void auth_json_number(struct auth_json *json, const char *key, uint64_t value)
{
	auth_json_begin(json, key);
	(void)printf("%" PRIu64, value);
}
