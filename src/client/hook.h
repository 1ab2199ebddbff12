/* SPDX-License-Identifier: BSD-2-Clause */
/* The script's contract: its environment. dtcpclient(8), SCRIPT. */
#ifndef DTCP_CLIENT_HOOK_H
#define DTCP_CLIENT_HOOK_H

#include "client/msg.h"
#include "client/options.h"
#include "monitor/script.h"

/*
 * True where there is a script to run at all: an absent default script is none. Decided when it is
 * asked for the first time, before the power to run one is given up.
 */
bool hook_wanted(const struct client_options *options);

/*
 * Starts the script for the state "up" or "down". user is the DTCP user, interface the name of the
 * tunnel's. As script_start().
 */
struct script *hook_start(struct event_base *base, const struct client_options *options,
			  const char *state, const char *user, const char *interface,
			  const struct client_tunnel *tunnel, script_done done, void *arg);

#endif
