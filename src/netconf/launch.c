/* SPDX-License-Identifier: BSD-2-Clause */
#include "netconf/launch.h"

#include <signal.h>

int launch_begin(posix_spawnattr_t *attributes, posix_spawn_file_actions_t *actions, short flags)
{
	sigset_t all;
	sigset_t none;
	int error = posix_spawnattr_init(attributes);

	if (error)
		return error;
	error = posix_spawn_file_actions_init(actions);
	if (error) {
		(void)posix_spawnattr_destroy(attributes);
		return error;
	}
	sigfillset(&all);
	sigemptyset(&none);
	(void)posix_spawnattr_setsigdefault(attributes, &all);
	(void)posix_spawnattr_setsigmask(attributes, &none);
	(void)posix_spawnattr_setpgroup(attributes, 0);
	error = posix_spawnattr_setflags(
		attributes, (short)(POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK | flags));
	if (error)
		launch_end(attributes, actions);
	return error;
}

void launch_end(posix_spawnattr_t *attributes, posix_spawn_file_actions_t *actions)
{
	(void)posix_spawn_file_actions_destroy(actions);
	(void)posix_spawnattr_destroy(attributes);
}
