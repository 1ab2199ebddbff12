/* SPDX-License-Identifier: BSD-2-Clause */
/* What is noticed of what others do to routes, in a network of the test's own. */
#include "netconf/interface_watch.h"

#include "base/clock.h"
#include "base/log.h"
#include "netconf/netlink_talk.h"
#include "netconf/tun.h"
#include "tests/unit/base/need.h"
#include "tests/unit/base/network.h"
#include "tests/unit/proto/addresses.h"

#include <linux/rtnetlink.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

struct rig {
	struct event_base *base;
	struct netlink *netlink;
	struct interface_watch *watch;
	int device;
	unsigned int index;  /* of the device */
	unsigned int all;    /* how often anything may have been touched */
	unsigned int one;    /* how often the device */
	unsigned int news;   /* how often a network there may be another one */
	unsigned int routes; /* how often somebody else's routes were others */
	unsigned int looks;  /* how often it was time to look, and when last */
	int64_t looked;
};

static void on_touched(unsigned int index, void *arg)
{
	struct rig *rig = arg;

	rig->all += index == 0;
	rig->one += index == rig->index;
}

static void on_neighbours(unsigned int index, void *arg)
{
	struct rig *rig = arg;

	rig->news += index == rig->index;
}

static void on_routes(void *arg)
{
	struct rig *rig = arg;

	rig->routes++;
}

static void on_look(void *arg)
{
	struct rig *rig = arg;

	rig->looks++;
	rig->looked = clock_ms();
	(void)event_base_loopbreak(rig->base);
}

/* Reads what there is; the kernel has told of a change before it acknowledges it. */
static void listen_to_all(struct rig *rig)
{
	rig->all = rig->one = rig->news = rig->routes = 0;
	assert_int_not_equal(event_base_loop(rig->base, EVLOOP_NONBLOCK), -1);
}

static int open_rig(void **state)
{
	struct rig *rig = calloc(1, sizeof(*rig));

	assert_non_null(rig);
	need(network_make(), "a network namespace");
	rig->base = event_base_new();
	assert_non_null(rig->base);
	assert_int_equal(netlink_open(&rig->netlink), 0);
	rig->device = tun_open("lan0", &rig->index);
	assert_true(rig->device >= 0);
	assert_int_equal(netlink_link_setup(rig->netlink, rig->index, "lan", 1280), 0);
	rig->watch = interface_watch_new(
		rig->base, &(const struct interface_watch_owner){.touched = on_touched,
								 .neighbours = on_neighbours,
								 .routes = on_routes,
								 .look = on_look,
								 .arg = rig});
	assert_non_null(rig->watch);
	*state = rig;
	return 0;
}

static int close_rig(void **state)
{
	struct rig *rig = *state;

	interface_watch_free(rig->watch);
	assert_int_equal(close(rig->device), 0);
	netlink_close(rig->netlink);
	event_base_free(rig->base);
	free(rig);
	return 0;
}

/* An administrator's route into the device. */
static void by_hand(struct rig *rig, uint16_t type, uint16_t flags, uint32_t metric)
{
	const struct prefix6 to = prefix("2001:db8:100::/56");
	struct netlink_request request;
	struct nlmsghdr *header = netlink_start(&request, type, flags);
	struct rtmsg *route = mnl_nlmsg_put_extra_header(header, sizeof(*route));

	route->rtm_family = AF_INET6;
	route->rtm_dst_len = to.len;
	route->rtm_table = RT_TABLE_MAIN;
	route->rtm_protocol = RTPROT_BOOT;
	route->rtm_type = RTN_UNICAST;
	mnl_attr_put(header, RTA_DST, sizeof(to.addr), &to.addr);
	mnl_attr_put_u32(header, RTA_OIF, rig->index);
	mnl_attr_put_u32(header, RTA_PRIORITY, metric);
	assert_int_equal(netlink_talk(rig->netlink, header, 0, "change a route by hand"), 0);
}

/* Whoever holds the place, and however they came to it: once they go, ours is missing. */
static void test_place_of_reject_route(void **state)
{
	const struct prefix6 to = prefix("2001:db8:100::/56");
	struct rig *rig = *state;

	by_hand(rig, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL, NETLINK_REJECT_METRIC);
	assert_int_equal(netlink_reject_ensure(rig->netlink, &to), 0);
	listen_to_all(rig);
	by_hand(rig, RTM_DELROUTE, 0, NETLINK_REJECT_METRIC);
	listen_to_all(rig);
	assert_int_equal(rig->all, 1);
	assert_int_equal(netlink_reject_ensure(rig->netlink, &to), 1);
	by_hand(rig, RTM_NEWROUTE, NLM_F_REPLACE, NETLINK_REJECT_METRIC);
	listen_to_all(rig);
	by_hand(rig, RTM_DELROUTE, 0, NETLINK_REJECT_METRIC);
	listen_to_all(rig);
	assert_int_equal(rig->all, 1);
	assert_int_equal(netlink_reject_ensure(rig->netlink, &to), 1);
	assert_int_equal(netlink_reject_delete(rig->netlink, &to), 0);
	listen_to_all(rig);
	assert_int_equal(rig->all, 1);
	/* A route goes with its interface, too. */
	by_hand(rig, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL, NETLINK_REJECT_METRIC);
	listen_to_all(rig);
	assert_int_equal(netlink_link_delete(rig->netlink, rig->index), 0);
	listen_to_all(rig);
	assert_int_equal(rig->all, 1);
}

