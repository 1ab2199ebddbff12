/* SPDX-License-Identifier: BSD-2-Clause */
/* The user's choice of whether the kernel carries packets. */
#ifndef DTCP_FASTPATH_CHOICE_H
#define DTCP_FASTPATH_CHOICE_H

#include <stdbool.h>

enum fast_choice { FAST_AUTO, FAST_ON, FAST_OFF };

/* "auto", "on" or "off"; false for any other word. */
bool fast_choice_parse(const char *word, enum fast_choice *out);
const char *fast_choice_name(enum fast_choice choice);

#endif
