/* SPDX-License-Identifier: BSD-2-Clause */
/* Routes: to our interfaces, and reject routes. */
#include "netconf/netlink_talk.h"

#include "base/clock.h"
#include "base/log.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/icmpv6.h>
#include <linux/rtnetlink.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

/* A route request with its destination; type is an RTN_ value. */
static struct nlmsghdr *netlink_route(struct netlink_request *request, uint16_t message,
				      uint16_t flags, uint8_t type, const struct prefix6 *prefix)
{
	struct nlmsghdr *header = netlink_start(request, message, flags);
	struct rtmsg *route = mnl_nlmsg_put_extra_header(header, sizeof(*route));

	route->rtm_family = AF_INET6;
	route->rtm_dst_len = prefix->len;
	route->rtm_table = RT_TABLE_MAIN;
	route->rtm_protocol = NETLINK_ROUTE_PROTOCOL;
	route->rtm_scope = RT_SCOPE_UNIVERSE;
	route->rtm_type = type;
	if (prefix->len > 0)
		mnl_attr_put(header, RTA_DST, sizeof(prefix->addr), &prefix->addr);
	return header;
}

/* "add the route 2000::/3", for the log. */
static const char *netlink_route_what(char buf[static PREFIX6_STRLEN + 40], const char *verb,
				      const struct prefix6 *prefix)
{
	char text[PREFIX6_STRLEN];

	(void)snprintf(buf, PREFIX6_STRLEN + 40, "%s %s", verb, prefix6_format(prefix, text));
	return buf;
}

static int netlink_route_talk(struct netlink *netlink, struct nlmsghdr *header, int accept,
			      const char *verb, const struct prefix6 *prefix)
{
	char what[PREFIX6_STRLEN + 40];

	return netlink_talk(netlink, header, accept, netlink_route_what(what, verb, prefix));
}

static struct nlmsghdr *netlink_route_start(struct netlink_request *request, unsigned int index,
					    const struct prefix6 *prefix, uint32_t metric)
{
	/* With NLM_F_APPEND there can be several to the same destination, but no duplicates. */
	struct nlmsghdr *header = netlink_route(request, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_APPEND,
						RTN_UNICAST, prefix);

	mnl_attr_put_u32(header, RTA_OIF, index);
	mnl_attr_put_u32(header, RTA_PRIORITY, metric);
	/* A native router's route can have the same metric; it wins by preference. */
	mnl_attr_put_u8(header, RTA_PREF, ICMPV6_ROUTER_PREF_LOW);
	return header;
}

int netlink_route_add(struct netlink *netlink, unsigned int index, const struct prefix6 *prefix,
		      uint32_t metric)
{
	struct netlink_request request;

	return netlink_route_talk(netlink, netlink_route_start(&request, index, prefix, metric), 0,
				  "add the route", prefix);
}

int netlink_route_ensure(struct netlink *netlink, unsigned int index, const struct prefix6 *prefix,
			 uint32_t metric)
{
	char what[PREFIX6_STRLEN + 40];
	struct netlink_request request;

	return netlink_ensure(netlink, netlink_route_start(&request, index, prefix, metric),
			      netlink_route_what(what, "add the route", prefix));
}

int netlink_route_delete(struct netlink *netlink, unsigned int index, const struct prefix6 *prefix)
{
	struct netlink_request request;
	struct nlmsghdr *header = netlink_route(&request, RTM_DELROUTE, 0, RTN_UNICAST, prefix);

	mnl_attr_put_u32(header, RTA_OIF, index);
	return netlink_route_talk(netlink, header, ESRCH, "remove the route", prefix);
}

/* A request about a reject route. */
static struct nlmsghdr *netlink_reject(struct netlink_request *request, uint16_t message,
				       uint16_t flags, const struct prefix6 *prefix,
				       uint32_t metric)
{
	struct nlmsghdr *header = netlink_route(request, message, flags, RTN_UNREACHABLE, prefix);

	mnl_attr_put_u32(header, RTA_PRIORITY, metric);
	return header;
}

int netlink_reject_ensure(struct netlink *netlink, const struct prefix6 *prefix)
{
	char what[PREFIX6_STRLEN + 40];
	struct netlink_request request;
	struct nlmsghdr *header = netlink_reject(&request, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL,
						 prefix, NETLINK_REJECT_METRIC);

	return netlink_ensure(netlink, header,
			      netlink_route_what(what, "add the reject route", prefix));
}

static int netlink_reject_remove(struct netlink *netlink, const struct prefix6 *prefix,
				 uint32_t metric)
{
	struct netlink_request request;
	struct nlmsghdr *header = netlink_reject(&request, RTM_DELROUTE, 0, prefix, metric);

	return netlink_route_talk(netlink, header, ESRCH, "remove the reject route", prefix);
}

int netlink_reject_delete(struct netlink *netlink, const struct prefix6 *prefix)
{
	return netlink_reject_remove(netlink, prefix, NETLINK_REJECT_METRIC);
}

/* Reject routes that carry our protocol number; those of earlier versions have other metrics. */
struct netlink_rejects {
	const struct prefix6 *within; /* NULL: all */
	struct netlink_reject {
		struct prefix6 prefix;
		uint32_t metric;
	} * list;
	size_t count;
};

