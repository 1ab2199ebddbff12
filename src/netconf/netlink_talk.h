/* SPDX-License-Identifier: BSD-2-Clause */
/* Requests to netlink sockets and their answers; private to the files behind netlink.h. */
#ifndef DTCP_NETCONF_NETLINK_TALK_H
#define DTCP_NETCONF_NETLINK_TALK_H

#include "netconf/netlink.h"

#include <libmnl/libmnl.h>
#include <stddef.h>
#include <stdint.h>

struct netlink {
	struct mnl_socket *socket;
	unsigned int port;
	unsigned int sequence;
};

struct netlink_request {
	_Alignas(struct nlmsghdr) char bytes[1024];
};

/* As netlink_open(), for any netlink family (NETLINK_ROUTE, ...); logs nothing. */
int netlink_open_bus(int bus, struct netlink **out);

/* Begins a request. type is an RTM_, flags NLM_F_ values. */
struct nlmsghdr *netlink_start(struct netlink_request *request, uint16_t type, uint16_t flags);

/* The same about an interface. */
struct nlmsghdr *netlink_start_link(struct netlink_request *request, uint16_t type,
				    unsigned int index);

/*
 * Sends a request and waits for its acknowledgement. accept is an errno that counts as success (0:
 * none). Returns 0 or -errno after logging "cannot <what>".
 */
int netlink_talk(struct netlink *netlink, struct nlmsghdr *request, int accept, const char *what);

/* The same, for what may exist already: returns 0 if it did, 1 if it did not. */
int netlink_ensure(struct netlink *netlink, struct nlmsghdr *request, const char *what);

/*
 * Sends a dump request and calls each() for every message of the answer. Returns 0 or -errno after
 * logging "cannot <what>".
 */
int netlink_dump(struct netlink *netlink, struct nlmsghdr *request, mnl_cb_t each, void *arg,
		 const char *what);

/*
 * Sends a request that is answered by one message, which is passed to each(). Returns 0 or -errno
 * without logging.
 */
int netlink_get(struct netlink *netlink, struct nlmsghdr *request, mnl_cb_t each, void *arg);

/* Dumps all objects of a type and an address family. */
int netlink_list(struct netlink *netlink, uint16_t type, unsigned char family, mnl_cb_t each,
		 void *arg, const char *what);

/* The first attribute of that type after offset bytes of the message's payload, or NULL. */
const struct nlattr *netlink_find(const struct nlmsghdr *message, size_t offset, uint16_t type);

/* The value of a numeric attribute, 0 if there is none; and of an address, false if there is none.
 */
uint32_t netlink_find_number(const struct nlmsghdr *message, size_t offset, uint16_t type);
bool netlink_find_ipv6(const struct nlmsghdr *message, size_t offset, uint16_t type,
		       struct in6_addr *out);

#endif
