/* SPDX-License-Identifier: BSD-2-Clause */
/* What an administrator does beside us. */
#ifndef DTCP_TESTS_UNIT_NETCONF_BY_HAND_H
#define DTCP_TESTS_UNIT_NETCONF_BY_HAND_H

#include "netconf/netlink.h"

/* Makes a route; type is an RTN_ value, attribute an RTA_ that has a number. */
void by_hand_route(struct netlink *netlink, const struct prefix6 *to, uint8_t type,
		   uint16_t attribute, uint32_t value);

#endif
