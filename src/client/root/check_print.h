/* SPDX-License-Identifier: BSD-2-Clause */
/* The steps of --check as people and as programs read them. Pure. */
#ifndef DTCP_CLIENT_ROOT_CHECK_PRINT_H
#define DTCP_CLIENT_ROOT_CHECK_PRINT_H

#include "client/msg.h"

#include <stdbool.h>
#include <stdio.h>

/*
 * Root's check of what control says: it is the step next, and its texts have an end. What of them
 * cannot be shown is replaced.
 */
bool check_print_take(struct client_step *step, uint32_t next);

/* One line: result, step, and what is to be said. ticks: with signs in place of words, in UTF-8. */
void check_print_line(FILE *out, const struct client_step *step, bool ticks);

/* One JSON object in a line. */
void check_print_json(FILE *out, const struct client_step *step);

#endif
