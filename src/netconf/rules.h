/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Routing by source: packets from a prefix leave through the interface that it belongs to, whatever
 * other default routes there are. Each such interface has a routing table of its own, with one
 * default route, and for each of its prefixes two rules: routes of the main table that are more
 * specific than those to the Internet as a whole come first, unless they lead into another tunnel;
 * then the table decides. Tables and rules carry our protocol number.
 */
#ifndef DTCP_NETCONF_RULES_H
#define DTCP_NETCONF_RULES_H

#include "netconf/netlink.h"

/* Numbers that rules_claim() chooses from. */
#define RULES_TABLE_FIRST 22000
#define RULES_TABLES	  1000

/* The kernel's own. */
#define RULES_TABLE_DEFAULT 253
#define RULES_TABLE_MAIN    254
#define RULES_TABLE_LOCAL   255

/* The group of interfaces that tunnels are in. */
#define RULES_GROUP 22000

/*
 * Puts the interface into the group of tunnels and a default route through it into a table: the
 * one that is wanted, or, with 0, one that nobody uses. Returns 0 and the table's number; -EEXIST
 * where the wanted one has a default route; or another -errno. Failures have been logged.
 */
int rules_claim(struct netlink *netlink, unsigned int index, uint32_t wanted, uint32_t *table);

/*
 * Adds what is not there: the route of rules_claim(), or the rules for a prefix. Return 1 if
 * something was not there, 0 if all was, or -errno after logging.
 */
int rules_route_ensure(struct netlink *netlink, unsigned int index, uint32_t table);
int rules_ensure(struct netlink *netlink, const struct prefix6 *from, uint32_t table);

/* Removes the rules for a prefix; no error if there are none. Returns 0 or -errno. */
int rules_delete(struct netlink *netlink, const struct prefix6 *from);

/*
 * Removes our rules whose table is empty: its interface has gone, and nobody has cleared up behind
 * it. Returns how many prefixes they were for, or -errno.
 */
int rules_sweep(struct netlink *netlink);

#endif
