/* SPDX-License-Identifier: BSD-2-Clause */
/* The script's contract: its environment. dtcpclient(8), SCRIPT. */
#ifndef DTCP_CLIENT_ROOT_HOOK_H
#define DTCP_CLIENT_ROOT_HOOK_H

#include "client/msg.h"
#include "client/options.h"
#include "netconf/script.h"

/*
 * True if there is a script to run at all: an absent default script is none. Decided when it is
 * asked for the first time, before the power to run one is given up.
 */
bool hook_wanted(const struct client_options *options);

/*
 * Finds the script: the path of the first word of -s, which is looked up in PATH if it has no
 * slash, else the default script, there or not. Done once, at the start, so that whatever becomes
 * of PATH the same file is run each time. False after logging why the one of -s cannot be run.
 */
bool hook_find(const struct client_options *options, char path[static CLIENT_SCRIPT_SIZE]);

/*
 * Starts told->script with the arguments of -s for the state "up" or "down"; what it is told is in
 * told. As script_start().
 */
struct script *hook_start(struct event_base *base, const struct client_options *options,
			  const char *state, const struct client_guard *told, script_done done,
			  void *arg);

#endif
