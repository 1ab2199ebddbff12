/* SPDX-License-Identifier: BSD-2-Clause */
/* What would not work, on machines that are described here. */
#include "server/root/judge.h"

#include "tests/unit/proto/addresses.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { LO = 1, ETH0, ETH1, LO_LIKE, TUN, DTCPS };

/* A rented machine: eth0 outside, with a default route by hand, and forwarding on. */
struct rig {
	struct facts facts;
	struct server_options options;
	struct survey_link links[8];
	struct survey_address addresses[8];
	struct survey_route routes[8];
	char said[4096]; /* the lines; "!" before those that are fatal */
};

static void add_link(struct rig *rig, unsigned int index, const char *name, bool neighbours)
{
	struct survey_link *link = &rig->links[rig->facts.survey.n_links++];

	*link = (struct survey_link){.index = index,
				     .up = true,
				     .loopback = index == LO,
				     .neighbours = neighbours,
				     .has_mac = neighbours,
				     .accept_ra = 1,
				     .forwarding = 1};
	(void)snprintf(link->name, sizeof(link->name), "%s", name);
}

/* text "default" or a prefix; of the main table, by hand. */
static struct survey_route *add_route(struct rig *rig, const char *text, unsigned int index)
{
	struct survey_route *route = &rig->routes[rig->facts.survey.n_routes++];

	*route = (struct survey_route){.index = index, .main = true, .metric = 256};
	if (strcmp(text, "default") != 0)
		route->prefix = prefix(text);
	return route;
}

static struct survey_route *add_on_link(struct rig *rig, const char *text, unsigned int index)
{
	struct survey_route *route = add_route(rig, text, index);

	route->kernel = true;
	return route;
}

static void set_up(struct rig *rig)
{
	memset(rig, 0, sizeof(*rig));
	rig->facts.survey.links = rig->links;
	rig->facts.survey.addresses = rig->addresses;
	rig->facts.survey.routes = rig->routes;
	rig->facts.forwarding = 1;
	rig->facts.file = true;
	rig->options = (struct server_options){
		.source = {.file = "/etc/dtcps.conf"},
		.interface = "dtcps0",
		.port = 20200,
		.udp_port = 4028,
		.network_length = 56,
		.ndp_proxy = SERVER_NDP_AUTO,
		.has_pool = true,
		.pool = prefix("2001:db8:100::/40"),
		.tunnelonly = true,
	};
	add_link(rig, LO, "lo", false);
	add_link(rig, ETH0, "eth0", true);
	add_link(rig, ETH1, "eth1", true);
	add_link(rig, LO_LIKE, "dummy0", false);
	add_link(rig, TUN, "tun7", false);
	add_link(rig, DTCPS, "dtcps0", false);
	(void)strcpy(rig->links[DTCPS - 1].alias, "dtcps");
	add_on_link(rig, "2001:db8:6::/64", ETH0);
	*add_route(rig, "default", ETH0) = (struct survey_route){
		.index = ETH0,
		.main = true,
		.metric = 1024,
		.has_gateway = true,
		.gateway = addr6("fe80::1"),
	};
}

static struct survey_route *default_route(struct rig *rig)
{
	return &rig->routes[1];
}

static void on_line(bool fatal, const char *line, void *arg)
{
	struct rig *rig = arg;
	size_t len = strlen(rig->said);

	(void)snprintf(rig->said + len, sizeof(rig->said) - len, "%s%s\n", fatal ? "!" : "", line);
	assert_null(strchr(line, '\n'));
}

static const char *said(struct rig *rig)
{
	rig->said[0] = '\0';
	judge(&rig->facts, &rig->options, on_line, rig);
	return rig->said;
}

/* One line, with these words in it, in their order. */
static void expect(struct rig *rig, const char *what, const char *todo)
{
	const char *text = said(rig);
	const char *at = strstr(text, what);

	if (!at || !strstr(at, todo) || strchr(text, '\n') != text + strlen(text) - 1)
		fail_msg("expected \"%s\" and \"%s\", got: %s", what, todo, text);
}

