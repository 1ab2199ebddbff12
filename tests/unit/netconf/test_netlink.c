/* SPDX-License-Identifier: BSD-2-Clause */
/* What the routing socket brings about, in a network of the test's own. */
#include "netconf/netlink.h"

#include "base/log.h"
#include "netconf/tun.h"
#include "tests/unit/base/capture.h"
#include "tests/unit/base/need.h"
#include "tests/unit/base/network.h"
#include "tests/unit/netconf/by_hand.h"
#include "tests/unit/netconf/failing.h"
#include "tests/unit/proto/addresses.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

struct rig {
	struct netlink *netlink;
	int tun;
	unsigned int index;
};

static int open_rig(void **state)
{
	struct rig *rig = calloc(1, sizeof(*rig));

	assert_non_null(rig);
	need(network_make(), "a network namespace");
	assert_int_equal(netlink_open(&rig->netlink), 0);
	rig->tun = tun_open("tunnel", &rig->index);
	assert_true(rig->tun >= 0);
	assert_int_equal(netlink_link_setup(rig->netlink, rig->index, "test", 1280), 0);
	*state = rig;
	return 0;
}

static int close_rig(void **state)
{
	struct rig *rig = *state;

	close(rig->tun);
	netlink_close(rig->netlink);
	free(rig);
	return 0;
}

static void test_an_address_is_there_once(void **state)
{
	struct rig *rig = *state;
	const struct in6_addr addr = addr6("2001:db8::1");

	assert_int_equal(netlink_address_ensure(rig->netlink, rig->index, &addr, 128, NULL), 1);
	assert_true(netlink_address_await(rig->netlink, &addr));
	assert_int_equal(netlink_address_ensure(rig->netlink, rig->index, &addr, 128, NULL), 0);
	assert_int_equal(netlink_address_delete(rig->netlink, rig->index, &addr, 128), 0);
	assert_int_equal(netlink_address_delete(rig->netlink, rig->index, &addr, 128), 0);
}

static void test_missing_address_is_not_awaited_forever(void **state)
{
	struct rig *rig = *state;
	const struct in6_addr addr = addr6("2001:db8::2");
	bool local;

	capture_begin(STDERR_FILENO);
	local = netlink_address_await(rig->netlink, &addr);
	assert_non_null(
		strstr(capture_end(), "the kernel does not take packets to 2001:db8::2 in yet\n"));
	assert_false(local);
}

/* --- what is not there, or there already -------------------------------------------------- */

static void test_what_is_gone_need_not_be_removed(void **state)
{
	const struct in6_addr addr = addr6("2001:db8::1");
	const struct prefix6 route = prefix("2001:db8:1::/48");
	struct rig *rig = *state;
	unsigned int indices[3] = {rig->index, 4711, 4712};

	assert_int_equal(netlink_route_delete(rig->netlink, rig->index, &route), 0);
	assert_int_equal(netlink_reject_delete(rig->netlink, &route), 0);
	assert_int_equal(netlink_link_local_delete(rig->netlink, rig->index, &addr), 0);
	assert_int_equal(netlink_address_prefer(rig->netlink, rig->index, &addr, 128, false), 0);
	assert_int_equal(netlink_link_delete(rig->netlink, 4711), 0);
	/* One that is there goes with others that are not. */
	assert_int_equal(netlink_links_delete(rig->netlink, indices, 3), 0);
	assert_int_equal(if_nametoindex("tunnel"), 0);
	assert_int_equal(netlink_links_delete(rig->netlink, indices, 3), 0);
	assert_int_equal(netlink_links_delete(rig->netlink, indices, 0), 0);
}

/* Each says what could not be done, in the kernel's own words if it has any. */
static void test_no_such_interface(void **state)
{
	const struct in6_addr addr = addr6("2001:db8::1");
	const struct prefix6 route = prefix("2001:db8:1::/48");
	const struct rig *rig = *state;
	struct netlink *netlink = rig->netlink;
	int setup, up, address, add, ensure;
	const char *said;

	capture_begin(STDERR_FILENO);
	setup = netlink_link_setup(netlink, 4711, "test", 1280);
	up = netlink_link_set_up(netlink, 4711, false);
	address = netlink_address_ensure(netlink, 4711, &addr, 128, NULL);
	add = netlink_route_add(netlink, 4711, &route, 1024);
	ensure = netlink_route_ensure(netlink, 4711, &route, 1024);
	said = capture_end();
	assert_int_equal(setup, -ENODEV);
	assert_int_equal(up, -ENODEV);
	assert_int_equal(address, -ENODEV);
	assert_int_equal(add, -ENODEV);
	assert_int_equal(ensure, -ENODEV);
	assert_non_null(strstr(said, "test: cannot configure the interface: "));
	assert_non_null(strstr(said, "test: cannot set it down: "));
	assert_non_null(strstr(said, "test: cannot add the address 2001:db8::1: "));
	assert_non_null(strstr(said, "test: cannot add the route 2001:db8:1::/48: "));
}