/* A route of ours is its interface's; others' are nobody's. */
static void test_other_routes(void **state)
{
	const struct prefix6 to = prefix("2001:db8:100::/56");
	struct rig *rig = *state;

	assert_int_equal(netlink_route_add(rig->netlink, rig->index, &to, 1024), 0);
	listen_to_all(rig);
	assert_int_equal(netlink_route_delete(rig->netlink, rig->index, &to), 0);
	listen_to_all(rig);
	assert_true(rig->one > 0);
	assert_int_equal(rig->all, 0);
	assert_int_equal(rig->routes, 0);
	by_hand(rig, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL, 1024);
	by_hand(rig, RTM_DELROUTE, 0, 1024);
	listen_to_all(rig);
	assert_int_equal(rig->all, 0);
	assert_int_equal(rig->routes, 2);
}

/* One that is on-link comes or goes; those of ours are none, nor is what every interface has. */
static void test_networks(void **state)
{
	const struct prefix6 to = prefix("2001:db8:200::/56");
	struct rig *rig = *state;

	listen_to_all(rig);
	assert_int_equal(netlink_route_add(rig->netlink, rig->index, &to, 1024), 0);
	assert_int_equal(netlink_route_delete(rig->netlink, rig->index, &to), 0);
	listen_to_all(rig);
	assert_int_equal(rig->news, 0);
	by_hand(rig, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL, 1024);
	listen_to_all(rig);
	assert_int_equal(rig->news, 1);
	by_hand(rig, RTM_DELROUTE, 0, 1024);
	listen_to_all(rig);
	assert_int_equal(rig->news, 1);
}

/* What we remove ourselves is nothing to look after; what others do with the same routes is. */
static void test_own_routes(void **state)
{
	const struct prefix6 to = prefix("2001:db8:100::/56");
	struct rig *rig = *state;
	struct netlink *own = NULL;

	assert_int_equal(netlink_open(&own), 0);
	interface_watch_free(rig->watch);
	rig->watch = interface_watch_new(
		rig->base, &(const struct interface_watch_owner){
				   .touched = on_touched, .look = on_look, .arg = rig, .own = own});
	assert_non_null(rig->watch);
	assert_int_equal(netlink_route_add(own, rig->index, &to, 1024), 0);
	assert_int_equal(netlink_reject_ensure(own, &to), 1);
	assert_int_equal(netlink_route_delete(own, rig->index, &to), 0);
	assert_int_equal(netlink_reject_delete(own, &to), 0);
	listen_to_all(rig);
	assert_int_equal(rig->one, 0);
	assert_int_equal(rig->all, 0);
	assert_int_equal(netlink_route_add(own, rig->index, &to, 1024), 0);
	assert_int_equal(netlink_reject_ensure(own, &to), 1);
	assert_int_equal(netlink_route_delete(rig->netlink, rig->index, &to), 0);
	assert_int_equal(netlink_reject_delete(rig->netlink, &to), 0);
	listen_to_all(rig);
	assert_int_equal(rig->one, 1);
	assert_int_equal(rig->all, 1);
	netlink_close(own);
}

/* Sends something to whoever listens to the kernel. */
static void announce(const void *message, size_t size)
{
	const struct sockaddr_nl everybody = {.nl_family = AF_NETLINK, .nl_groups = RTMGRP_LINK};
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);

	assert_int_not_equal(fd, -1);
	assert_int_equal(sendto(fd, message, size, 0, (const struct sockaddr *)&everybody,
				sizeof(everybody)),
			 size);
	assert_int_equal(close(fd), 0);
}

/* What cannot be read may have been about anything. */
static void test_unread(void **state)
{
	static union {
		struct nlmsghdr header;
		char bytes[20000];
	} message;
	struct rig *rig = *state;

	listen_to_all(rig);
	/* One that is too long. */
	message.header = (struct nlmsghdr){.nlmsg_type = NLMSG_NOOP, .nlmsg_len = sizeof(message)};
	announce(&message, sizeof(message));
	listen_to_all(rig);
	assert_int_equal(rig->all, 1);
	/* Too many, of which none says anything. */
	message.header.nlmsg_len = 16000;
	for (int i = 0; i < 1000; i++)
		announce(&message, 16000);
	listen_to_all(rig);
	assert_true(rig->all > 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_rig, close_rig)

/* Several changes are one look, which waits for the last of them, unless somebody is in a hurry. */
static void test_time_of_looks(void **state)
{
	struct rig *rig = *state;
	const int64_t start = clock_ms();

	interface_watch_look_by(rig->watch, start + 3600000);
	interface_watch_look_soon(rig->watch);
	interface_watch_look_soon(rig->watch);
	assert_int_not_equal(event_base_dispatch(rig->base), -1);
	assert_int_equal(rig->looks, 1);
	assert_true(rig->looked >= start + 100);
	/* After a repair it takes longer than whoever asks by time allows. */
	interface_watch_repaired(rig->watch);
	interface_watch_look_soon(rig->watch);
	interface_watch_look_by(rig->watch, clock_ms() + 1);
	interface_watch_look_soon(rig->watch);
	assert_int_not_equal(event_base_dispatch(rig->base), -1);
	assert_int_equal(rig->looks, 2);
	assert_true(rig->looked < start + 3600000);
	interface_watch_look_by(NULL, 0);
	interface_watch_look_soon(NULL);
	interface_watch_repaired(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_place_of_reject_route),
		TEST(test_other_routes),
		TEST(test_networks),
		TEST(test_own_routes),
		TEST(test_unread),
		TEST(test_time_of_looks),
	};

	log_init("test", NULL, false);
	return cmocka_run_group_tests_name("monitor linkwatch", tests, NULL, NULL);
}
