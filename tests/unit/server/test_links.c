/* SPDX-License-Identifier: BSD-2-Clause */
/* The server's devices, as sessions come and go. */
#include "server/root/links.h"

#include "base/log.h"
#include "links_rig.h"
#include "netconf/netlink.h"
#include "netconf/tun.h"
#include "tests/unit/base/network.h"
#include "tests/unit/netconf/by_hand.h"
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
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

/* The same with a prefix that is routed to the device. */
static uint32_t open_with(struct links_rig *rig, int64_t user, const char *text)
{
	const struct prefix6_set routed = {.n = 1, .list = {prefix(text)}};
	uint32_t number = 0;

	assert_int_equal(links_open(rig->links, user, addr4("192.0.2.1"), &routed, &number), 0);
	return number;
}

/* Waits for the process that removes devices; false where there is none. */
static bool removed(struct links_rig *rig)
{
	int status;
	pid_t pid = waitpid(-1, &status, 0);

	if (pid == -1) {
		assert_int_equal(errno, ECHILD);
		return false;
	}
	assert_false(links_reaped(rig->links, pid + 1, status));
	assert_true(links_reaped(rig->links, pid, status));
	assert_int_equal(status, 0);
	return true;
}

/* What an administrator has put on a device is there for the user's next session. */
static void test_device_is_kept(void **state)
{
	const struct in6_addr by_hand = addr6("2001:db8:77::1");
	struct links_rig *rig = *state;
	uint32_t number = links_rig_open_for(rig, 7, "192.0.2.1");
	unsigned int index = if_nametoindex("dtcps1");

	assert_int_equal(number, 1);
	assert_int_equal(netlink_address_ensure(rig->netlink, index, &by_hand, 128, NULL), 1);
	links_close(rig->links, number);
	links_tidy(rig->links);
	assert_false(removed(rig));
	/* Somebody else gets another one. */
	assert_int_equal(links_rig_open_for(rig, 8, "192.0.2.1"), 2);
	assert_int_equal(links_rig_open_for(rig, 7, "192.0.2.9"), 1);
	assert_int_equal(if_nametoindex("dtcps1"), index);
	assert_int_equal(links_rig_addresses("dtcps1", &by_hand), 1);
	/* The client knows us by another address than before. */
	assert_int_equal(links_rig_link_locals("dtcps1", "192.0.2.9"), 1);
	assert_int_equal(links_rig_link_locals("dtcps1", "192.0.2.1"), 0);
}

/* It leads to the device of its user as long as there is a session; so does no other one. */
static void test_prefix(void **state)
{
	struct links_rig *rig = *state;

	assert_int_equal(open_with(rig, 7, "2001:db8:77::/48"), 1);
	assert_int_equal(open_with(rig, 8, "2001:db8:88::/48"), 2);
	assert_true(links_rig_leads("dtcps1", "2001:db8:77::1"));
	assert_true(links_rig_leads("dtcps2", "2001:db8:88::1"));
	assert_false(links_rig_leads("dtcps2", "2001:db8:77::1"));
	/* The user's next session, and the end of the older one. */
	assert_int_equal(open_with(rig, 7, "2001:db8:77::/48"), 1);
	links_close(rig->links, 1);
	assert_true(links_rig_leads("dtcps1", "2001:db8:77::1"));
	links_close(rig->links, 1);
	assert_false(links_rig_leads("dtcps1", "2001:db8:77::1"));
	assert_true(links_rig_leads("dtcps2", "2001:db8:88::1"));
	/* An administrator has decided otherwise meanwhile, and then that there is none. */
	assert_int_equal(open_with(rig, 7, "2001:db8:99::/48"), 1);
	assert_false(links_rig_leads("dtcps1", "2001:db8:77::1"));
	assert_true(links_rig_leads("dtcps1", "2001:db8:99::1"));
	assert_int_equal(open_with(rig, 7, "2001:db8:77::/48"), 1);
	assert_true(links_rig_leads("dtcps1", "2001:db8:77::1"));
	assert_false(links_rig_leads("dtcps1", "2001:db8:99::1"));
	assert_int_equal(links_rig_open_for(rig, 7, "192.0.2.1"), 1);
	assert_false(links_rig_leads("dtcps1", "2001:db8:77::1"));
}

