/* SPDX-License-Identifier: BSD-2-Clause */
/* The steps of --check as text and as JSON. Pure. */
#ifndef DTCP_CLIENT_ROOT_CHECK_PRINT_H
#define DTCP_CLIENT_ROOT_CHECK_PRINT_H

#include "client/msg.h"

#include <stdbool.h>
#include <stdio.h>

/*
 * The root process's check of control's message: it must be the step next, with terminated texts.
 * Unprintable characters in them are replaced.
 */
bool check_print_take(struct client_step *step, uint32_t next);

/* One line: result, step, and text. ticks: with UTF-8 symbols instead of words. */
void check_print_line(FILE *out, const struct client_step *step, bool ticks);

/* One JSON object in a line. */
void check_print_json(FILE *out, const struct client_step *step);

#endif
