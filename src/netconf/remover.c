/* SPDX-License-Identifier: BSD-2-Clause */
#include "netconf/remover.h"

#include "base/log.h"
#include "netconf/netlink.h"
#include "netconf/program.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

static int remover_run(const unsigned int index[], size_t n)
{
	struct netlink *netlink;
	int error = netlink_open(&netlink);

	if (!error)
		error = netlink_links_delete(netlink, index, n);
	netlink_close(netlink);
	return error ? EXIT_FAILURE : EXIT_SUCCESS;
}

pid_t remover_start(const unsigned int index[], size_t n)
{
	pid_t pid = program_fork();
	int error;

	if (pid == 0) {
		/* Without these copies, channels and devices end with the processes that use them.
		 */
		closefrom(STDERR_FILENO + 1);
		setproctitle("remover");
		_exit(remover_run(index, n));
	}
	error = errno;
	if (pid != -1)
		return pid;
	errno = error;
	log_warn("cannot start a process that removes interfaces");
	return -error;
}
