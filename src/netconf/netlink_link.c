/* SPDX-License-Identifier: BSD-2-Clause */
/* Interfaces and their addresses. */
#include "netconf/netlink_talk.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_link.h>
#include <linux/ip.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

int netlink_link_setup(struct netlink *netlink, unsigned int index, const char *alias, uint32_t mtu)
{
	struct netlink_request request;
	struct nlmsghdr *header = netlink_start_link(&request, RTM_NEWLINK, index);

	mnl_attr_put_str(header, IFLA_IFALIAS, alias);
	mnl_attr_put_u32(header, IFLA_MTU, mtu);

	/* The kernel would generate a random link-local address; ours is known to the other end. */
	struct nlattr *families = mnl_attr_nest_start(header, IFLA_AF_SPEC);
	struct nlattr *inet6 = mnl_attr_nest_start(header, AF_INET6);

	mnl_attr_put_u8(header, IFLA_INET6_ADDR_GEN_MODE, IN6_ADDR_GEN_MODE_NONE);
	mnl_attr_nest_end(header, inet6);
	mnl_attr_nest_end(header, families);

	int error = netlink_talk(netlink, header, 0, "configure the interface");

	if (error)
		return error;

	/* Setting it up comes second: the kernel would generate the address then. */
	return netlink_link_set_up(netlink, index, true);
}

int netlink_link_set_up(struct netlink *netlink, unsigned int index, bool up)
{
	struct netlink_request request;
	struct nlmsghdr *header = netlink_start_link(&request, RTM_NEWLINK, index);
	struct ifinfomsg *link = mnl_nlmsg_get_payload(header);

	link->ifi_flags = up ? IFF_UP : 0;
	link->ifi_change = IFF_UP;
	return netlink_talk(netlink, header, 0, up ? "set the interface up" : "set it down");
}

int netlink_link_forward_ipv4(struct netlink *netlink, unsigned int index)
{
	struct netlink_request request;
	struct nlmsghdr *header = netlink_start_link(&request, RTM_NEWLINK, index);
	struct nlattr *families = mnl_attr_nest_start(header, IFLA_AF_SPEC);
	struct nlattr *inet = mnl_attr_nest_start(header, AF_INET);
	struct nlattr *settings = mnl_attr_nest_start(header, IFLA_INET_CONF);

	mnl_attr_put_u32(header, IPV4_DEVCONF_FORWARDING, 1);
	mnl_attr_nest_end(header, settings);
	mnl_attr_nest_end(header, inet);
	mnl_attr_nest_end(header, families);
	return netlink_talk(netlink, header, 0, "prepare the interface for the fast path");
}

int netlink_link_delete(struct netlink *netlink, unsigned int index)
{
	struct netlink_request request;

	return netlink_talk(netlink, netlink_start_link(&request, RTM_DELLINK, index), ENODEV,
			    "remove the interface");
}

/* An unused number of an interface group: those of administrators are small. */
static uint32_t netlink_own_group(void)
{
	return arc4random() >> 1 | UINT32_C(1) << 30;
}

int netlink_links_delete(struct netlink *netlink, const unsigned int index[], size_t n)
{
	const uint32_t group = netlink_own_group();
	struct netlink_request request;
	struct nlmsghdr *header;

	for (size_t i = 0; i < n; i++) {
		int error;

		header = netlink_start_link(&request, RTM_NEWLINK, index[i]);
		mnl_attr_put_u32(header, IFLA_GROUP, group);
		error = netlink_talk(netlink, header, ENODEV, "put an interface into a group");
		if (error)
			return error;
	}
	header = netlink_start_link(&request, RTM_DELLINK, 0);
	mnl_attr_put_u32(header, IFLA_GROUP, group);
	/* All of them may have been removed meanwhile. */
	return netlink_talk(netlink, header, ENODEV, "remove interfaces");
}

