/* SPDX-License-Identifier: BSD-2-Clause */
#include "netconf/rules.h"

#include "base/log.h"
#include "netconf/netlink_talk.h"

#include <errno.h>
#include <linux/fib_rules.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

_Static_assert(RULES_TABLE_DEFAULT == RT_TABLE_DEFAULT && RULES_TABLE_MAIN == RT_TABLE_MAIN &&
		       RULES_TABLE_LOCAL == RT_TABLE_LOCAL,
	       "as the kernel has them");

/* Before the rule for the main table, which has 32766. */
enum { RULES_MAIN_PRIORITY = 22000, RULES_TABLE_PRIORITY = 22001 };

/* 2000::/3, the whole of global unicast, is a default route as well (RFC 4291, section 2.4). */
enum { RULES_DEFAULT_LEN = 3 };

enum { RULES_METRIC = 1024 };

/* --- the table ---------------------------------------------------------------------------- */

int rules_route_ensure(struct netlink *netlink, unsigned int index, uint32_t table)
{
	struct netlink_request request;
	struct nlmsghdr *header = netlink_start(&request, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL);
	struct rtmsg *route = mnl_nlmsg_put_extra_header(header, sizeof(*route));
	char what[64];

	route->rtm_family = AF_INET6;
	route->rtm_table = RT_TABLE_UNSPEC;
	route->rtm_protocol = NETLINK_ROUTE_PROTOCOL;
	route->rtm_scope = RT_SCOPE_UNIVERSE;
	route->rtm_type = RTN_UNICAST;
	mnl_attr_put_u32(header, RTA_TABLE, table);
	mnl_attr_put_u32(header, RTA_OIF, index);
	mnl_attr_put_u32(header, RTA_PRIORITY, RULES_METRIC);
	(void)snprintf(what, sizeof(what), "add the default route of table %u", table);
	return netlink_ensure(netlink, header, what);
}

static int rules_join_group(struct netlink *netlink, unsigned int index)
{
	struct netlink_request request;
	struct nlmsghdr *header = netlink_start_link(&request, RTM_NEWLINK, index);

	mnl_attr_put_u32(header, IFLA_GROUP, RULES_GROUP);
	return netlink_talk(netlink, header, 0, "put the interface into the group of tunnels");
}

/* --- existing rules and routes ------------------------------------------------------------ */

/* A rule of ours. */
struct rules_rule {
	struct prefix6 from;
	uint32_t table;
};

struct rules_found {
	bool used[RULES_TABLES]; /* tables with a rule or a route */
	uint32_t *tables;	 /* tables of our routes, one entry for each route */
	size_t n_tables;
	struct rules_rule *list; /* our rules */
	size_t n_rules;
};

static void rules_free(struct rules_found *found)
{
	free(found->tables);
	free(found->list);
}

static void rules_note(struct rules_found *found, uint32_t table)
{
	if (table >= RULES_TABLE_FIRST && table < RULES_TABLE_FIRST + RULES_TABLES)
		found->used[table - RULES_TABLE_FIRST] = true;
}

static int rules_on_route(const struct nlmsghdr *message, void *data)
{
	struct rules_found *found = data;
	const struct rtmsg *route = mnl_nlmsg_get_payload(message);
	uint32_t table = netlink_find_number(message, sizeof(*route), RTA_TABLE);

	if (route->rtm_family != AF_INET6)
		return MNL_CB_OK;
	rules_note(found, table);
	if (route->rtm_protocol != NETLINK_ROUTE_PROTOCOL || table == RT_TABLE_MAIN)
		return MNL_CB_OK;

	uint32_t *grown = reallocarray(found->tables, found->n_tables + 1, sizeof(*grown));

	if (!grown)
		return MNL_CB_ERROR;
	found->tables = grown;
	found->tables[found->n_tables++] = table;
	return MNL_CB_OK;
}

static int rules_on_rule(const struct nlmsghdr *message, void *data)
{
	struct rules_found *found = data;
	const struct fib_rule_hdr *rule = mnl_nlmsg_get_payload(message);
	const struct nlattr *protocol = netlink_find(message, sizeof(*rule), FRA_PROTOCOL);
	struct rules_rule ours = {
		.from.len = rule->src_len,
		.table = netlink_find_number(message, sizeof(*rule), FRA_TABLE),
	};

	if (rule->family != AF_INET6)
		return MNL_CB_OK;
	rules_note(found, ours.table);
	if (!protocol || mnl_attr_get_payload_len(protocol) < sizeof(uint8_t) ||
	    mnl_attr_get_u8(protocol) != NETLINK_ROUTE_PROTOCOL ||
	    !netlink_find_ipv6(message, sizeof(*rule), FRA_SRC, &ours.from.addr))
		return MNL_CB_OK;

	struct rules_rule *grown = reallocarray(found->list, found->n_rules + 1, sizeof(*grown));

	if (!grown)
		return MNL_CB_ERROR;
	found->list = grown;
	grown[found->n_rules++] = ours;
	return MNL_CB_OK;
}

/* Returns 0 or -errno; the caller zeroes found before, and frees it in either case. */
static int rules_find(struct netlink *netlink, struct rules_found *found)
{
	return netlink_list(netlink, RTM_GETRULE, AF_INET6, rules_on_rule, found,
			    "list the routing rules");
}

