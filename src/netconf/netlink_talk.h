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

/* Begins a request in that room. type is an RTM_, flags NLM_F_ values. */
struct nlmsghdr *netlink_start(struct netlink_request *request, uint16_t type, uint16_t flags);

/*
 * Sends a request and waits for its acknowledgement. accept is an errno that counts as success (0:
 * none). Returns 0 or -errno after logging "cannot <what>".
 */
int netlink_talk(struct netlink *netlink, struct nlmsghdr *request, int accept, const char *what);

/* The same, for what may be there already: 0 where it was, 1 where it was not. */
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

/* The first attribute of that type behind offset bytes of the message's payload, or NULL. */
const struct nlattr *netlink_find(const struct nlmsghdr *message, size_t offset, uint16_t type);

#endif
