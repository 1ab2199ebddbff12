/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Opens what only root can open, before the server's processes start, while errors can still be
 * reported at the terminal.
 */
#ifndef DTCP_SERVER_ROOT_RESOURCES_H
#define DTCP_SERVER_ROOT_RESOURCES_H

#include "netconf/netlink.h"
#include "process/supervisor.h"
#include "server/options.h"
#include "server/root/links.h"

/*
 * Opens the sockets, removes leftovers of a killed instance, makes the shared device, and sends all
 * of these to the processes except the listening socket, which makes the server reachable: returns
 * that, or -1 after logging.
 */
int server_resources_open(struct supervisor *supervisor, const struct server_options *options,
			  struct netlink *netlink, struct links *links);

/* Sends forward its live settings. */
void server_resources_settings(struct supervisor *supervisor, const struct server_options *options);

/* Sends forward the source of ICMPv6 errors. */
void server_resources_icmp(struct supervisor *supervisor, const struct links *links);

#endif
