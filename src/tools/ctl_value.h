/* SPDX-License-Identifier: BSD-2-Clause */
/* Values of what a daemon said. A path has a dot before each further member: "sessions.now". */
#ifndef DTCP_TOOLS_CTL_VALUE_H
#define DTCP_TOOLS_CTL_VALUE_H

#include <jansson.h>
#include <stdbool.h>

/* The value, which stays the object's; NULL if there is none. */
json_t *ctl_value(const json_t *object, const char *path);

/* A number, and 0 if there is none; a text, and "" if there is none. */
double ctl_value_number(const json_t *object, const char *path);
const char *ctl_value_text(const json_t *object, const char *path);

#endif
