/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What root's process asks of the kernel's routing tables. Each call is one request that waits for
 * the kernel's acknowledgement; on failure it has logged a line with the kernel's own reason and
 * returns -errno.
 */
#ifndef DTCP_NETCONF_NETLINK_H
#define DTCP_NETCONF_NETLINK_H

#include "proto/prefix.h"

#include <net/if.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

/* Marks the routes that are ours ("proto 220" in ip -6 route). */
#define NETLINK_ROUTE_PROTOCOL 220

/* The alias that marks a client's interfaces; a server has to know them, too. */
#define NETLINK_CLIENT_ALIAS "dtcpclient"

struct netlink;

/* Opens a routing socket. *out is NULL on failure. */
int netlink_open(struct netlink **out);
void netlink_close(struct netlink *netlink);

/*
 * Makes a fresh TUN device ready: alias (so that it is known for ours), MTU, no link-local address
 * but the ones added here, and up.
 */
int netlink_link_setup(struct netlink *netlink, unsigned int index, const char *alias,
		       uint32_t mtu);

/*
 * Has the interface forward IPv4. No IPv4 packet comes out of it; but the kernel answers questions
 * of the fast path's program about routes only for one that does.
 */
int netlink_link_forward_ipv4(struct netlink *netlink, unsigned int index);

/* Removes an interface. Its addresses and routes go with it. No error if it is gone. */
int netlink_link_delete(struct netlink *netlink, unsigned int index);

/*
 * Removes several together, which takes the kernel little longer than one alone. No error if
 * some are gone.
 */
int netlink_links_delete(struct netlink *netlink, const unsigned int index[], size_t n);

/* Removes an address with its length; no error if it is gone. */
int netlink_address_delete(struct netlink *netlink, unsigned int index, const struct in6_addr *addr,
			   uint8_t len);

/*
 * Makes an address that is there deprecated, so that nothing new uses it (RFC 4862, section 5.5.4),
 * or preferred again. No error if it is gone.
 */
int netlink_address_prefer(struct netlink *netlink, unsigned int index, const struct in6_addr *addr,
			   uint8_t len, bool preferred);

/* Sets an interface up or down that is not ours. */
int netlink_link_set_up(struct netlink *netlink, unsigned int index, bool up);

/*
 * Adds a link-local address, on a link whose other end is in the same subnet, or removes it; then
 * it is no error if it is gone.
 */
int netlink_link_local_add(struct netlink *netlink, unsigned int index,
			   const struct in6_addr *addr);
int netlink_link_local_delete(struct netlink *netlink, unsigned int index,
			      const struct in6_addr *addr);

/*
 * Adds a route into the interface, of low preference among those of the same metric (RFC 4191).
 * len 0 of prefix is the default route.
 */
int netlink_route_add(struct netlink *netlink, unsigned int index, const struct prefix6 *prefix,
		      uint32_t metric);
int netlink_route_delete(struct netlink *netlink, unsigned int index, const struct prefix6 *prefix);

/*
 * The metric of reject routes, the highest that there is: whatever route somebody else has to the
 * same prefix, or gets later, comes first, and neither is in the other's way.
 */
#define NETLINK_REJECT_METRIC UINT32_MAX

/*
 * Adds a route that rejects packets ("unreachable"). One with our protocol number that is there
 * already was left behind by a client that was killed, and is taken over. Somebody else's with this
 * very metric stays, and then there is none of ours; both are logged.
 */
int netlink_reject_add(struct netlink *netlink, const struct prefix6 *prefix);
/* Removes it; no error if it is gone. */
int netlink_reject_delete(struct netlink *netlink, const struct prefix6 *prefix);

/*
 * Adds what is not there: for the first time, or because others have removed it. Return 1 if it was
 * not there, 0 if it was, or -errno. An address has its length, 1 to 128, or, if peer is not NULL,
 * that as the other end of the link and the length of both.
 */
int netlink_address_ensure(struct netlink *netlink, unsigned int index, const struct in6_addr *addr,
			   uint8_t len, const struct in6_addr *peer);
int netlink_link_local_ensure(struct netlink *netlink, unsigned int index,
			      const struct in6_addr *addr);

/*
 * Waits until packets to an address that was added are taken in. The kernel makes its local route
 * out of a work queue, later than it acknowledges the address; what comes in between is forwarded
 * or dropped. Returns whether it is so; after 2 seconds it logs that it is not.
 */
bool netlink_address_await(struct netlink *netlink, const struct in6_addr *addr);

int netlink_route_ensure(struct netlink *netlink, unsigned int index, const struct prefix6 *prefix,
			 uint32_t metric);
int netlink_reject_ensure(struct netlink *netlink, const struct prefix6 *prefix);

/*
 * Calls each() for every interface with this alias and returns how many there are, or -errno.
 */
int netlink_links_by_alias(struct netlink *netlink, const char *alias,
			   void (*each)(unsigned int index, const char *name, void *arg),
			   void *arg);

/* Calls each() for the interface of every default route, of IPv4 and IPv6. Returns 0 or -errno. */
int netlink_uplinks(struct netlink *netlink, void (*each)(unsigned int index, void *arg),
		    void *arg);

/*
 * Removes every reject route that carries our protocol number and lies within the prefix, NULL for
 * all. Returns how many, or -errno.
 */
int netlink_reject_sweep(struct netlink *netlink, const struct prefix6 *within);

#endif