/* Also finds the tables in use. */
static int rules_find_all(struct netlink *netlink, struct rules_found *found)
{
	int error = rules_find(netlink, found);

	return error ? error
		     : netlink_list(netlink, RTM_GETROUTE, AF_INET6, rules_on_route, found,
				    "list the routes");
}

int rules_claim(struct netlink *netlink, unsigned int index, uint32_t wanted, uint32_t *table)
{
	struct rules_found found = {.tables = NULL};
	int result = rules_join_group(netlink, index);

	*table = wanted;
	if (result == 0 && wanted) {
		result = rules_route_ensure(netlink, index, wanted);
		if (result == 0)
			log_warnx("routing table %u has a default route already; another one can "
				  "be named, or \"auto\"",
				  wanted);
		return result > 0 ? 0 : result == 0 ? -EEXIST : result;
	}
	if (result == 0)
		result = rules_find_all(netlink, &found);
	/* Another instance may have been faster: then the route exists, and the next table is
	 * tried. */
	for (uint32_t i = 0; i < RULES_TABLES && result == 0; i++) {
		*table = RULES_TABLE_FIRST + i;
		if (!found.used[i])
			result = rules_route_ensure(netlink, index, *table);
	}
	rules_free(&found);
	if (result == 0)
		log_warnx("no routing table is free from %u on", RULES_TABLE_FIRST);
	return result > 0 ? 0 : result == 0 ? -EEXIST : result;
}

/* --- the rules ---------------------------------------------------------------------------- */

static struct nlmsghdr *rules_rule(struct netlink_request *request, uint16_t message,
				   const struct prefix6 *from, uint32_t table)
{
	bool main = table == RT_TABLE_MAIN;
	struct nlmsghdr *header = netlink_start(
		request, message, message == RTM_NEWRULE ? NLM_F_CREATE | NLM_F_EXCL : 0);
	struct fib_rule_hdr *rule = mnl_nlmsg_put_extra_header(header, sizeof(*rule));

	rule->family = AF_INET6;
	rule->src_len = from->len;
	rule->action = FR_ACT_TO_TBL;
	mnl_attr_put(header, FRA_SRC, sizeof(from->addr), &from->addr);
	mnl_attr_put_u32(header, FRA_TABLE, table);
	mnl_attr_put_u32(header, FRA_PRIORITY, main ? RULES_MAIN_PRIORITY : RULES_TABLE_PRIORITY);
	mnl_attr_put_u8(header, FRA_PROTOCOL, NETLINK_ROUTE_PROTOCOL);
	if (main) {
		mnl_attr_put_u32(header, FRA_SUPPRESS_PREFIXLEN, RULES_DEFAULT_LEN);
		mnl_attr_put_u32(header, FRA_SUPPRESS_IFGROUP, RULES_GROUP);
	}
	return header;
}

static const char *rules_what(char buf[static PREFIX6_STRLEN + 32], const char *verb,
			      const struct prefix6 *from)
{
	char text[PREFIX6_STRLEN];

	(void)snprintf(buf, PREFIX6_STRLEN + 32, "%s the rule from %s", verb,
		       prefix6_format(from, text));
	return buf;
}

int rules_ensure(struct netlink *netlink, const struct prefix6 *from, uint32_t table)
{
	char what[PREFIX6_STRLEN + 32];
	struct netlink_request request;
	int first = netlink_ensure(netlink, rules_rule(&request, RTM_NEWRULE, from, RT_TABLE_MAIN),
				   rules_what(what, "add", from));
	int second;

	if (first < 0)
		return first;
	second = netlink_ensure(netlink, rules_rule(&request, RTM_NEWRULE, from, table), what);
	return second < 0 ? second : first | second;
}

static int rules_remove(struct netlink *netlink, const struct prefix6 *from, uint32_t table)
{
	char what[PREFIX6_STRLEN + 32];
	struct netlink_request request;

	return netlink_talk(netlink, rules_rule(&request, RTM_DELRULE, from, table), ENOENT,
			    rules_what(what, "remove", from));
}

int rules_delete(struct netlink *netlink, const struct prefix6 *from)
{
	struct rules_found found = {.tables = NULL};
	int result = rules_find(netlink, &found);

	for (size_t i = 0; i < found.n_rules && result == 0; i++) {
		if (prefix6_equal(&found.list[i].from, from))
			result = rules_remove(netlink, from, found.list[i].table);
	}
	rules_free(&found);
	return result;
}

/* Whether one of our rules for the prefix leads to a table that has a route of ours. */
static bool rules_live(const struct rules_found *found, const struct prefix6 *from)
{
	for (size_t i = 0; i < found->n_rules; i++) {
		if (!prefix6_equal(&found->list[i].from, from))
			continue;
		for (size_t j = 0; j < found->n_tables; j++) {
			if (found->tables[j] == found->list[i].table)
				return true;
		}
	}
	return false;
}

int rules_sweep(struct netlink *netlink)
{
	struct rules_found found = {.tables = NULL};
	int result = rules_find_all(netlink, &found);
	int count = 0;

	for (size_t i = 0; i < found.n_rules && result == 0; i++) {
		const struct rules_rule *rule = &found.list[i];

		if (rules_live(&found, &rule->from))
			continue;
		result = rules_remove(netlink, &rule->from, rule->table);
		count += rule->table != RT_TABLE_MAIN;
	}
	rules_free(&found);
	return result < 0 ? result : count;
}
