/* SPDX-License-Identifier: BSD-2-Clause */
/* What the settings say of the TUN devices, above all of the one that most sessions share. */
#ifndef DTCP_SERVER_ROOT_INTERFACE_H
#define DTCP_SERVER_ROOT_INTERFACE_H

#include "netconf/kept.h"
#include "netconf/netlink.h"
#include "server/options.h"

/* Marks the server's interfaces. */
#define INTERFACE_ALIAS "dtcps"

/* Metric of the routes to it. */
#define INTERFACE_METRIC 1024

/*
 * Sees that the server's own addresses and the routes of the pools are there, on the shared device
 * with that index.
 */
void interface_mend(const struct server_options *options, struct netlink *netlink,
		    unsigned int index, struct kept_mending *mending);

/* Where ICMPv6 errors come from, all zero if the machine has no address for that. */
struct in6_addr interface_icmp_source(const struct server_options *options);

/* Warns where the kernel does not forward IPv6. */
void interface_check_forwarding(void);

#endif
