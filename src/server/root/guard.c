/* SPDX-License-Identifier: BSD-2-Clause */
#include "server/root/guard.h"

#include "process/daemonize.h"
#include "process/ipc.h"

#include <errno.h>
#include <unistd.h>

void server_guard_run(const struct server_options *options, int root_fd)
{
	pid_t root = ipc_maker(root_fd);
	char nothing;

	/* Nothing is said; only the end counts. */
	while (read(root_fd, &nothing, 1) == -1 && errno == EINTR)
		;
	daemonize_forget(options->pidfile, root);
}
