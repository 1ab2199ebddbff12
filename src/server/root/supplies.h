/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What only root can open, before the server's rooms start: as long as somebody may sit at the
 * terminal to read what is wrong.
 */
#ifndef DTCP_SERVER_ROOT_SUPPLIES_H
#define DTCP_SERVER_ROOT_SUPPLIES_H

#include "netconf/netlink.h"
#include "server/options.h"
#include "server/root/links.h"

#include <netinet/in.h>
#include <stdbool.h>

/* Descriptors for the rooms, -1 where there are none; whoever hands one over sets it so. */
struct supplies {
	int tun;
	int raw;
	int udp;
	int listener;
	int counters;
	int counters_reader;
	int routes; /* to ask the kernel for routes with */
	struct in6_addr icmp_source;
};

/*
 * Listens, opens the sockets, clears up after a dead instance, and makes the shared device. False
 * after logging; supplies_close() is needed in any case.
 */
bool supplies_open(struct supplies *supplies, const struct server_options *options,
		   struct netlink *netlink, struct links *links);

void supplies_close(const struct supplies *supplies);

#endif
