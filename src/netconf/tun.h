/* SPDX-License-Identifier: BSD-2-Clause */
/* TUN devices. */
#ifndef DTCP_NETCONF_TUN_H
#define DTCP_NETCONF_TUN_H

#include <net/if.h>
#include <stdbool.h>

/*
 * Creates the device name (IFF_TUN, IFF_NO_PI, IFF_VNET_HDR, not persistent) and returns its
 * descriptor, non-blocking, and its interface index; or -errno after logging why. The interface
 * lives until every copy of the descriptor is closed. A device of that name that exists already is
 * an error, never taken over. -ENODEV if somebody has removed it at the same moment.
 */
int tun_open(const char *name, unsigned int *index);

/*
 * True if the device name is a TUN device that no process has open, as one can be that was made
 * to stay. One that is in use is not touched.
 */
bool tun_is_orphan(const char *name);

/* Those that the kernel takes, without what has a meaning in shells, in patterns and for ip(8). */
#define TUN_NAME_RULE "1 to 15 letters, digits, \".\", \"_\" and \"-\" are possible"

/* TUN_NAME_RULE; nor does a name begin with '-', and "." and ".." are none. */
bool tun_name_valid(const char *name);

/*
 * How the interface of that index is called now, and whether it is set up. Returns 0, or -ENODEV
 * where it is gone; nothing is logged.
 */
int tun_look(unsigned int index, char name[static IFNAMSIZ], bool *up);

/*
 * Whether the kernel takes router advertisements that come through the interface, be it a router
 * itself or not (net.ipv6.conf.NAME.accept_ra, 2 or 0). Returns 0 or -errno; nothing is logged.
 */
int tun_accept_ra(const char *name, bool accept);

/* True if IPv6 is turned off for the interface (net.ipv6.conf.NAME.disable_ipv6). */
bool tun_ipv6_is_off(const char *name);

/*
 * Turns it on, as a new interface may have it off: many machines without IPv6 have it so for all.
 * Returns 0 or -errno; nothing is logged.
 */
int tun_ipv6_on(const char *name);

#endif
