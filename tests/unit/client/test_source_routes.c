/* SPDX-License-Identifier: BSD-2-Clause */
/* Which sources belong to a tunnel, and their rules, in a network of the test's own. */
#include "client/root/source_routes.h"

#include "netconf/rules.h"
#include "netconf/tun.h"
#include "tests/unit/base/need.h"
#include "tests/unit/base/network.h"
#include "tests/unit/proto/addresses.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#include <cmocka.h>

static struct client_options options_for(enum tunnel_type type)
{
	return (struct client_options){.type = type, .n_routes = 1};
}

static struct client_tunnel network(const char *text)
{
	struct client_tunnel tunnel = {.reply.n_prefixes = 1};

	tunnel.reply.prefixes[0] = prefix(text);
	return tunnel;
}

static void expect(const struct client_tunnel *tunnel, const struct client_options *options,
		   size_t n, const char *const texts[])
{
	struct prefix6 list[SOURCE_ROUTES_MAX];
	char text[PREFIX6_STRLEN];

	assert_int_equal(source_routes_list(tunnel, options, list), n);
	for (size_t i = 0; i < n; i++)
		assert_string_equal(prefix6_format(&list[i], text), texts[i]);
}

static void test_sources(void **state)
{
	struct client_options options = options_for(TUNNEL_NETWORK);
	struct client_tunnel tunnel = network("2001:db8:100::/56");

	(void)state;
	/* The address out of the prefix is in it; the one of a numbered link is not. */
	expect(&tunnel, &options, 1, (const char *const[]){"2001:db8:100::/56"});
	tunnel.reply.has_me6 = tunnel.reply.has_her6 = true;
	tunnel.reply.me6 = addr6("2001:db8::2");
	tunnel.reply.her6 = addr6("2001:db8::1");
	expect(&tunnel, &options, 2, (const char *const[]){"2001:db8:100::/56", "2001:db8::2/128"});
	/* Nothing is routed into it; or the main table is to do; or the script makes the tunnel. */
	options.n_routes = 0;
	expect(&tunnel, &options, 0, NULL);
	options = options_for(TUNNEL_NETWORK);
	options.table = RULES_TABLE_MAIN;
	expect(&tunnel, &options, 0, NULL);
	options = options_for(TUNNEL_NETWORK);
	options.no_device = true;
	expect(&tunnel, &options, 0, NULL);
	/* tunnelonly has those of --address, or none. */
	options = options_for(TUNNEL_ONLY);
	tunnel = (struct client_tunnel){.server_index = 0};
	expect(&tunnel, &options, 0, NULL);
	options.n_addresses = 1;
	options.addresses[0] = (struct client_address){.addr = addr6("2001:db8:9::1"), .len = 64};
	expect(&tunnel, &options, 1, (const char *const[]){"2001:db8:9::1/128"});
}

struct place {
	struct netlink *netlink;
	int device;
	unsigned int index;
};

static void make(struct place *place, const char *name)
{
	place->device = tun_open(name, &place->index);
	assert_true(place->device >= 0);
	assert_int_equal(netlink_link_setup(place->netlink, place->index, "test", 1280), 0);
}

/* Two tunnels have tables of their own; what one that was killed leaves is swept, and no other. */
static void test_rules(void **state)
{
	const struct client_options options = options_for(TUNNEL_NETWORK);
	const struct client_tunnel first = network("2001:db8:100::/56");
	const struct client_tunnel second = network("2001:db8:200::/56");
	struct source_routes a, b;
	struct place one, two;

	(void)state;
	need(network_make(), "a network namespace");
	assert_int_equal(netlink_open(&one.netlink), 0);
	two.netlink = one.netlink;
	make(&one, "tun1");
	make(&two, "tun2");
	assert_int_equal(source_routes_add(&a, one.netlink, one.index, &first, &options), 0);
	assert_int_equal(source_routes_add(&b, two.netlink, two.index, &second, &options), 0);
	assert_int_equal(a.table, RULES_TABLE_FIRST);
	assert_int_equal(b.table, RULES_TABLE_FIRST + 1);
	/* All is there; and neither is taken for a leftover. */
	assert_int_equal(rules_ensure(one.netlink, &first.reply.prefixes[0], a.table), 0);
	assert_int_equal(rules_sweep(one.netlink), 0);
	assert_int_equal(rules_ensure(one.netlink, &second.reply.prefixes[0], b.table), 0);
	/* The first dies: its route goes with its device, its rules do not. */
	close(one.device);
	assert_int_equal(netlink_link_delete(one.netlink, one.index), 0);
	assert_int_equal(rules_sweep(one.netlink), 1);
	assert_int_equal(rules_sweep(one.netlink), 0);
	assert_int_equal(rules_ensure(one.netlink, &second.reply.prefixes[0], b.table), 0);
	assert_int_equal(rules_route_ensure(one.netlink, two.index, b.table), 0);
	/* Removed, they can be added. */
	source_routes_remove(&b, two.netlink);
	assert_int_equal(rules_ensure(one.netlink, &second.reply.prefixes[0], 77), 1);
	assert_int_equal(rules_delete(one.netlink, &second.reply.prefixes[0]), 0);
	close(two.device);
	netlink_close(one.netlink);
}

static void test_wanted_table(void **state)
{
	struct client_options options = options_for(TUNNEL_NETWORK);
	const struct client_tunnel tunnel = network("2001:db8:100::/56");
	struct source_routes routes;
	struct place place;
	uint32_t table;

	(void)state;
	need(network_make(), "a network namespace");
	assert_int_equal(netlink_open(&place.netlink), 0);
	make(&place, "tun1");
	options.table = 100;
	assert_int_equal(source_routes_add(&routes, place.netlink, place.index, &tunnel, &options),
			 0);
	assert_int_equal(routes.table, 100);
	/* Somebody's default route in it is not ours to use. */
	assert_true(rules_claim(place.netlink, place.index, 100, &table) < 0);
	source_routes_remove(&routes, place.netlink);
	close(place.device);
	netlink_close(place.netlink);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sources),
		cmocka_unit_test(test_rules),
		cmocka_unit_test(test_wanted_table),
	};

	return cmocka_run_group_tests_name("client source routes", tests, NULL, NULL);
}