static void expect_nothing(struct rig *rig)
{
	assert_string_equal(said(rig), "");
}

static void test_all_is_well(void **state)
{
	struct rig rig;

	(void)state;
	set_up(&rig);
	expect_nothing(&rig);
	rig.options.has_host = true;
	rig.options.host_prefix = prefix("2001:db8:1::/64");
	expect_nothing(&rig);
	/* Unknown is not wrong. */
	rig.facts.forwarding = -1;
	expect_nothing(&rig);
}

static void test_forwarding(void **state)
{
	struct rig rig;

	(void)state;
	set_up(&rig);
	rig.facts.forwarding = 0;
	expect(&rig, "IPv6 forwarding is off", "sysctl -w net.ipv6.conf.all.forwarding=1");
	/* The command alone would take the default route away. */
	default_route(&rig)->advertised = true;
	rig.links[ETH0 - 1].forwarding = 0;
	expect(&rig, "IPv6 forwarding is off",
	       "sysctl -w net.ipv6.conf.eth0.accept_ra=2 net.ipv6.conf.all.forwarding=1");
	rig.links[ETH0 - 1].accept_ra = 2;
	expect(&rig, "IPv6 forwarding is off", "with: sysctl -w net.ipv6.conf.all.forwarding=1");
}

static void test_advertised_route(void **state)
{
	struct rig rig;

	(void)state;
	set_up(&rig);
	default_route(&rig)->advertised = true;
	expect(&rig, "router advertisements on eth0, which are not listened to",
	       "sysctl -w net.ipv6.conf.eth0.accept_ra=2");
	rig.links[ETH0 - 1].accept_ra = 2;
	expect_nothing(&rig);
	/* A daemon does it. */
	rig.links[ETH0 - 1].accept_ra = 0;
	expect_nothing(&rig);
	/* Not a router on this link. */
	rig.links[ETH0 - 1].accept_ra = 1;
	rig.links[ETH0 - 1].forwarding = 0;
	expect_nothing(&rig);
}

static void test_default_route(void **state)
{
	struct rig rig;

	(void)state;
	set_up(&rig);
	rig.facts.survey.n_routes = 1;
	expect(&rig, "no IPv6 default route", "ip -6 route add default");
	/* One that was advertised goes as soon as forwarding is turned on. */
	rig.addresses[0] = (struct survey_address){
		.index = ETH0, .addr = addr6("2001:db8:6::2"), .len = 64, .advertised = true};
	rig.facts.survey.n_addresses = 1;
	expect(&rig, "no IPv6 default route, and router advertisements on eth0",
	       "sysctl -w net.ipv6.conf.eth0.accept_ra=2");
	/* All routes of the Internet. */
	rig.facts.survey.leads_out = true;
	expect_nothing(&rig);
	rig.facts.survey.leads_out = false;
	add_route(&rig, "2000::/3", TUN);
	expect_nothing(&rig);
	/* The kernel's own, which leads nowhere. */
	rig.routes[1].rejects = true;
	rig.routes[1].prefix.len = 0;
	assert_string_not_equal(said(&rig), "");
	/* Nobody needs one for these. */
	rig.options.pool = prefix("fd00:1::/40");
	expect_nothing(&rig);
	rig.options.has_pool = false;
	expect_nothing(&rig);
}

static void test_no_ipv6(void **state)
{
	struct rig rig;

	(void)state;
	set_up(&rig);
	rig.facts.no_ipv6_new = true;
	expect(&rig, "!new interfaces get no IPv6",
	       "sysctl -w net.ipv6.conf.default.disable_ipv6=0");
	/* The interface of the server that runs has it, and those of later sessions have not. */
	rig.facts.running = true;
	expect(&rig, "new interfaces get no IPv6", "");
	assert_null(strchr(rig.said, '!'));
	rig.facts.running = false;
	rig.options.has_pool = false;
	expect(&rig, "new interfaces get no IPv6", "");
	assert_null(strchr(rig.said, '!'));
	rig.facts.no_ipv6 = true;
	expect(&rig, "without IPv6", "ipv6.disable=1");
	assert_null(strchr(rig.said, '!'));
	rig.options.has_pool = true;
	expect(&rig, "!this kernel runs without IPv6", "ipv6.disable=1");
}