/* All of several are led there, and what is in both sets stays when they change. */
static void test_several_prefixes(void **state)
{
	const struct prefix6_set before = {
		.n = 2, .list = {prefix("2001:db8:77::/48"), prefix("2001:db8:88::/56")}};
	const struct prefix6_set after = {.n = 3,
					  .list = {prefix("2001:db8:99::/48"),
						   prefix("2001:db8:77::/48"),
						   prefix("2001:db8:aa::/64")}};
	struct links_rig *rig = *state;
	uint32_t number;

	assert_int_equal(links_open(rig->links, 7, addr4("192.0.2.1"), &before, &number), 0);
	assert_int_equal(number, 1);
	assert_true(links_rig_leads("dtcps1", "2001:db8:77::1"));
	assert_true(links_rig_leads("dtcps1", "2001:db8:88::1"));
	assert_int_equal(links_open(rig->links, 7, addr4("192.0.2.1"), &after, &number), 0);
	assert_true(links_rig_leads("dtcps1", "2001:db8:77::1"));
	assert_false(links_rig_leads("dtcps1", "2001:db8:88::1"));
	assert_true(links_rig_leads("dtcps1", "2001:db8:99::1"));
	assert_true(links_rig_leads("dtcps1", "2001:db8:aa::1"));
	links_close(rig->links, 1);
	links_close(rig->links, 1);
	assert_false(links_rig_leads("dtcps1", "2001:db8:77::1"));
	assert_false(links_rig_leads("dtcps1", "2001:db8:aa::1"));
}

/* If it was removed meanwhile, there is a new one, whether or not we have heard of that. */
static void test_kept_device_is_removed(void **state)
{
	struct links_rig *rig = *state;
	unsigned int index;

	links_close(rig->links, links_rig_open_for(rig, 7, "192.0.2.1"));
	index = if_nametoindex("dtcps1");
	assert_int_equal(netlink_link_delete(rig->netlink, index), 0);
	assert_int_equal(links_rig_open_for(rig, 7, "192.0.2.1"), 1);
	assert_int_not_equal(if_nametoindex("dtcps1"), 0);
	assert_int_not_equal(if_nametoindex("dtcps1"), index);
	assert_int_equal(links_rig_link_locals("dtcps1", "192.0.2.1"), 1);
}

/* Nor can it be made, as long as somebody has its name. */
static void test_name_is_taken(void **state)
{
	const struct prefix6_set none = {.n = 0};
	struct links_rig *rig = *state;
	uint32_t number;
	int fd;
	unsigned int index;

	links_close(rig->links, links_rig_open_for(rig, 7, "192.0.2.1"));
	assert_int_equal(netlink_link_delete(rig->netlink, if_nametoindex("dtcps1")), 0);
	fd = tun_open("dtcps1", &index);
	assert_true(fd >= 0);
	assert_int_equal(links_open(rig->links, 7, addr4("192.0.2.1"), &none, &number), -EEXIST);
	assert_int_equal(rig->fds[1], -1);
	assert_int_equal(close(fd), 0);
	assert_int_equal(links_rig_open_for(rig, 7, "192.0.2.1"), 1);
}

/* They go together, in another process; and one can be opened meanwhile. */
static void test_removed_together(void **state)
{
	struct links_rig *rig = *state;
	uint32_t again;

	rig->options.tunnelonly_keep = 0;
	for (int64_t user = 1; user <= 20; user++)
		(void)links_rig_open_for(rig, user, "192.0.2.1");
	for (uint32_t number = 1; number <= 20; number++)
		links_close(rig->links, number);
	assert_int_not_equal(if_nametoindex("dtcps20"), 0);
	links_tidy(rig->links);
	/* One process at a time. */
	links_tidy(rig->links);
	again = links_rig_open_for(rig, 1, "192.0.2.1");
	assert_int_equal(again, 21);
	assert_true(removed(rig));
	assert_false(removed(rig));
	for (uint32_t number = 1; number <= 20; number++) {
		char name[IFNAMSIZ];

		server_interface_name(&rig->options, number, name);
		assert_int_equal(if_nametoindex(name), 0);
		assert_int_equal(rig->fds[number], -1);
	}
	assert_int_not_equal(if_nametoindex("dtcps0"), 0);
	assert_int_not_equal(if_nametoindex("dtcps21"), 0);
	/* Their numbers are free. */
	assert_in_range(links_rig_open_for(rig, 2, "192.0.2.1"), 1, 20);
}

/* That somebody was quicker is no failure, whether with one of them or with all. */
static void test_removed_by_another_program(void **state)
{
	struct links_rig *rig = *state;

	rig->options.tunnelonly_keep = 0;
	for (int left = 1; left >= 0; left--) {
		uint32_t one = links_rig_open_for(rig, 1, "192.0.2.1");
		uint32_t two = links_rig_open_for(rig, 2, "192.0.2.1");

		links_close(rig->links, one);
		links_close(rig->links, two);
		assert_int_equal(netlink_link_delete(rig->netlink, if_nametoindex("dtcps1")), 0);
		if (!left)
			assert_int_equal(
				netlink_link_delete(rig->netlink, if_nametoindex("dtcps2")), 0);
		links_tidy(rig->links);
		assert_true(removed(rig));
		assert_int_equal(rig->fds[one], -1);
		assert_int_equal(rig->fds[two], -1);
	}
}

