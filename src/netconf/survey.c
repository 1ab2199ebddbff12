/* SPDX-License-Identifier: BSD-2-Clause */
#include "netconf/survey.h"

#include "netconf/netlink_talk.h"
#include "netconf/sysctl.h"

#include <errno.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

/* Two routes to 8000::/1 and ::/1, or one to 2000::/3, are a default route as well. */
enum { SURVEY_DEFAULT_LEN = 3 };

int survey_setting(const char *name, const char *key)
{
	char path[IFNAMSIZ + 48];
	int value;

	(void)snprintf(path, sizeof(path), "net/ipv6/conf/%s/%s", name, key);
	return sysctl_read(path, &value) == 0 && value >= 0 ? value : -1;
}

/* Appends a zeroed element to a list; NULL if memory is short. */
static void *survey_more(void **list, size_t *count, size_t size)
{
	char *grown = *list;

	/* Capacity grows to 1, 2, 4 and so on. */
	if ((*count & (*count - 1)) == 0) {
		grown = reallocarray(*list, *count ? 2 * *count : 1, size);
		if (!grown)
			return NULL;
		*list = grown;
	}
	grown += (*count)++ * size;
	memset(grown, 0, size);
	return grown;
}

static int survey_on_link(const struct nlmsghdr *message, void *data)
{
	struct survey *survey = data;
	const struct ifinfomsg *info = mnl_nlmsg_get_payload(message);
	const struct nlattr *name = netlink_find(message, sizeof(*info), IFLA_IFNAME);
	const struct nlattr *alias = netlink_find(message, sizeof(*info), IFLA_IFALIAS);
	const struct nlattr *mac = netlink_find(message, sizeof(*info), IFLA_ADDRESS);
	struct survey_link *link;

	if (!name || mnl_attr_validate(name, MNL_TYPE_NUL_STRING) < 0)
		return MNL_CB_OK;
	link = survey_more((void **)&survey->links, &survey->n_links, sizeof(*link));
	if (!link)
		return MNL_CB_ERROR;
	link->index = (unsigned int)info->ifi_index;
	(void)strlcpy(link->name, mnl_attr_get_str(name), sizeof(link->name));
	if (alias && mnl_attr_validate(alias, MNL_TYPE_NUL_STRING) == 0)
		(void)strlcpy(link->alias, mnl_attr_get_str(alias), sizeof(link->alias));
	link->up = info->ifi_flags & IFF_UP;
	link->loopback = info->ifi_flags & IFF_LOOPBACK;
	link->neighbours = (info->ifi_flags & IFF_BROADCAST) && !(info->ifi_flags & IFF_NOARP);
	link->has_mac = mac && mnl_attr_get_payload_len(mac) == sizeof(link->mac);
	if (link->has_mac)
		memcpy(link->mac, mnl_attr_get_payload(mac), sizeof(link->mac));
	link->accept_ra = -1;
	link->forwarding = -1;
	return MNL_CB_OK;
}

static int survey_compare(const void *one, const void *other)
{
	const struct survey_link *a = one;
	const struct survey_link *b = other;

	return (a->index > b->index) - (a->index < b->index);
}

static struct survey_link *survey_find(const struct survey *survey, unsigned int index)
{
	const struct survey_link key = {.index = index};

	if (survey->n_links == 0)
		return NULL;
	return bsearch(&key, survey->links, survey->n_links, sizeof(key), survey_compare);
}