static void test_a_route_is_there_once(void **state)
{
	const struct prefix6 route = prefix("2001:db8:1::/48");
	const struct rig *rig = *state;
	int again;

	assert_int_equal(netlink_route_ensure(rig->netlink, rig->index, &route, 1024), 1);
	assert_int_equal(netlink_route_ensure(rig->netlink, rig->index, &route, 1024), 0);
	capture_begin(STDERR_FILENO);
	again = netlink_route_add(rig->netlink, rig->index, &route, 1024);
	(void)capture_end();
	assert_int_equal(again, -EEXIST);
	assert_int_equal(netlink_route_delete(rig->netlink, rig->index, &route), 0);
	assert_int_equal(netlink_route_ensure(rig->netlink, rig->index, &route, 1024), 1);
}

/* --- reject routes ------------------------------------------------------------------------ */

static const char *add_reject(struct netlink *netlink, const struct prefix6 *to)
{
	const char *said;
	int result;

	capture_begin(STDERR_FILENO);
	result = netlink_reject_add(netlink, to);
	said = capture_end();
	assert_int_equal(result, 0);
	return said;
}

static void test_reject_routes(void **state)
{
	const struct prefix6 outer = prefix("2001:db8::/32");
	const struct prefix6 inner = prefix("2001:db8:100::/56");
	const struct prefix6 other = prefix("fd00:1::/48");
	const struct prefix6 theirs = prefix("fd00:2::/48");
	const struct rig *rig = *state;

	assert_string_equal(add_reject(rig->netlink, &outer), "");
	assert_string_equal(add_reject(rig->netlink, &inner), "");
	assert_string_equal(add_reject(rig->netlink, &other), "");
	/* It was left behind; that there is one for more, or for less, is no matter. */
	assert_string_equal(
		add_reject(rig->netlink, &inner),
		"test: took over the reject route 2001:db8:100::/56, which was there already\n");
	/* Somebody's, in the very place of ours. */
	by_hand_route(rig->netlink, &theirs, RTN_UNREACHABLE, RTA_PRIORITY, NETLINK_REJECT_METRIC);
	assert_string_equal(
		add_reject(rig->netlink, &theirs),
		"test: no reject route fd00:2::/48 is made: somebody else has a route to it\n");
	/* What lies within, and nobody else's. */
	assert_int_equal(netlink_reject_sweep(rig->netlink, &inner), 1);
	assert_int_equal(netlink_reject_sweep(rig->netlink, &outer), 1);
	assert_int_equal(netlink_reject_sweep(rig->netlink, NULL), 1);
	assert_int_equal(netlink_reject_sweep(rig->netlink, NULL), 0);
	assert_int_equal(netlink_reject_delete(rig->netlink, &theirs), 0);
	assert_int_equal(netlink_reject_ensure(rig->netlink, &theirs), 0);
}

/* --- lists -------------------------------------------------------------------------------- */

struct found {
	unsigned int index;
	unsigned int count;
};

static void on_link(unsigned int index, const char *name, void *arg)
{
	struct found *found = arg;

	assert_string_equal(name, "tunnel");
	found->index = index;
	found->count++;
}

static void test_by_alias(void **state)
{
	const struct rig *rig = *state;
	struct found found = {.index = 0};

	assert_int_equal(netlink_links_by_alias(rig->netlink, "test", on_link, &found), 1);
	assert_int_equal(found.index, rig->index);
	/* All of it, and nothing but that. */
	assert_int_equal(netlink_links_by_alias(rig->netlink, "tes", on_link, &found), 0);
	assert_int_equal(netlink_links_by_alias(rig->netlink, "test2", on_link, &found), 0);
	assert_int_equal(found.count, 1);
}

static void on_uplink(unsigned int index, void *arg)
{
	struct found *found = arg;

	found->index = index;
	found->count++;
}