/* Whoever looks for what users have on that link is answered, and there is nothing to say. */
static void test_on_link(void **state)
{
	struct rig rig;

	(void)state;
	set_up(&rig);
	rig.options.has_host = true;
	rig.options.host_prefix = prefix("2001:db8:6::/64");
	expect_nothing(&rig);
	default_route(&rig)->gateway = addr6("2001:db8:6::1");
	expect_nothing(&rig);
	rig.routes[0].advertised = true;
	expect_nothing(&rig);
	/* A part of it. */
	rig.options.has_host = false;
	rig.options.pool = prefix("2001:db8:6::100:0/104");
	rig.options.network_length = 120;
	expect_nothing(&rig);
	/* The interface is named. */
	rig.options.ndp_proxy = "eth0";
	expect_nothing(&rig);
	/* Addresses that this machine and the router have, with routes of their own. */
	rig.options.has_host = true;
	rig.options.has_pool = false;
	default_route(&rig)->gateway = addr6("2001:db8:6::fe");
	rig.addresses[0] =
		(struct survey_address){.index = ETH0, .addr = addr6("2001:db8:6::77"), .len = 128};
	rig.facts.survey.n_addresses = 1;
	add_on_link(&rig, "2001:db8:6::77/128", ETH0)->metric = 1;
	add_route(&rig, "2001:db8:6::fe/128", ETH0)->metric = 1;
	expect_nothing(&rig);
}

static void test_on_link_without_answers(void **state)
{
	struct rig rig;

	(void)state;
	set_up(&rig);
	rig.options.has_host = true;
	rig.options.host_prefix = prefix("2001:db8:6::/64");
	rig.options.ndp_proxy = SERVER_NDP_OFF;
	/* The router has an address of its own elsewhere, so it may be routed here. */
	expect_nothing(&rig);
	default_route(&rig)->gateway = addr6("2001:db8:6::1");
	expect(&rig, "host.prefix 2001:db8:6::/64 is in the network of eth0", "ndp.proxy = auto");
	default_route(&rig)->gateway = addr6("fe80::1");
	rig.routes[0].advertised = true;
	expect(&rig, "host.prefix 2001:db8:6::/64 is in the network of eth0", "ndp.proxy = auto");
	/* On another interface. */
	rig.options.ndp_proxy = "eth1";
	expect(&rig, "host.prefix 2001:db8:6::/64 is in the network of eth0", "which is eth1");
	rig.options.ndp_proxy = SERVER_NDP_AUTO;
	rig.options.pool = prefix("2001:db8:77::/48");
	add_on_link(&rig, "2001:db8:77::/48", ETH1);
	expect(&rig, "network.pool 2001:db8:77::/48 is in the network of eth1", "which is eth0");
	rig.facts.survey.n_routes--;
	expect_nothing(&rig);
	/* Something like an Ethernet, with other addresses. */
	rig.links[ETH0 - 1].has_mac = false;
	expect(&rig, "is in the network of eth0", "routed prefix");
	/* Where nobody looks for neighbours, a route leads to the whole of it. */
	rig.links[ETH0 - 1].neighbours = false;
	expect_nothing(&rig);
}

static void test_proxy(void **state)
{
	struct rig rig;

	(void)state;
	set_up(&rig);
	rig.options.ndp_proxy = "eth1";
	expect_nothing(&rig);
	rig.options.ndp_proxy = "eth9";
	expect(&rig, "ndp.proxy = eth9: there is no such interface", "leave it out");
	rig.options.ndp_proxy = "tun7";
	expect(&rig, "ndp.proxy = tun7: nobody looks for neighbours there", "leave it out");
}

