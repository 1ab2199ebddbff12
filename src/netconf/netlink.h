/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Requests of the root process to the kernel's routing socket. Each call is one request that waits
 * for the kernel's acknowledgement; on failure it logs a line with the kernel's own reason and
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

/* The alias of a client's interfaces, which a server has to recognize, too. */
#define NETLINK_CLIENT_ALIAS "dtcpclient"

struct netlink;

/* Opens a routing socket. *out is NULL on failure. */
int netlink_open(struct netlink **out);
void netlink_close(struct netlink *netlink);

/*
 * Configures a new TUN device: alias (which marks it as ours), MTU, no link-local address except
 * those added here, and sets it up.
 */
int netlink_link_setup(struct netlink *netlink, unsigned int index, const char *alias,
		       uint32_t mtu);

/*
 * Turns IPv4 forwarding on for the interface. No IPv4 packet comes out of it, but the kernel
 * answers route look-ups of the fast path's program only for a forwarding interface.
 */
int netlink_link_forward_ipv4(struct netlink *netlink, unsigned int index);

/* Removes an interface with its addresses and routes. No error if it does not exist. */
int netlink_link_delete(struct netlink *netlink, unsigned int index);

/*
 * Removes several interfaces together, which takes the kernel little longer than one. No error if
 * some do not exist.
 */
int netlink_links_delete(struct netlink *netlink, const unsigned int index[], size_t n);

/* Removes an address with its length; no error if it does not exist. */
int netlink_address_delete(struct netlink *netlink, unsigned int index, const struct in6_addr *addr,
			   uint8_t len);

/*
 * Makes an address deprecated, so that nothing new uses it (RFC 4862, section 5.5.4), or preferred
 * again. No error if it does not exist.
 */
int netlink_address_prefer(struct netlink *netlink, unsigned int index, const struct in6_addr *addr,
			   uint8_t len, bool preferred);

/* Sets an interface that is not ours up or down. */
int netlink_link_set_up(struct netlink *netlink, unsigned int index, bool up);

/*
 * Adds a link-local address, on a link whose other end is in the same subnet; or removes one, which
 * is no error if it does not exist.
 */
int netlink_link_local_add(struct netlink *netlink, unsigned int index,
			   const struct in6_addr *addr);
int netlink_link_local_delete(struct netlink *netlink, unsigned int index,
			      const struct in6_addr *addr);

/*
 * Adds a route into the interface, with low preference among those of the same metric (RFC 4191).
 * Length 0 of prefix is the default route.
 */
int netlink_route_add(struct netlink *netlink, unsigned int index, const struct prefix6 *prefix,
		      uint32_t metric);
int netlink_route_delete(struct netlink *netlink, unsigned int index, const struct prefix6 *prefix);

/*
 * The metric of reject routes, the highest possible: any other route to the same prefix takes
 * precedence, whether it exists already or is added later.
 */
#define NETLINK_REJECT_METRIC UINT32_MAX

/*
 * Adds a reject route ("unreachable"). An existing one with our protocol number was left behind by
 * a killed client, and is replaced. A foreign one with the same metric stays, and ours is not
 * added; both are logged.
 */
int netlink_reject_add(struct netlink *netlink, const struct prefix6 *prefix);
/* Removes it; no error if it does not exist. */
int netlink_reject_delete(struct netlink *netlink, const struct prefix6 *prefix);

/*
 * Adds what is missing: for the first time, or because others have removed it. Returns 1 if it was
 * missing, 0 if it existed, or -errno. An address has its length, 1 to 128, or, if peer is not
 * NULL, peer as the other end of the link and the length of both.
 */
int netlink_address_ensure(struct netlink *netlink, unsigned int index, const struct in6_addr *addr,
			   uint8_t len, const struct in6_addr *peer);
int netlink_link_local_ensure(struct netlink *netlink, unsigned int index,
			      const struct in6_addr *addr);

/*
 * Waits until packets to an added address are received. The kernel makes its local route from a
 * work queue, later than it acknowledges the address; packets that come in between are forwarded or
 * dropped. Returns false after 2 seconds, after logging.
 */
bool netlink_address_await(struct netlink *netlink, const struct in6_addr *addr);

int netlink_route_ensure(struct netlink *netlink, unsigned int index, const struct prefix6 *prefix,
			 uint32_t metric);
int netlink_reject_ensure(struct netlink *netlink, const struct prefix6 *prefix);

/* Calls each() for every interface with this alias and returns their number, or -errno. */
int netlink_links_by_alias(struct netlink *netlink, const char *alias,
			   void (*each)(unsigned int index, const char *name, void *arg),
			   void *arg);

/* Calls each() for the interface of every default route, of IPv4 and IPv6. Returns 0 or -errno. */
int netlink_uplinks(struct netlink *netlink, void (*each)(unsigned int index, void *arg),
		    void *arg);

/*
 * Removes every reject route that carries our protocol number and lies within the prefix, NULL for
 * all. Returns their number, or -errno.
 */
int netlink_reject_sweep(struct netlink *netlink, const struct prefix6 *within);

#endif
