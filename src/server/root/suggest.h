/* SPDX-License-Identifier: BSD-2-Clause */
/* dtcps --suggest: a configuration file for this machine. */
#ifndef DTCP_SERVER_ROOT_SUGGEST_H
#define DTCP_SERVER_ROOT_SUGGEST_H

#include "server/options.h"

/*
 * Runs --suggest: writes every setting with its meaning, and facts about this machine. Settings in
 * options stay; suggested ones are also set in options. Returns the exit status.
 */
int server_suggest(struct server_options *options);

#endif