static void test_in_the_way(void **state)
{
	struct survey_route *route;
	struct rig rig;

	(void)state;
	set_up(&rig);
	/* No user gets what is the network of an interface, as that of the link often is in a
	 * prefix which is routed there. */
	route = add_on_link(&rig, "2001:db8:1ff:5::/64", ETH1);
	expect_nothing(&rig);
	route->has_gateway = true;
	route->gateway = addr6("fe80::7");
	expect(&rig, "2001:db8:1ff:5::/64 in network.pool 2001:db8:100::/40",
	       "ip -6 route del 2001:db8:1ff:5::/64 dev eth1");
	/* The first prefix of the pool is nobody's. */
	route->prefix = prefix("2001:db8:100::/64");
	expect_nothing(&rig);
	route->prefix = prefix("2001:db8:100::/48");
	assert_string_not_equal(said(&rig), "");
	/* Shorter ones, and other tables, do not matter. */
	route->prefix = prefix("2001:db8::/32");
	route->kernel = false;
	expect_nothing(&rig);
	route->prefix = prefix("2001:db8:1ff:5::/64");
	route->main = false;
	expect_nothing(&rig);
	route->main = true;
	route->rejects = true;
	expect(&rig, "a route rejects it", "ip -6 route del unreachable 2001:db8:1ff:5::/64");
	/* What a client has left is taken away at the start. */
	route->ours = true;
	expect_nothing(&rig);
}

/* "ip route add local PREFIX dev lo": the kernel looks for such routes first. */
static void test_taken_for_this_machine(void **state)
{
	static const char *const parts[] = {"2001:db8:100::/40", "2001:db8:1ff:5::/64",
					    "2001:db8::/32"};
	struct survey_route *route;
	struct rig rig;

	(void)state;
	set_up(&rig);
	route = add_route(&rig, parts[0], LO);
	route->main = false;
	route->here = true;
	route->metric = 1024;
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		char todo[100];

		route->prefix = prefix(parts[i]);
		(void)snprintf(todo, sizeof(todo), "ip -6 route del local %s dev lo table local",
			       parts[i]);
		expect(&rig, "takes all of it for addresses of its own", todo);
	}
	/* The server's own part, and beside the pool. */
	route->prefix = prefix("2001:db8:100::/64");
	expect_nothing(&rig);
	route->prefix = prefix("2001:db8:200::/40");
	expect_nothing(&rig);
	/* Nor is it a default route. */
	route->prefix = (struct prefix6){.len = 0};
	route->metric = 1;
	default_route(&rig)->rejects = true;
	expect(&rig, "there is no IPv6 default route", "");
}

static void test_host_in_the_way(void **state)
{
	struct survey_route *route;
	struct rig rig;

	(void)state;
	set_up(&rig);
	rig.options.has_pool = false;
	rig.options.has_host = true;
	rig.options.host_prefix = prefix("2001:db8:1::/64");
	/* An address that the administrator has given to a dummy interface, or to lo. */
	route = add_on_link(&rig, "2001:db8:1::/64", LO_LIKE);
	route->metric = 1;
	expect(&rig, "2001:db8:1::/64 in host.prefix", "dev dummy0");
	route->prefix = prefix("2001:db8:1::1/128");
	expect_nothing(&rig);
	route->prefix = prefix("2001:db8:1::7/128");
	expect(&rig, "2001:db8:1::7/128 in host.prefix", "dev dummy0");
}

static void test_another_server(void **state)
{
	struct survey_route *route;
	struct rig rig;

	(void)state;
	set_up(&rig);
	route = add_route(&rig, "2001:db8::/32", DTCPS);
	route->ours = true;
	expect(&rig, "network.pool 2001:db8:100::/40 overlaps 2001:db8::/32",
	       "another dtcps has on dtcps0");
	route->prefix = prefix("2001:db8:140::/44");
	expect(&rig, "overlaps 2001:db8:140::/44", "another dtcps");
	route->prefix = prefix("2001:db8:200::/40");
	expect_nothing(&rig);
	/* The one that runs with these settings. */
	route->prefix = prefix("2001:db8:100::/40");
	assert_string_not_equal(said(&rig), "");
	rig.facts.running = true;
	expect_nothing(&rig);
	/* Or one that runs beside it. */
	rig.options.interface = "tunnel0";
	assert_string_not_equal(said(&rig), "");
}

