/* SPDX-License-Identifier: BSD-2-Clause */
/* dtcps --suggest: a configuration file for this machine. */
#ifndef DTCP_SERVER_ROOT_SUGGEST_H
#define DTCP_SERVER_ROOT_SUGGEST_H

#include "server/root/facts.h"

#include <stdio.h>

/*
 * Writes every setting with what it means, and what is known of this machine. What options say
 * already stays; what is added to them takes effect in options, too.
 */
void suggest(const struct facts *facts, struct server_options *options, FILE *out);

/* All of --suggest. Returns the exit status. */
int server_suggest(struct server_options *options);

#endif
