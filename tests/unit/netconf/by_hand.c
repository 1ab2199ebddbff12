/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/netconf/by_hand.h"

#include "netconf/netlink_talk.h"

#include <linux/rtnetlink.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include <cmocka.h>

void by_hand_route(struct netlink *netlink, const struct prefix6 *to, uint8_t type,
		   uint16_t attribute, uint32_t value)
{
	struct netlink_request request;
	struct nlmsghdr *header = netlink_start(&request, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL);
	struct rtmsg *route = mnl_nlmsg_put_extra_header(header, sizeof(*route));

	route->rtm_family = AF_INET6;
	route->rtm_dst_len = to->len;
	route->rtm_table = RT_TABLE_MAIN;
	route->rtm_protocol = RTPROT_BOOT;
	route->rtm_type = type;
	mnl_attr_put(header, RTA_DST, sizeof(to->addr), &to->addr);
	mnl_attr_put_u32(header, attribute, value);
	assert_int_equal(netlink_talk(netlink, header, 0, "make a route by hand"), 0);
}