static struct nlmsghdr *netlink_start_address(struct netlink_request *request, uint16_t type,
					      uint16_t flags, unsigned int index,
					      const struct in6_addr *addr, uint8_t len)
{
	struct nlmsghdr *header = netlink_start(request, type, flags);
	struct ifaddrmsg *address = mnl_nlmsg_put_extra_header(header, sizeof(*address));

	address->ifa_family = AF_INET6;
	address->ifa_prefixlen = len;
	address->ifa_scope = IN6_IS_ADDR_LINKLOCAL(addr) ? RT_SCOPE_LINK : RT_SCOPE_UNIVERSE;
	address->ifa_index = index;
	mnl_attr_put(header, IFA_LOCAL, sizeof(*addr), addr);
	/* On a point-to-point link no other node can have the same address. */
	if (type == RTM_NEWADDR)
		mnl_attr_put_u32(header, IFA_FLAGS, IFA_F_NODAD | IFA_F_PERMANENT);
	return header;
}

int netlink_address_prefer(struct netlink *netlink, unsigned int index, const struct in6_addr *addr,
			   uint8_t len, bool preferred)
{
	const struct ifa_cacheinfo lifetimes = {
		.ifa_prefered = preferred ? UINT32_MAX : 0, .ifa_valid = UINT32_MAX, /* forever */
	};
	struct netlink_request request;
	struct nlmsghdr *header =
		netlink_start_address(&request, RTM_NEWADDR, NLM_F_REPLACE, index, addr, len);

	mnl_attr_put(header, IFA_CACHEINFO, sizeof(lifetimes), &lifetimes);
	return netlink_talk(netlink, header, ENOENT, "change an address");
}

int netlink_address_delete(struct netlink *netlink, unsigned int index, const struct in6_addr *addr,
			   uint8_t len)
{
	char text[INET6_ADDRSTRLEN];
	char what[INET6_ADDRSTRLEN + 32];
	struct netlink_request request;

	(void)snprintf(what, sizeof(what), "remove the address %s",
		       inet_ntop(AF_INET6, addr, text, sizeof(text)));
	return netlink_talk(netlink,
			    netlink_start_address(&request, RTM_DELADDR, 0, index, addr, len),
			    EADDRNOTAVAIL, what);
}

int netlink_address_ensure(struct netlink *netlink, unsigned int index, const struct in6_addr *addr,
			   uint8_t len, const struct in6_addr *peer)
{
	char text[INET6_ADDRSTRLEN];
	char what[INET6_ADDRSTRLEN + 32];
	struct netlink_request request;
	struct nlmsghdr *header = netlink_start_address(
		&request, RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, index, addr, len);

	mnl_attr_put(header, IFA_ADDRESS, sizeof(*addr), peer ? peer : addr);
	(void)snprintf(what, sizeof(what), "add the address %s",
		       inet_ntop(AF_INET6, addr, text, sizeof(text)));
	return netlink_ensure(netlink, header, what);
}

int netlink_link_local_add(struct netlink *netlink, unsigned int index, const struct in6_addr *addr)
{
	int result = netlink_link_local_ensure(netlink, index, addr);

	return result < 0 ? result : 0;
}

int netlink_link_local_ensure(struct netlink *netlink, unsigned int index,
			      const struct in6_addr *addr)
{
	return netlink_address_ensure(netlink, index, addr, 64, NULL);
}

int netlink_link_local_delete(struct netlink *netlink, unsigned int index,
			      const struct in6_addr *addr)
{
	return netlink_address_delete(netlink, index, addr, 64);
}

struct netlink_alias_search {
	const char *alias;
	void (*each)(unsigned int index, const char *name, void *arg);
	void *arg;
	int count;
};

static int netlink_on_link(const struct nlmsghdr *message, void *data)
{
	struct netlink_alias_search *search = data;
	const struct ifinfomsg *link = mnl_nlmsg_get_payload(message);
	const struct nlattr *alias = netlink_find(message, sizeof(*link), IFLA_IFALIAS);
	const struct nlattr *name = netlink_find(message, sizeof(*link), IFLA_IFNAME);

	if (alias && name && strcmp(mnl_attr_get_str(alias), search->alias) == 0) {
		search->count++;
		search->each((unsigned int)link->ifi_index, mnl_attr_get_str(name), search->arg);
	}
	return MNL_CB_OK;
}

int netlink_links_by_alias(struct netlink *netlink, const char *alias,
			   void (*each)(unsigned int index, const char *name, void *arg), void *arg)
{
	struct netlink_alias_search search = {.alias = alias, .each = each, .arg = arg};
	int error = netlink_list(netlink, RTM_GETLINK, AF_UNSPEC, netlink_on_link, &search,
				 "list the interfaces");

	return error ? error : search.count;
}
