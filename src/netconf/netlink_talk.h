/* SPDX-License-Identifier: BSD-2-Clause */
/* Requests to the kernel's routing socket and their answers, for the files behind netlink.h. */
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

/* As netlink_open(), for any of the kernel's (NETLINK_ROUTE, ...); nothing is logged. */
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

/* The same, for what may be there already: 0 if it was, 1 if it was not. */
int netlink_ensure(struct netlink *netlink, struct nlmsghdr *request, const char *what);

/*
 * Sends a dump request and calls each() for every message of the answer. Returns 0 or -errno after
 * logging "cannot <what>".
 */
int netlink_dump(struct netlink *netlink, struct nlmsghdr *request, mnl_cb_t each, void *arg,
		 const char *what);

/*
 * Sends a request whose answer is one message, which is given to each(). Returns 0 or -errno
 * without logging.
 */
int netlink_get(struct netlink *netlink, struct nlmsghdr *request, mnl_cb_t each, void *arg);

/* All that there is of a kind and an address family: a dump by a request that says no more. */
int netlink_list(struct netlink *netlink, uint16_t type, unsigned char family, mnl_cb_t each,
		 void *arg, const char *what);

/* The first attribute of that type behind offset bytes of the message's payload, or NULL. */
const struct nlattr *netlink_find(const struct nlmsghdr *message, size_t offset, uint16_t type);

/* The same for one that is a number, 0 if there is none; and for an address, false. */
uint32_t netlink_find_number(const struct nlmsghdr *message, size_t offset, uint16_t type);
bool netlink_find_ipv6(const struct nlmsghdr *message, size_t offset, uint16_t type,
		       struct in6_addr *out);

#endif