static int netlink_on_route(const struct nlmsghdr *message, void *data)
{
	struct netlink_rejects *rejects = data;
	const struct rtmsg *route = mnl_nlmsg_get_payload(message);
	struct netlink_reject reject = {
		.prefix.len = route->rtm_dst_len,
		.metric = netlink_find_number(message, sizeof(*route), RTA_PRIORITY),
	};
	struct netlink_reject *grown;

	if (route->rtm_protocol != NETLINK_ROUTE_PROTOCOL || route->rtm_type != RTN_UNREACHABLE ||
	    route->rtm_family != AF_INET6 ||
	    !netlink_find_ipv6(message, sizeof(*route), RTA_DST, &reject.prefix.addr) ||
	    (rejects->within && !prefix6_contains(rejects->within, &reject.prefix)))
		return MNL_CB_OK;
	grown = reallocarray(rejects->list, rejects->count + 1, sizeof(*grown));
	if (!grown)
		return MNL_CB_ERROR;
	rejects->list = grown;
	grown[rejects->count++] = reject;
	return MNL_CB_OK;
}

/* Fills in all but within; the caller frees list in either case. Returns 0 or -errno. */
static int netlink_rejects_list(struct netlink *netlink, struct netlink_rejects *rejects)
{
	return netlink_list(netlink, RTM_GETROUTE, AF_INET6, netlink_on_route, rejects,
			    "list the routes");
}

int netlink_reject_sweep(struct netlink *netlink, const struct prefix6 *within)
{
	struct netlink_rejects rejects = {.within = within};
	int result = netlink_rejects_list(netlink, &rejects);

	for (size_t i = 0; i < rejects.count && result == 0; i++)
		result = netlink_reject_remove(netlink, &rejects.list[i].prefix,
					       rejects.list[i].metric);
	if (result == 0)
		result = (int)rejects.count;
	free(rejects.list);
	return result;
}

/* Whether there is a reject route of ours for exactly this prefix. */
static bool netlink_reject_there(struct netlink *netlink, const struct prefix6 *prefix)
{
	struct netlink_rejects rejects = {.within = prefix};
	bool there = false;

	if (netlink_rejects_list(netlink, &rejects) == 0) {
		for (size_t i = 0; i < rejects.count; i++)
			there |= rejects.list[i].prefix.len == prefix->len &&
				 rejects.list[i].metric == NETLINK_REJECT_METRIC;
	}
	free(rejects.list);
	return there;
}

int netlink_reject_add(struct netlink *netlink, const struct prefix6 *prefix)
{
	char text[PREFIX6_STRLEN];
	int result = netlink_reject_ensure(netlink, prefix);

	if (result != 0)
		return result > 0 ? 0 : result;
	(void)prefix6_format(prefix, text);
	if (netlink_reject_there(netlink, prefix))
		log_info("took over the reject route %s, which was there already", text);
	else
		log_info("no reject route %s is made: somebody else has a route to it", text);
	return 0;
}

struct netlink_uplinks {
	void (*each)(unsigned int index, void *arg);
	void *arg;
};

static int netlink_on_default(const struct nlmsghdr *message, void *data)
{
	const struct netlink_uplinks *uplinks = data;
	const struct rtmsg *route = mnl_nlmsg_get_payload(message);
	unsigned int index = netlink_find_number(message, sizeof(*route), RTA_OIF);

	if (route->rtm_dst_len == 0 && route->rtm_type == RTN_UNICAST && index != 0)
		uplinks->each(index, uplinks->arg);
	return MNL_CB_OK;
}

int netlink_uplinks(struct netlink *netlink, void (*each)(unsigned int index, void *arg), void *arg)
{
	struct netlink_uplinks uplinks = {.each = each, .arg = arg};
	int error = netlink_list(netlink, RTM_GETROUTE, AF_INET, netlink_on_default, &uplinks,
				 "list the routes");

	return error ? error
		     : netlink_list(netlink, RTM_GETROUTE, AF_INET6, netlink_on_default, &uplinks,
				    "list the routes");
}

/* Longest wait for the kernel, and interval of queries, in milliseconds. */
enum { NETLINK_LOCAL_WAIT = 2000, NETLINK_LOCAL_STEP = 1 };

static int netlink_on_local(const struct nlmsghdr *message, void *data)
{
	const struct rtmsg *route = mnl_nlmsg_get_payload(message);

	*(bool *)data = route->rtm_type == RTN_LOCAL;
	return MNL_CB_OK;
}

static bool netlink_is_local(struct netlink *netlink, const struct in6_addr *addr)
{
	struct netlink_request request;
	struct nlmsghdr *header = netlink_start(&request, RTM_GETROUTE, 0);
	struct rtmsg *route = mnl_nlmsg_put_extra_header(header, sizeof(*route));
	bool local = false;

	route->rtm_family = AF_INET6;
	route->rtm_dst_len = 128;
	mnl_attr_put(header, RTA_DST, sizeof(*addr), addr);
	/* A missing route is no error. */
	(void)netlink_get(netlink, header, netlink_on_local, &local);
	return local;
}

bool netlink_address_await(struct netlink *netlink, const struct in6_addr *addr)
{
	const int64_t end = clock_ms() + NETLINK_LOCAL_WAIT;
	char text[INET6_ADDRSTRLEN];

	while (!netlink_is_local(netlink, addr)) {
		if (clock_ms() >= end) {
			log_warnx("the kernel does not take packets to %s in yet",
				  inet_ntop(AF_INET6, addr, text, sizeof(text)));
			return false;
		}
		(void)poll(NULL, 0, NETLINK_LOCAL_STEP);
	}
	return true;
}
