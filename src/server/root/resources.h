/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What only root can open, before the server's processes start: as long as somebody may sit at the
 * terminal to read what is wrong.
 */
#ifndef DTCP_SERVER_ROOT_RESOURCES_H
#define DTCP_SERVER_ROOT_RESOURCES_H

#include "forward/msg.h"
#include "netconf/netlink.h"
#include "process/supervisor.h"
#include "server/options.h"
#include "server/root/links.h"

#include <stdbool.h>

/*
 * Listens, opens the sockets, clears up after a dead instance, makes the shared device, and keeps
 * all for the processes, the listening socket last: with it the server is open. False after
 * logging.
 */
bool server_resources_open(struct supervisor *supervisor, const struct server_options *options,
			   struct netlink *netlink, struct links *links);

/* What forward has to know of the settings that can change. */
struct forward_settings server_resources_settings(const struct server_options *options);

#endif