/* The process dies; what it has not done is tried again, but not at once. */
static void test_remover_fails(void **state)
{
	struct links_rig *rig = *state;
	int status;
	pid_t pid;

	rig->options.tunnelonly_keep = 0;
	links_close(rig->links, links_rig_open_for(rig, 1, "192.0.2.1"));
	links_tidy(rig->links);
	pid = waitpid(-1, &status, 0);
	assert_true(pid > 0);
	assert_true(links_reaped(rig->links, pid, EXIT_FAILURE << 8));
	assert_int_not_equal(rig->fds[1], -1);
	links_tidy(rig->links);
	assert_false(removed(rig));
}

/* The machine gets one address after the other: clients that come to the last one can use it. */
static void test_address_changes(void **state)
{
	struct links_rig *rig = *state;
	char text[INET_ADDRSTRLEN];

	for (int i = 1; i <= 100; i++) {
		(void)snprintf(text, sizeof(text), "198.51.100.%d", i);
		links_link_local(rig->links, addr4(text));
		assert_int_equal(links_rig_link_locals("dtcps0", text), 1);
	}
	/* Those that the machine has not got any more do not gather, and the one it has stays. */
	assert_true(links_rig_addresses("dtcps0", NULL) <= 18);
	assert_int_equal(links_rig_link_locals("dtcps0", NETWORK_HERE), 1);
}

/* Or it has as many. */
static void test_many_addresses(void **state)
{
	struct links_rig *rig = *state;
	char text[INET_ADDRSTRLEN];

	for (int round = 1; round <= 2; round++) {
		for (int i = 1; i <= 100; i++) {
			(void)snprintf(text, sizeof(text), "192.0.2.%d", i);
			links_link_local(rig->links, addr4(text));
		}
	}
	for (int i = 1; i <= 100; i++) {
		(void)snprintf(text, sizeof(text), "192.0.2.%d", i);
		assert_int_equal(links_rig_link_locals("dtcps0", text), 1);
	}
	assert_int_equal(links_rig_addresses("dtcps0", NULL), 100);
}

static struct prefix6 numbered(unsigned int number)
{
	struct prefix6 route = prefix("2001:db8:7000::/48");

	route.addr.s6_addr[4] = (uint8_t)(0x70 | number >> 8);
	route.addr.s6_addr[5] = (uint8_t)number;
	return route;
}

/* A session's route ends with the last of those that have it, and concerns no other one. */
static void test_routes(void **state)
{
	enum { ROUTES = 300 };
	struct event_base *base = event_base_new();
	struct links_rig *rig = *state;
	struct prefix6 route;

	assert_non_null(base);
	for (unsigned int i = 0; i < ROUTES; i++) {
		route = numbered(i);
		assert_int_equal(links_route_add(rig->links, &route), 0);
		if (i % 3 == 0)
			assert_int_equal(links_route_add(rig->links, &route), 0);
	}
	links_watch(rig->links, base);
	/* All is looked at once, since it began before. */
	while (!TAILQ_EMPTY(&rig->links->touched))
		assert_int_equal(event_base_loop(base, EVLOOP_ONCE), 0);
	for (unsigned int i = 0; i < ROUTES; i++) {
		route = numbered(i);
		links_route_remove(rig->links, &route);
	}
	assert_int_equal(event_base_loop(base, EVLOOP_NONBLOCK), 0);
	assert_true(TAILQ_EMPTY(&rig->links->touched));
	assert_true(links_rig_leads("dtcps0", "2001:db8:7000::1"));
	assert_false(links_rig_leads("dtcps0", "2001:db8:7001::1"));
	assert_false(links_rig_leads("dtcps0", "2001:db8:7002::1"));
	assert_true(links_rig_leads("dtcps0", "2001:db8:7003::1"));
	for (unsigned int i = 0; i < ROUTES; i += 3) {
		route = numbered(i);
		links_route_remove(rig->links, &route);
	}
	assert_false(links_rig_leads("dtcps0", "2001:db8:7000::1"));
	links_unwatch(rig->links);
	event_base_free(base);
}

