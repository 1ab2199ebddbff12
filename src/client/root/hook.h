/* SPDX-License-Identifier: BSD-2-Clause */
/* The hook script and its environment. dtcpclient(8), SCRIPT. */
#ifndef DTCP_CLIENT_ROOT_HOOK_H
#define DTCP_CLIENT_ROOT_HOOK_H

#include "client/msg.h"
#include "client/options.h"
#include "netconf/script.h"

/*
 * True if there is a script to run: not if the default script does not exist. Decided at the first
 * call, before the privileges to run one are given up.
 */
bool hook_wanted(const struct client_options *options);

/*
 * Finds the script: the path of the first word of -s, which is searched for in PATH if it has no
 * slash; otherwise the default script, whether it exists or not. Called once, at the start, so that
 * the same file is run each time, whatever happens to PATH. False after logging why the script of
 * -s cannot be run.
 */
bool hook_find(const struct client_options *options, char path[static CLIENT_SCRIPT_SIZE]);

/*
 * Starts told->script with the arguments of -s for the state "up" or "down", with the values in
 * told. As script_start().
 */
struct script *hook_start(struct event_base *base, const struct client_options *options,
			  const char *state, const struct client_guard *told, script_done done,
			  void *arg);

#endif
