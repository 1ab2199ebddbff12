/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The server's devices when the kernel refuses: each of the requests that make one fails once, and
 * what is left behind must be nothing.
 */
#include "base/log.h"
#include "links_rig.h"
#include "netconf/netlink_talk.h"
#include "netconf/tun.h"
#include "tests/unit/base/capture.h"
#include "tests/unit/base/network.h"
#include "tests/unit/netconf/failing.h"
#include "tests/unit/proto/addresses.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static int end(void **state)
{
	failing_at(0, FAILING_REQUEST);
	return links_rig_close(state);
}

/* Both prefixes, in a machine that has no network yet whose router the first address may be. */
static int begin_with_prefixes(void **state)
{
	struct links_rig *rig;

	if (links_rig_begin(state) != 0)
		return -1;
	rig = *state;
	rig->options.has_pool = rig->options.has_host = true;
	rig->options.pool = prefix("fd00:100::/40");
	rig->options.host_prefix = prefix("fd00:1::/64");
	return 0;
}

/* Whichever request fails, there is no device; or there is, and what it lacks is no loss. */
static void test_shared_device(void **state)
{
	const struct in6_addr own = addr6("fd00:100::1");
	struct links_rig *rig = *state;

	for (enum failing_how how = FAILING_REQUEST; how <= FAILING_ANSWER; how++) {
		unsigned int number = 0;
		int fd;

		do {
			capture_begin(STDERR_FILENO);
			failing_at(++number, how);
			fd = links_make_shared(rig->links);
			(void)capture_end();
			if (fd < 0) {
				assert_int_equal(fd, -ENOBUFS);
				assert_int_equal(if_nametoindex("dtcps0"), 0);
				continue;
			}
			assert_int_equal(links_rig_addresses("dtcps0", &own), 1);
			assert_true(links_rig_leads("dtcps0", "fd00:100:7::7"));
			assert_true(links_rig_leads("dtcps0", "fd00:1::7"));
			assert_int_equal(close(fd), 0);
		} while (failing_happened());
		assert_true(number > 8);
	}
}

/* What a look at the shared device asks the kernel. */
static unsigned int requests_of_look(struct links_rig *rig)
{
	struct drift_repair mending = drift_repair_begin(&rig->links->devices[0].kept);

	(void)failing_requests();
	links_mend(rig->links, 0, &mending);
	links_mend_shared(rig->links, &mending);
	assert_int_equal(mending.error, 0);
	return failing_requests();
}

/* As many as without, however many sessions have a route of their own, if they are all there. */
static void test_many_routes(void **state)
{
	enum { ROUTES = 200, REMOVED = 7 };
	struct prefix6 route = prefix("2001:db8:77::/48");
	struct links_rig *rig = *state;
	unsigned int before;

	rig->fds[0] = links_make_shared(rig->links);
	assert_true(rig->fds[0] >= 0);
	before = requests_of_look(rig);
	for (uint8_t i = 0; i < ROUTES; i++) {
		route.addr.s6_addr[5] = i;
		assert_int_equal(links_route_add(rig->links, &route), 0);
	}
	assert_int_equal(requests_of_look(rig), before);
	route.addr.s6_addr[5] = REMOVED;
	assert_int_equal(
		netlink_route_delete(rig->netlink, rig->links->devices[0].kept.index, &route), 0);
	capture_begin(STDERR_FILENO);
	assert_int_equal(requests_of_look(rig), before + 1);
	assert_non_null(strstr(capture_end(), "the route 2001:db8:7::/48 was removed by somebody"));
	assert_true(links_rig_leads("dtcps0", "2001:db8:7::7"));
	assert_int_equal(requests_of_look(rig), before);
}

/* A device of a user's own, at each request; the next session of anybody has the number again. */
static void test_own_device(void **state)
{
	const struct prefix6_set routed = {.n = 1, .list = {prefix("2001:db8:77::/48")}};
	struct links_rig *rig = *state;

	for (enum failing_how how = FAILING_REQUEST; how <= FAILING_ANSWER; how++) {
		unsigned int failures = 0;
		int result;

		do {
			uint32_t number = 0;

			capture_begin(STDERR_FILENO);
			failing_at(failures + 1, how);
			result = links_open(rig->links, 7, addr4(NETWORK_HERE), &routed, &number);
			(void)capture_end();
			assert_int_equal(number, 1);
			if (result == 0)
				break;
			failures++;
			assert_int_equal(result, -ENOBUFS);
			assert_int_equal(rig->fds[1], -1);
			assert_int_equal(if_nametoindex("dtcps1"), 0);
			assert_false(links_rig_leads("dtcps1", "2001:db8:77::1"));
			/* Somebody else takes it, and is none the worse. */
			assert_int_equal(links_rig_open_for(rig, 8, NETWORK_HERE), 1);
			links_close(rig->links, 1);
			links_gone(rig->links, 1);
			assert_int_equal(if_nametoindex("dtcps1"), 0);
		} while (true);
		/* To set it up is two requests, address and route are one each. */
		assert_int_equal(failures, 4);
		assert_true(links_rig_leads("dtcps1", "2001:db8:77::1"));
		links_close(rig->links, 1);
		links_gone(rig->links, 1);
	}
}