static int survey_on_address(const struct nlmsghdr *message, void *data)
{
	struct survey *survey = data;
	const struct ifaddrmsg *info = mnl_nlmsg_get_payload(message);
	const bool tentative = info->ifa_flags & (IFA_F_TENTATIVE | IFA_F_DADFAILED);
	struct survey_link *link = survey_find(survey, info->ifa_index);
	struct survey_address *address;
	struct in6_addr addr;

	/* With a peer, IFA_LOCAL is the local address, and IFA_ADDRESS the peer's. */
	if (info->ifa_family != AF_INET6 ||
	    (!netlink_find_ipv6(message, sizeof(*info), IFA_LOCAL, &addr) &&
	     !netlink_find_ipv6(message, sizeof(*info), IFA_ADDRESS, &addr)))
		return MNL_CB_OK;
	if (link && !tentative && IN6_IS_ADDR_LINKLOCAL(&addr))
		link->local = addr;
	if (!prefix6_in_unicast(&(const struct prefix6){.addr = addr, .len = 128}))
		return MNL_CB_OK;
	address = survey_more((void **)&survey->addresses, &survey->n_addresses, sizeof(*address));
	if (!address)
		return MNL_CB_ERROR;
	address->index = info->ifa_index;
	address->addr = addr;
	address->len = info->ifa_prefixlen;
	address->advertised = !(info->ifa_flags & IFA_F_PERMANENT);
	address->tentative = tentative;
	return MNL_CB_OK;
}

struct survey_taking {
	struct survey *survey;
	const struct prefix6 *const *within;
	size_t n;
};

bool survey_is_default(const struct survey_route *route)
{
	return !route->rejects && !route->here && route->prefix.len <= SURVEY_DEFAULT_LEN &&
	       (route->prefix.len == 0 || prefix6_in_unicast(&route->prefix));
}

bool survey_is_network(const struct survey *survey, const struct survey_route *route)
{
	const struct survey_link *link;

	if (!route->main || route->has_gateway || route->rejects || survey_is_default(route))
		return false;
	link = survey_link(survey, route->index);
	return link && link->neighbours;
}

static bool survey_wants(const struct survey_taking *taking, const struct survey_route *route)
{
	if (route->prefix.len <= SURVEY_DEFAULT_LEN || !route->has_gateway)
		return true;
	for (size_t i = 0; i < taking->n; i++) {
		if (taking->within[i] && prefix6_overlaps(taking->within[i], &route->prefix))
			return true;
	}
	return false;
}

static int survey_keep(const struct survey_taking *taking, const struct survey_route *route)
{
	struct survey *survey = taking->survey;
	struct survey_route *more;

	if (route->has_gateway && prefix6_in_unicast(&route->prefix))
		survey->leads_out = true;
	if (!survey_wants(taking, route))
		return MNL_CB_OK;
	more = survey_more((void **)&survey->routes, &survey->n_routes, sizeof(*more));
	if (!more)
		return MNL_CB_ERROR;
	*more = *route;
	return MNL_CB_OK;
}

/* A route with several next hops, each as a route. */
static int survey_keep_hops(const struct survey_taking *taking, struct survey_route *route,
			    const struct nlattr *multipath)
{
	const struct rtnexthop *hop = mnl_attr_get_payload(multipath);
	size_t left = mnl_attr_get_payload_len(multipath);
	int result = MNL_CB_OK;

	while (result == MNL_CB_OK && left >= sizeof(*hop) && hop->rtnh_len >= sizeof(*hop)) {
		size_t len = RTNH_ALIGN(hop->rtnh_len);
		const struct nlattr *attr = (const void *)(hop + 1);
		int rest = (int)(hop->rtnh_len - sizeof(*hop));

		route->index = (unsigned int)hop->rtnh_ifindex;
		route->has_gateway = false;
		while (mnl_attr_ok(attr, rest)) {
			if (mnl_attr_get_type(attr) == RTA_GATEWAY &&
			    mnl_attr_get_payload_len(attr) >= sizeof(route->gateway)) {
				memcpy(&route->gateway, mnl_attr_get_payload(attr),
				       sizeof(route->gateway));
				route->has_gateway = true;
			}
			rest -= (int)MNL_ALIGN(attr->nla_len);
			attr = mnl_attr_next(attr);
		}
		result = survey_keep(taking, route);
		if (len >= left)
			break;
		left -= len;
		hop = RTNH_NEXT(hop);
	}
	return result;
}