/* Of somebody's doing, though, there is something to mend. */
static void test_route_removed_by_another_program(void **state)
{
	struct event_base *base = event_base_new();
	const struct prefix6 route = numbered(1);
	struct netlink *other = NULL;
	struct links_rig *rig = *state;

	assert_non_null(base);
	assert_int_equal(netlink_open(&other), 0);
	assert_int_equal(links_route_add(rig->links, &route), 0);
	links_watch(rig->links, base);
	while (!TAILQ_EMPTY(&rig->links->touched))
		assert_int_equal(event_base_loop(base, EVLOOP_ONCE), 0);
	assert_int_equal(netlink_route_delete(other, if_nametoindex("dtcps0"), &route), 0);
	assert_false(links_rig_leads("dtcps0", "2001:db8:7001::1"));
	do
		assert_int_equal(event_base_loop(base, EVLOOP_ONCE), 0);
	while (!TAILQ_EMPTY(&rig->links->touched));
	assert_true(links_rig_leads("dtcps0", "2001:db8:7001::1"));
	links_unwatch(rig->links);
	netlink_close(other);
	event_base_free(base);
}

/* Where the network of another interface goes before the prefix of the settings, and only there,
 * what sessions have of it gets routes. */
static void test_routes_beside_a_network(void **state)
{
	const struct prefix6 host = prefix("2001:db8:6::5/128");
	struct drift_repair said = {.interface = NULL};
	struct links_rig *rig = *state;
	uint32_t *metric = &rig->links->shared.plans[0].metric;

	rig->options.has_host = true;
	rig->options.host_prefix = prefix("2001:db8:6::/64");
	*metric = INTERFACE_METRIC_BEST;
	assert_int_equal(links_route_add(rig->links, &host), 0);
	assert_false(links_rig_leads("dtcps0", "2001:db8:6::5"));
	*metric = INTERFACE_METRIC;
	links_mend_shared(rig->links, &said);
	assert_true(links_rig_leads("dtcps0", "2001:db8:6::5"));
	assert_false(links_rig_leads("dtcps0", "2001:db8:6::6"));
	/* That was nobody's damage. */
	assert_int_equal(said.count, 0);
	*metric = INTERFACE_METRIC_BEST;
	links_mend_shared(rig->links, &said);
	assert_false(links_rig_leads("dtcps0", "2001:db8:6::5"));
	links_route_remove(rig->links, &host);
	*metric = INTERFACE_METRIC;
	assert_int_equal(links_route_add(rig->links, &host), 0);
	assert_true(links_rig_leads("dtcps0", "2001:db8:6::5"));
	links_route_remove(rig->links, &host);
	assert_false(links_rig_leads("dtcps0", "2001:db8:6::5"));
	assert_int_equal(said.error, 0);
}

/* It is known when it is asked for, before anything else is done about it. */
static void test_route_of_another_program(void **state)
{
	const struct prefix6 lan = prefix("2001:db8:77:1::/64");
	const struct prefix6 around = prefix("2001:db8:77::/48");
	struct event_base *base = event_base_new();
	struct netlink *other = NULL;
	struct links_rig *rig = *state;
	unsigned int index;
	int device;

	assert_non_null(base);
	assert_int_equal(netlink_open(&other), 0);
	device = tun_open("lan0", &index);
	assert_true(device >= 0);
	assert_int_equal(netlink_link_setup(other, index, "lan", 1280), 0);
	links_watch(rig->links, base);
	while (!TAILQ_EMPTY(&rig->links->touched))
		assert_int_equal(event_base_loop(base, EVLOOP_ONCE), 0);
	assert_false(foreign_touches(links_foreign(rig->links), &around));
	by_hand_route(other, &lan, RTN_UNICAST, RTA_OIF, index);
	assert_int_equal(event_base_loop(base, EVLOOP_NONBLOCK), 0);
	assert_true(foreign_touches(links_foreign(rig->links), &around));
	links_unwatch(rig->links);
	assert_int_equal(close(device), 0);
	netlink_close(other);
	event_base_free(base);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, links_rig_open, links_rig_close)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_device_is_kept),
		TEST(test_several_prefixes),
		TEST(test_kept_device_is_removed),
		TEST(test_prefix),
		TEST(test_name_is_taken),
		TEST(test_removed_together),
		TEST(test_removed_by_another_program),
		TEST(test_remover_fails),
		TEST(test_address_changes),
		TEST(test_many_addresses),
		TEST(test_routes),
		TEST(test_route_removed_by_another_program),
		TEST(test_routes_beside_a_network),
		TEST(test_route_of_another_program),
	};

	log_init("test", NULL, false);
	return cmocka_run_group_tests_name("server links", tests, NULL, NULL);
}