static void test_start(void **state)
{
	struct rig rig;

	(void)state;
	set_up(&rig);
	rig.facts.tcp_error = EADDRINUSE;
	expect(&rig, "!TCP port 20200 is taken by another program", "ss -lnp");
	rig.facts.running = true;
	expect_nothing(&rig);
	rig.facts.running = false;
	rig.facts.tcp_error = 0;
	rig.facts.udp_error = EADDRINUSE;
	expect(&rig, "!UDP port 4028 is taken", "udp.port");
	rig.facts.udp_error = rig.facts.tcp_error = EADDRNOTAVAIL;
	rig.options.listen = addr4("192.0.2.9");
	expect(&rig, "!listen = 192.0.2.9", "no such address");
	rig.facts.udp_error = rig.facts.tcp_error = 0;
	rig.facts.owner = "/srv/users.db does not belong to user 7; chown 7 /srv/users.db";
	expect(&rig, "!/srv/users.db does not belong to user 7", "chown 7 /srv/users.db");
	rig.facts.owner = NULL;
	rig.facts.interface_taken = true;
	expect(&rig, "!there is an interface dtcps0 already", "interface");
	rig.facts.running = true;
	expect_nothing(&rig);
}

static void test_file(void **state)
{
	struct rig rig;

	(void)state;
	set_up(&rig);
	rig.facts.file = false;
	expect_nothing(&rig);
	rig.options.has_pool = false;
	expect(&rig, "there is no /etc/dtcps.conf", "dtcps --suggest");
}

static void test_packet_filter(void **state)
{
	char open[] = "table inet filter {\n\tchain input {\n\t\ttype filter hook input priority "
		      "0; policy drop;\n\t\ttcp dport 20200 accept\n\t\tmeta l4proto 41 "
		      "accept\n\t}\n\tchain forward {\n\t\ttype filter hook forward priority 0; "
		      "policy accept;\n\t}\n}\n";
	char shut[] = "table inet filter {\n\tchain input {\n\t\ttype filter hook input priority "
		      "0; policy drop;\n\t\ttcp dport 22 accept\n\t}\n}\n";
	char iptables[] = "table ip6 filter {\n\tchain FORWARD {\n\t\ttype filter hook forward "
			  "priority 0; policy drop;\n\t}\n}\n";
	struct rig rig;

	(void)state;
	set_up(&rig);
	rig.facts.ruleset = open;
	expect_nothing(&rig);
	rig.options.udp = true;
	expect(&rig, "drops tunnels over UDP, port 4028 (table inet filter, chain input)",
	       "nft insert rule inet filter input udp dport 4028 accept");
	rig.options.udp = false;
	rig.facts.ruleset = shut;
	assert_non_null(strstr(said(&rig), "nft insert rule inet filter input tcp dport 20200 "
					   "accept\n"));
	assert_non_null(strstr(said(&rig), "nft insert rule inet filter input meta l4proto 41 "
					   "accept\n"));
	rig.facts.ruleset = iptables;
	expect(&rig, "drops what comes out of dtcps0", "ip6tables -I FORWARD -i dtcps0 -j ACCEPT");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all_is_well),
		cmocka_unit_test(test_forwarding),
		cmocka_unit_test(test_advertised_route),
		cmocka_unit_test(test_default_route),
		cmocka_unit_test(test_no_ipv6),
		cmocka_unit_test(test_on_link),
		cmocka_unit_test(test_on_link_without_answers),
		cmocka_unit_test(test_proxy),
		cmocka_unit_test(test_in_the_way),
		cmocka_unit_test(test_taken_for_this_machine),
		cmocka_unit_test(test_host_in_the_way),
		cmocka_unit_test(test_another_server),
		cmocka_unit_test(test_start),
		cmocka_unit_test(test_file),
		cmocka_unit_test(test_packet_filter),
	};

	return cmocka_run_group_tests_name("judge", tests, NULL, NULL);
}
