/* SPDX-License-Identifier: BSD-2-Clause */
/* dtcps --suggest: a configuration file for this machine. */
#ifndef DTCP_SERVER_ROOT_SUGGEST_H
#define DTCP_SERVER_ROOT_SUGGEST_H

#include "server/options.h"

/*
 * Writes every setting with what it means, and what is known of this machine. What options say
 * already stays; what is added to them takes effect in options, too. Returns the exit status.
 */
int server_suggest(struct server_options *options);

#endif
