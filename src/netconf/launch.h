/* SPDX-License-Identifier: BSD-2-Clause */
/* How other programs are started: with all signals as they are for a fresh process. */
#ifndef DTCP_NETCONF_LAUNCH_H
#define DTCP_NETCONF_LAUNCH_H

#include <spawn.h>

/*
 * Makes both ready, to be destroyed with launch_end(). flags are POSIX_SPAWN_ values besides those
 * for signals. Returns 0 or an errno value, and then there is nothing to destroy.
 */
int launch_begin(posix_spawnattr_t *attributes, posix_spawn_file_actions_t *actions, short flags);
void launch_end(posix_spawnattr_t *attributes, posix_spawn_file_actions_t *actions);

#endif
