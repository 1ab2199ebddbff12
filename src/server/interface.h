/* SPDX-License-Identifier: BSD-2-Clause */
/* The TUN device that all host and network tunnels share. Root's side. */
#ifndef DTCP_SERVER_INTERFACE_H
#define DTCP_SERVER_INTERFACE_H

#include "monitor/netlink.h"
#include "server/options.h"

/* Marks the server's interfaces. */
#define INTERFACE_ALIAS "dtcps"

/* Metric of the routes to it. */
#define INTERFACE_METRIC 1024

/*
 * Makes it, with the server's own addresses and the routes of the pools. Returns its descriptor,
 * or -errno after logging: then it is gone again. *icmp_source is where ICMPv6 errors come from,
 * all zero if the machine has no address for that.
 */
int interface_make(const struct server_options *options, struct netlink *netlink,
		   unsigned int *index, struct in6_addr *icmp_source);

/* Warns where the kernel does not forward IPv6. */
void interface_check_forwarding(void);

#endif
