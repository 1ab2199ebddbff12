/* SPDX-License-Identifier: BSD-2-Clause */
/* Values in a daemon's answer. A path has dots between its members: "sessions.now". */
#ifndef DTCP_TOOLS_CTL_VALUE_H
#define DTCP_TOOLS_CTL_VALUE_H

#include <jansson.h>
#include <stdbool.h>

/* The value, which still belongs to the object; NULL if there is none. */
json_t *ctl_value(const json_t *object, const char *path);

/* A number, or 0; a text, or "". */
double ctl_value_number(const json_t *object, const char *path);
const char *ctl_value_text(const json_t *object, const char *path);

#endif