/*
 * The next session of a user whose device is there, and who has another prefix now. Where its route
 * cannot be made it has failed; the device is still that of the session before.
 */
static void test_next_session(void **state)
{
	const struct prefix6_set old = {.n = 1, .list = {prefix("2001:db8:77::/48")}};
	const struct prefix6_set routed = {.n = 1, .list = {prefix("2001:db8:88::/48")}};
	struct links_rig *rig = *state;
	uint32_t number, again;

	for (enum failing_how how = FAILING_REQUEST; how <= FAILING_ANSWER; how++) {
		for (unsigned int at = 1; at <= 3; at++) {
			int result;

			assert_int_equal(
				links_open(rig->links, 7, addr4(NETWORK_HERE), &old, &number), 0);
			capture_begin(STDERR_FILENO);
			failing_at(at, how);
			result = links_open(rig->links, 7, addr4(NETWORK_HERE), &routed, &again);
			(void)capture_end();
			assert_true(failing_happened());
			assert_int_equal(again, number);
			/* The address, the old route, the new one. */
			assert_int_equal(result, at == 3 ? -ENOBUFS : 0);
			assert_int_not_equal(rig->fds[number], -1);
			/* That it has failed may be wrong: it is the user's own device. */
			if (how == FAILING_REQUEST)
				assert_true(links_rig_leads("dtcps1", "2001:db8:88::1") ==
					    (result == 0));
			if (result == 0)
				links_close(rig->links, number);
			/* All is well with the next one. */
			assert_int_equal(
				links_open(rig->links, 7, addr4(NETWORK_HERE), &routed, &again), 0);
			assert_true(links_rig_leads("dtcps1", "2001:db8:88::1"));
			links_close(rig->links, number);
			links_close(rig->links, number);
			assert_false(links_rig_leads("dtcps1", "2001:db8:88::1"));
			links_gone(rig->links, number);
			assert_int_equal(if_nametoindex("dtcps1"), 0);
		}
	}
}

/* A route that could not be made, or was thought so: the next session can have it. */
static void test_route(void **state)
{
	const struct prefix6 route = prefix("2001:db8:77::/48");
	struct links_rig *rig = *state;

	for (enum failing_how how = FAILING_REQUEST; how <= FAILING_ANSWER; how++) {
		int result;

		capture_begin(STDERR_FILENO);
		failing_at(1, how);
		result = links_route_add(rig->links, &route);
		(void)capture_end();
		assert_int_equal(result, -ENOBUFS);
		/* What was not made need not be removed. */
		links_route_remove(rig->links, &route);
		assert_int_equal(links_route_add(rig->links, &route), 0);
		assert_true(links_rig_leads("dtcps0", "2001:db8:77::1"));
		links_route_remove(rig->links, &route);
		assert_false(links_rig_leads("dtcps0", "2001:db8:77::1"));
	}
}

/* An administrator has made it by hand: then it is there, and stays. */
static void test_route_that_is_there(void **state)
{
	const struct prefix6 route = prefix("2001:db8:77::/48");
	struct links_rig *rig = *state;
	struct netlink_request request;
	struct nlmsghdr *header = netlink_start(&request, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL);
	struct rtmsg *by_hand = mnl_nlmsg_put_extra_header(header, sizeof(*by_hand));

	by_hand->rtm_family = AF_INET6;
	by_hand->rtm_dst_len = route.len;
	by_hand->rtm_table = RT_TABLE_MAIN;
	by_hand->rtm_protocol = RTPROT_BOOT;
	by_hand->rtm_type = RTN_UNICAST;
	mnl_attr_put(header, RTA_DST, sizeof(route.addr), &route.addr);
	mnl_attr_put_u32(header, RTA_OIF, if_nametoindex("dtcps0"));
	mnl_attr_put_u32(header, RTA_PRIORITY, INTERFACE_METRIC);
	assert_int_equal(netlink_talk(rig->netlink, header, 0, "make a route by hand"), 0);
	assert_int_equal(links_route_add(rig->links, &route), 0);
	assert_true(links_rig_leads("dtcps0", "2001:db8:77::1"));
	links_route_remove(rig->links, &route);
	assert_true(links_rig_leads("dtcps0", "2001:db8:77::1"));
}

#define TEST(name, begin) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_shared_device, begin_with_prefixes),
		TEST(test_many_routes, links_rig_begin),
		TEST(test_own_device, links_rig_open),
		TEST(test_next_session, links_rig_open),
		TEST(test_route, links_rig_open),
		TEST(test_route_that_is_there, links_rig_open),
	};

	log_init("test", NULL, false);
	return cmocka_run_group_tests_name("server links failing", tests, NULL, NULL);
}