static void test_uplinks(void **state)
{
	const struct prefix6 everything = {.len = 0};
	const struct prefix6 something = prefix("2001:db8:1::/48");
	const struct rig *rig = *state;
	struct found found = {.index = 0};

	assert_int_equal(netlink_route_add(rig->netlink, rig->index, &something, 1024), 0);
	assert_int_equal(netlink_reject_ensure(rig->netlink, &everything), 1);
	assert_int_equal(netlink_uplinks(rig->netlink, on_uplink, &found), 0);
	assert_int_equal(found.count, 0);
	assert_int_equal(netlink_route_add(rig->netlink, rig->index, &everything, 1024), 0);
	assert_int_equal(netlink_uplinks(rig->netlink, on_uplink, &found), 0);
	assert_int_equal(found.count, 1);
	assert_int_equal(found.index, rig->index);
}

/* --- a socket that fails ------------------------------------------------------------------ */

/* More routes than fit into one part of the kernel's answer. */
enum { ROUTES = 1000 };

static void add_many(struct netlink *netlink)
{
	for (unsigned int i = 0; i < ROUTES; i++) {
		struct prefix6 route = prefix("2001:db8::/48");

		route.addr.s6_addr[4] = (uint8_t)(i >> 8);
		route.addr.s6_addr[5] = (uint8_t)i;
		assert_int_equal(netlink_reject_ensure(netlink, &route), 1);
	}
}

/* Others go on changing routes and interfaces: all that stays as it is is listed nevertheless. */
static void test_changed_while_it_is_listed(void **state)
{
	const struct rig *rig = *state;

	add_many(rig->netlink);
	failing_interrupt();
	assert_int_equal(netlink_reject_sweep(rig->netlink, NULL), ROUTES);
	assert_true(failing_happened());
}

/* A list that was not read to its end is not taken for a part of the next one. */
static void test_list_is_broken_off(void **state)
{
	const struct rig *rig = *state;
	const char *said;
	int result;

	add_many(rig->netlink);
	failing_at(1, FAILING_ANSWER);
	capture_begin(STDERR_FILENO);
	result = netlink_reject_sweep(rig->netlink, NULL);
	said = capture_end();
	assert_true(failing_happened());
	assert_int_equal(result, -ENOBUFS);
	assert_string_equal(said, "test: cannot list the routes: No buffer space available\n");
	assert_int_equal(netlink_links_by_alias(rig->netlink, "none", on_link, NULL), 0);
	assert_int_equal(netlink_reject_sweep(rig->netlink, NULL), ROUTES);
}

/* The answer to one request that comes late is not the answer to the next. */
static void test_late_answer(void **state)
{
	const struct prefix6 route = prefix("2001:db8:1::/48");
	const struct in6_addr addr = addr6("2001:db8::1");
	const struct rig *rig = *state;
	const char *said;
	int result;

	failing_at(1, FAILING_ANSWER);
	capture_begin(STDERR_FILENO);
	result = netlink_route_ensure(rig->netlink, rig->index, &route, 1024);
	said = capture_end();
	assert_int_equal(result, -ENOBUFS);
	assert_string_equal(said, "test: cannot add the route 2001:db8:1::/48: routing socket: No "
				  "buffer space available\n");
	/* The kernel has done it. */
	assert_int_equal(netlink_route_ensure(rig->netlink, rig->index, &route, 1024), 0);
	failing_at(1, FAILING_ANSWER);
	capture_begin(STDERR_FILENO);
	result = netlink_address_ensure(rig->netlink, rig->index, &addr, 128, NULL);
	(void)capture_end();
	assert_int_equal(result, -ENOBUFS);
	/* Here the next thing is a question. */
	assert_true(netlink_address_await(rig->netlink, &addr));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_rig, close_rig)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_an_address_is_there_once),
		TEST(test_missing_address_is_not_awaited_forever),
		TEST(test_what_is_gone_need_not_be_removed),
		TEST(test_no_such_interface),
		TEST(test_a_route_is_there_once),
		TEST(test_reject_routes),
		TEST(test_by_alias),
		TEST(test_uplinks),
		TEST(test_changed_while_it_is_listed),
		TEST(test_list_is_broken_off),
		TEST(test_late_answer),
	};

	log_init("test", NULL, false);
	return cmocka_run_group_tests_name("netconf netlink", tests, NULL, NULL);
}