/* Whether a route says more than the addresses do. */
static bool survey_tells(const struct rtmsg *info)
{
	switch (info->rtm_type) {
	case RTN_UNICAST:
	case RTN_UNREACHABLE:
	case RTN_PROHIBIT:
	case RTN_BLACKHOLE:
		return info->rtm_table != RT_TABLE_LOCAL;
	case RTN_LOCAL:
		return info->rtm_table == RT_TABLE_LOCAL && info->rtm_dst_len < 128;
	default:
		return false;
	}
}

static int survey_on_route(const struct nlmsghdr *message, void *data)
{
	const struct survey_taking *taking = data;
	const struct rtmsg *info = mnl_nlmsg_get_payload(message);
	const struct nlattr *multipath = netlink_find(message, sizeof(*info), RTA_MULTIPATH);
	struct survey_route route = {
		.prefix = {.len = info->rtm_dst_len},
		.index = netlink_find_number(message, sizeof(*info), RTA_OIF),
		.metric = netlink_find_number(message, sizeof(*info), RTA_PRIORITY),
		.main = info->rtm_table == RT_TABLE_MAIN,
		.kernel = info->rtm_protocol == RTPROT_KERNEL || info->rtm_protocol == RTPROT_RA,
		.advertised = info->rtm_protocol == RTPROT_RA,
		.ours = info->rtm_protocol == NETLINK_ROUTE_PROTOCOL,
		.rejects = info->rtm_type != RTN_UNICAST && info->rtm_type != RTN_LOCAL,
		.here = info->rtm_type == RTN_LOCAL,
	};

	if (info->rtm_family != AF_INET6 || (info->rtm_flags & RTM_F_CLONED) || !survey_tells(info))
		return MNL_CB_OK;
	if (route.prefix.len > 0 &&
	    !netlink_find_ipv6(message, sizeof(*info), RTA_DST, &route.prefix.addr))
		return MNL_CB_OK;
	route.has_gateway = netlink_find_ipv6(message, sizeof(*info), RTA_GATEWAY, &route.gateway);
	if (multipath)
		return survey_keep_hops(taking, &route, multipath);
	return survey_keep(taking, &route);
}

int survey_take(struct survey *survey, struct netlink *netlink,
		const struct prefix6 *const within[], size_t n)
{
	struct survey_taking taking = {.survey = survey, .within = within, .n = n};
	int error;

	*survey = (struct survey){.n_links = 0};
	error = netlink_list(netlink, RTM_GETLINK, AF_UNSPEC, survey_on_link, survey,
			     "list the interfaces");
	if (survey->n_links > 0)
		qsort(survey->links, survey->n_links, sizeof(*survey->links), survey_compare);
	if (error == 0)
		error = netlink_list(netlink, RTM_GETADDR, AF_INET6, survey_on_address, survey,
				     "list the addresses");
	if (error == 0)
		error = netlink_list(netlink, RTM_GETROUTE, AF_INET6, survey_on_route, &taking,
				     "list the routes");
	if (error != 0)
		survey_free(survey);
	return error;
}

void survey_read_settings(struct survey *survey)
{
	for (size_t i = 0; i < survey->n_links; i++) {
		struct survey_link *link = &survey->links[i];

		link->accept_ra = survey_setting(link->name, "accept_ra");
		link->forwarding = survey_setting(link->name, "forwarding");
	}
}

void survey_free(struct survey *survey)
{
	free(survey->links);
	free(survey->addresses);
	free(survey->routes);
	*survey = (struct survey){.n_links = 0};
}

const struct survey_link *survey_link(const struct survey *survey, unsigned int index)
{
	return survey_find(survey, index);
}

const struct survey_route *survey_network(const struct survey *survey, const struct prefix6 *prefix)
{
	const struct survey_route *best = NULL;

	for (size_t i = 0; i < survey->n_routes; i++) {
		const struct survey_route *route = &survey->routes[i];

		if (survey_is_network(survey, route) && prefix6_contains(&route->prefix, prefix) &&
		    (!best || route->prefix.len > best->prefix.len ||
		     (route->prefix.len == best->prefix.len && route->metric < best->metric)))
			best = route;
	}
	return best;
}
