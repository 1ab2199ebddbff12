/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Routing by source: packets from a prefix leave through the interface that it belongs to, whatever
 * other default routes exist. Each such interface has a routing table of its own, with one default
 * route, and for each of its prefixes two rules: first, routes of the main table apply if they are
 * more specific than those to the whole Internet and do not lead into another tunnel; then the
 * table decides. Tables and rules carry our protocol number.
 */
#ifndef DTCP_NETCONF_RULES_H
#define DTCP_NETCONF_RULES_H

#include "netconf/netlink.h"

/* Table numbers that rules_claim() chooses from. */
#define RULES_TABLE_FIRST 22000
#define RULES_TABLES	  1000

/* The kernel's own tables. */
#define RULES_TABLE_DEFAULT 253
#define RULES_TABLE_MAIN    254
#define RULES_TABLE_LOCAL   255

/* The interface group of tunnels. */
#define RULES_GROUP 22000

/*
 * Puts the interface into the group of tunnels, and a default route through it into a table: the
 * wanted one, or, with 0, an unused one. Returns 0 and the table's number; -EEXIST if the wanted
 * one has a default route; or another -errno. Failures have been logged.
 */
int rules_claim(struct netlink *netlink, unsigned int index, uint32_t wanted, uint32_t *table);

/*
 * Adds what is missing: the route of rules_claim(), or the rules for a prefix. Returns 1 if
 * something was missing, 0 if nothing was, or -errno after logging.
 */
int rules_route_ensure(struct netlink *netlink, unsigned int index, uint32_t table);
int rules_ensure(struct netlink *netlink, const struct prefix6 *from, uint32_t table);

/* Removes the rules for a prefix; no error if there are none. Returns 0 or -errno. */
int rules_delete(struct netlink *netlink, const struct prefix6 *from);

/*
 * Removes our rules whose table is empty, since its interface is gone: leftovers. Returns the
 * number of prefixes they were for, or -errno.
 */
int rules_sweep(struct netlink *netlink);

#endif
