/* SPDX-License-Identifier: BSD-2-Clause */
#include "server/root/guard.h"

#include "process/daemonize.h"
#include "process/ipc.h"

#include <errno.h>
#include <unistd.h>

void server_guard_run(const struct server_options *options, int monitor_fd)
{
	pid_t monitor = ipc_maker(monitor_fd);
	char nothing;

	/* Monitor says nothing; only the end counts. */
	while (read(monitor_fd, &nothing, 1) == -1 && errno == EINTR)
		;
	daemonize_forget(options->pidfile, monitor);
}
