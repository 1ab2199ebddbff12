/* SPDX-License-Identifier: BSD-2-Clause */
/* Writes JSON (RFC 8259) to standard output, with a line for each object of a list. */
#ifndef DTCP_TOOLS_AUTH_JSON_H
#define DTCP_TOOLS_AUTH_JSON_H

#include <stdbool.h>
#include <stdint.h>

/* Zero at first. */
struct auth_json {
	unsigned int depth;
	bool more; /* a comma comes before the next value */
};

/* key is NULL in a list, and at the top level. */
void auth_json_open(struct auth_json *json, const char *key, char bracket);
void auth_json_close(struct auth_json *json, char bracket);

/* A NULL text is written as null. */
void auth_json_text(struct auth_json *json, const char *key, const char *text);
void auth_json_bool(struct auth_json *json, const char *key, bool value);
void auth_json_number(struct auth_json *json, const char *key, uint64_t value);

#endif
