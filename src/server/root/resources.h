/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What only root can open, before the server's processes start: as long as somebody may sit at the
 * terminal to read what is wrong.
 */
#ifndef DTCP_SERVER_ROOT_RESOURCES_H
#define DTCP_SERVER_ROOT_RESOURCES_H

#include "netconf/netlink.h"
#include "process/supervisor.h"
#include "server/options.h"
#include "server/root/links.h"

/*
 * Opens the sockets, clears up after a dead instance, makes the shared device, and sends all that
 * to the processes but the listening socket, with which the server is open: returns that, or -1
 * after logging.
 */
int server_resources_open(struct supervisor *supervisor, const struct server_options *options,
			  struct netlink *netlink, struct links *links);

/* Tells forward what it has to know of the settings that can change. */
void server_resources_settings(struct supervisor *supervisor, const struct server_options *options);

/* Tells forward where ICMPv6 errors come from. */
void server_resources_icmp(struct supervisor *supervisor, const struct links *links);

#endif
