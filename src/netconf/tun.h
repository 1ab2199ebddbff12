/* SPDX-License-Identifier: BSD-2-Clause */
/* TUN devices. */
#ifndef DTCP_NETCONF_TUN_H
#define DTCP_NETCONF_TUN_H

#include <net/if.h>
#include <stdbool.h>

/*
 * Creates the device name (IFF_TUN, IFF_NO_PI, IFF_VNET_HDR, not persistent) and returns its
 * descriptor, non-blocking, and its interface index; or -errno after logging. The interface exists
 * until every copy of the descriptor is closed. An existing device of that name is an error, and
 * never used. -ENODEV if it was removed at the same moment.
 */
int tun_open(const char *name, unsigned int *index);

/*
 * True if the device name is a persistent TUN device that no process has open. One that is in use
 * is not affected.
 */
bool tun_is_orphan(const char *name);

/* Names that the kernel accepts, without characters special to shells, patterns and ip(8). */
#define TUN_NAME_RULE "1 to 15 letters, digits, \".\", \"_\" and \"-\" are possible"

/* Checks TUN_NAME_RULE; also, a name does not begin with '-', and is not "." or "..". */
bool tun_name_valid(const char *name);

/*
 * The present name of the interface with that index, and whether it is up. Returns 0, or -ENODEV if
 * it does not exist; logs nothing.
 */
int tun_look(unsigned int index, char name[static IFNAMSIZ], bool *up);

/*
 * Sets whether the kernel accepts router advertisements on the interface, even as a router
 * (net.ipv6.conf.NAME.accept_ra, 2 or 0). Returns 0 or -errno; logs nothing.
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
