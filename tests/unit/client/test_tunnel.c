/* SPDX-License-Identifier: BSD-2-Clause */
/* What a server's answer means for this box, and monitor's check of it. */
#include "client/tunnel.h"

#include "tests/unit/proto/addresses.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct client_options options_for(enum tunnel_type type)
{
	return (struct client_options){.servers = {"broker.example"},
				       .n_servers = 1,
				       .interface = "dtcp0",
				       .mtu = 1280,
				       .type = type};
}

/* A tunnel that is right for every type. */
static struct client_tunnel good(void)
{
	struct client_tunnel tunnel;

	memset(&tunnel, 0, sizeof(tunnel));
	tunnel.server = addr4("192.0.2.1");
	tunnel.myaddr = addr4("198.51.100.2");
	tunnel.reply.me = addr4("198.51.100.2");
	tunnel.reply.her = addr4("192.0.2.99");
	tunnel.reply.has_me6 = tunnel.reply.has_her6 = true;
	tunnel.reply.me6 = addr6("2001:db8::2");
	tunnel.reply.her6 = addr6("2001:db8::1");
	tunnel.reply.n_prefixes = 2;
	tunnel.reply.prefixes[0] = prefix("2001:db8:100::/56");
	tunnel.reply.prefixes[1] = prefix("fd00:1::/48");
	return tunnel;
}

/* The same with nothing but IPv4 addresses. */
static struct client_tunnel bare(void)
{
	struct client_tunnel tunnel = good();

	tunnel.reply.has_me6 = tunnel.reply.has_her6 = false;
	tunnel.reply.n_prefixes = 0;
	return tunnel;
}

static void expect_router(const char *prefix_text, const char *expected)
{
	const struct prefix6 value = prefix(prefix_text);
	const struct in6_addr addr = tunnel_router_address(&value);
	char text[INET6_ADDRSTRLEN];

	assert_string_equal(inet_ntop(AF_INET6, &addr, text, sizeof(text)), expected);
	assert_true(prefix6_has(&value, &addr));
}

static void test_router_address(void **state)
{
	(void)state;
	/* ::1 of the last /64 */
	expect_router("2001:db8:1::/48", "2001:db8:1:ffff::1");
	expect_router("2001:db8:100:100::/56", "2001:db8:100:1ff::1");
	expect_router("2001:db8:100:1f0::/60", "2001:db8:100:1ff::1");
	expect_router("2001:db8:100:100::/63", "2001:db8:100:101::1");
	expect_router("2000::/8", "20ff:ffff:ffff:ffff::1");
	/* the last address but one */
	expect_router("2001:db8:1:2::/64", "2001:db8:1:2:ffff:ffff:ffff:fffe");
	expect_router("2001:db8:1:2:8000::/65", "2001:db8:1:2:ffff:ffff:ffff:fffe");
	expect_router("2001:db8:1:2:3::/80", "2001:db8:1:2:3:ffff:ffff:fffe");
	expect_router("2001:db8::4/126", "2001:db8::6");
	/* the first */
	expect_router("2001:db8::4/127", "2001:db8::4");
	expect_router("2001:db8::4/128", "2001:db8::4");
	expect_router("2001:db8::5/128", "2001:db8::5");
}

static void expect_own(const struct client_tunnel *tunnel, const struct client_options *options,
		       const char *expected)
{
	char text[INET6_ADDRSTRLEN];
	struct in6_addr own;

	assert_true(tunnel_own_address(tunnel, options, &own) == (expected != NULL));
	if (expected)
		assert_string_equal(inet_ntop(AF_INET6, &own, text, sizeof(text)), expected);
}

static void test_own_address(void **state)
{
	struct client_options options = options_for(TUNNEL_NETWORK);
	struct client_tunnel tunnel = good();

	(void)state;
	expect_own(&tunnel, &options, "2001:db8::2");
	/* What the server says about me6 goes before --address. */
	options.n_addresses = 1;
	options.addresses[0].addr = addr6("2001:db8:100:1::42");
	expect_own(&tunnel, &options, "2001:db8::2");
	tunnel.reply.has_me6 = tunnel.reply.has_her6 = false;
	expect_own(&tunnel, &options, "2001:db8:100:1::42");
	options.n_addresses = 0;
	expect_own(&tunnel, &options, "2001:db8:100:ff::1");
	tunnel.reply.n_prefixes = 0;
	expect_own(&tunnel, &options, NULL);
}

/* All that --address says, where the server leaves them to the administrator. */
static void test_several_addresses(void **state)
{
	struct client_options options = options_for(TUNNEL_ONLY);
	struct client_address own[CLIENT_OWN_MAX];
	struct client_tunnel tunnel = bare();

	(void)state;
	assert_int_equal(tunnel_addresses(&tunnel, &options, own), 0);
	options.n_addresses = 2;
	options.addresses[0] = (struct client_address){addr6("2001:db8:77::2"), 64};
	options.addresses[1] = (struct client_address){addr6("fd00::2"), 128};
	assert_int_equal(tunnel_addresses(&tunnel, &options, own), 2);
	assert_memory_equal(own, options.addresses, 2 * sizeof(own[0]));
	tunnel = good();
	assert_int_equal(tunnel_addresses(&tunnel, &options, own), 1);
	assert_true(IN6_ARE_ADDR_EQUAL(&own[0].addr, &tunnel.reply.me6));
	assert_int_equal(own[0].len, 128);
}

/* Nothing into a bare link, unless it was said. */
static void test_routes(void **state)
{
	struct client_options options = options_for(TUNNEL_NETWORK);
	struct client_tunnel tunnel = good();

	(void)state;
	options.n_routes = 1;
	assert_int_equal(tunnel_routes(&tunnel, &options), 1);
	/* A numbered link without a prefix leads somewhere. */
	tunnel.reply.n_prefixes = 0;
	assert_true(tunnel.reply.has_me6);
	assert_int_equal(tunnel_routes(&tunnel, &options), 1);
	tunnel = bare();
	assert_int_equal(tunnel_routes(&tunnel, &options), 0);
	options.type = TUNNEL_ONLY;
	/* Nor does an address of the user's own make the server a way to everywhere. */
	options.n_addresses = 1;
	assert_int_equal(tunnel_routes(&tunnel, &options), 0);
	options.routes_named = true;
	assert_int_equal(tunnel_routes(&tunnel, &options), 1);
	options.n_routes = 0;
	assert_int_equal(tunnel_routes(&tunnel, &options), 0);
}

static void test_address_fits(void **state)
{
	struct client_options options = options_for(TUNNEL_NETWORK);
	struct client_tunnel tunnel = good();

	(void)state;
	tunnel.reply.has_me6 = tunnel.reply.has_her6 = false;
	assert_true(tunnel_address_fits(&tunnel, &options)); /* no --address */
	options.n_addresses = 1;
	options.addresses[0].addr = addr6("2001:db8:100:ff:ffff:ffff:ffff:ffff");
	assert_true(tunnel_address_fits(&tunnel, &options)); /* the last of the first prefix */
	options.addresses[0].addr = addr6("2001:db8:100:100::");
	assert_false(tunnel_address_fits(&tunnel, &options)); /* the next one */
	options.addresses[0].addr = addr6("fd00:1::42");
	assert_true(tunnel_address_fits(&tunnel, &options)); /* of the second prefix */
	tunnel.reply.n_prefixes = 1;
	assert_false(tunnel_address_fits(&tunnel, &options));
	/* Where it is not used, or belongs to the administrator. */
	tunnel.reply.has_me6 = true;
	assert_true(tunnel_address_fits(&tunnel, &options));
	tunnel = bare();
	assert_true(tunnel_address_fits(&tunnel, &options));
}

static void expect_good(const struct client_tunnel *tunnel, enum tunnel_type type)
{
	const struct client_options options = options_for(type);
	const char *why = NULL;

	assert_true(tunnel_check(tunnel, &options, &why));
}

static void expect_bad(const struct client_tunnel *tunnel, enum tunnel_type type, const char *what)
{
	const struct client_options options = options_for(type);
	const char *why = NULL;

	assert_false(tunnel_check(tunnel, &options, &why));
	assert_string_equal(why, what);
}

static void test_check_good(void **state)
{
	struct client_tunnel tunnel = good();

	(void)state;
	expect_good(&tunnel, TUNNEL_NETWORK);
	/* Only what each type demands. */
	tunnel.reply.n_prefixes = 0;
	expect_good(&tunnel, TUNNEL_ONLY);
	expect_good(&tunnel, TUNNEL_HOST);
	tunnel = bare();
	expect_good(&tunnel, TUNNEL_ONLY);
	expect_good(&tunnel, TUNNEL_NETWORK);
	tunnel.reply.n_prefixes = 1;
	expect_good(&tunnel, TUNNEL_NETWORK);
	/* An address of ours without the other end's. */
	tunnel.reply.has_me6 = true;
	expect_good(&tunnel, TUNNEL_NETWORK);
	/* As many as there is room for. */
	tunnel.reply.n_prefixes = DTCP_PREFIXES_MAX;
	for (uint8_t i = 0; i < DTCP_PREFIXES_MAX; i++) {
		tunnel.reply.prefixes[i] = prefix("2001:db8::/64");
		tunnel.reply.prefixes[i].addr.s6_addr[7] = i;
	}
	expect_good(&tunnel, TUNNEL_NETWORK);
}

static void test_check_demands(void **state)
{
	struct client_tunnel tunnel = bare();

	(void)state;
	expect_bad(&tunnel, TUNNEL_HOST, "IPv6 addresses");
	tunnel.reply.has_me6 = true;
	expect_bad(&tunnel, TUNNEL_HOST, "IPv6 addresses");
	/* Prefixes are for networks only. */
	tunnel = good();
	expect_bad(&tunnel, TUNNEL_HOST, "prefixes");
	expect_bad(&tunnel, TUNNEL_ONLY, "prefixes");
}

/* A bool that is neither, as only memory that was written by somebody else can hold. */
static void test_check_flags(void **state)
{
	static const unsigned char bytes[] = {2, 0x80, 0xff};

	(void)state;
	for (size_t i = 0; i < sizeof(bytes); i++) {
		struct client_tunnel tunnel = good();

		memcpy(&tunnel.reply.has_me6, &bytes[i], 1);
		expect_bad(&tunnel, TUNNEL_HOST, "flags");
		tunnel = good();
		memcpy(&tunnel.reply.has_her6, &bytes[i], 1);
		expect_bad(&tunnel, TUNNEL_HOST, "flags");
	}
}

/* One of the servers of the command line, whose name is shown. */
static void test_check_server(void **state)
{
	struct client_tunnel tunnel = good();

	(void)state;
	tunnel.server_index = 1;
	expect_bad(&tunnel, TUNNEL_NETWORK, "server");
	tunnel.server_index = UINT32_MAX;
	expect_bad(&tunnel, TUNNEL_NETWORK, "server");
}

static void test_check_ipv4(void **state)
{
	static const char *const bad[] = {"0.0.0.0",	    "0.1.2.3",	       "127.0.0.1",
					  "224.0.0.1",	    "239.255.255.255", "240.0.0.1",
					  "255.255.255.255"};
	/* Nobody can have connected to these. */
	static const char *const no_host[] = {"0.0.0.0", "224.0.0.1", "255.255.255.255"};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct client_tunnel tunnel = good();

		tunnel.reply.me = addr4(bad[i]);
		expect_bad(&tunnel, TUNNEL_HOST, "IPv4 addresses");
		tunnel = good();
		tunnel.reply.her = addr4(bad[i]);
		expect_bad(&tunnel, TUNNEL_HOST, "IPv4 addresses");
	}
	for (size_t i = 0; i < sizeof(no_host) / sizeof(no_host[0]); i++) {
		struct client_tunnel tunnel = good();

		tunnel.server = addr4(no_host[i]);
		expect_bad(&tunnel, TUNNEL_HOST, "IPv4 addresses");
		tunnel = good();
		tunnel.myaddr = addr4(no_host[i]);
		expect_bad(&tunnel, TUNNEL_HOST, "IPv4 addresses");
	}
	/* The connection through a relay on this machine. */
	struct client_tunnel tunnel = good();

	tunnel.server = tunnel.myaddr = addr4("127.0.0.1");
	expect_good(&tunnel, TUNNEL_NETWORK);
	/* One for both ends. */
	tunnel = good();
	tunnel.reply.her = tunnel.reply.me;
	expect_bad(&tunnel, TUNNEL_ONLY, "IPv4 addresses");
}

static void test_check_ipv6(void **state)
{
	static const char *const bad[] = {"::",	     "::1",	"::ffff:1.2.3.4", "::1.2.3.4",
					  "fe80::1", "ff02::1", "100::1",	  "4000::1"};
	struct client_tunnel tunnel;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		tunnel = good();
		tunnel.reply.me6 = addr6(bad[i]);
		expect_bad(&tunnel, TUNNEL_HOST, "IPv6 addresses");
		/* Where the flag says that it is not there, it does not matter. */
		tunnel.reply.has_me6 = tunnel.reply.has_her6 = false;
		expect_good(&tunnel, TUNNEL_NETWORK);
		tunnel = good();
		tunnel.reply.her6 = addr6(bad[i]);
		expect_bad(&tunnel, TUNNEL_NETWORK, "IPv6 addresses");
	}
	tunnel = good();
	tunnel.reply.her6 = tunnel.reply.me6;
	expect_bad(&tunnel, TUNNEL_HOST, "IPv6 addresses");
	/* No reply can say this: its first address is always ours. */
	tunnel = good();
	tunnel.reply.has_me6 = false;
	expect_bad(&tunnel, TUNNEL_NETWORK, "IPv6 addresses");
}

static void test_check_prefixes(void **state)
{
	struct client_tunnel tunnel = good();

	(void)state;
	tunnel.reply.n_prefixes = DTCP_PREFIXES_MAX + 1;
	expect_bad(&tunnel, TUNNEL_NETWORK, "prefixes");
	tunnel.reply.n_prefixes = SIZE_MAX;
	expect_bad(&tunnel, TUNNEL_ONLY, "prefixes");

	tunnel = good();
	tunnel.reply.prefixes[1].len = 0;
	expect_bad(&tunnel, TUNNEL_NETWORK, "prefixes");
	tunnel.reply.prefixes[1].len = 129;
	expect_bad(&tunnel, TUNNEL_NETWORK, "prefixes");
	tunnel.reply.prefixes[1].len = 255;
	expect_bad(&tunnel, TUNNEL_NETWORK, "prefixes");

	/* no two reject routes can be the same */
	tunnel.reply.prefixes[1] = tunnel.reply.prefixes[0];
	expect_bad(&tunnel, TUNNEL_NETWORK, "prefixes");
	/* Beyond the count nothing is looked at. */
	tunnel.reply.n_prefixes = 1;
	expect_good(&tunnel, TUNNEL_NETWORK);

	/* All of global unicast space, more than anybody delegates. */
	tunnel = good();
	tunnel.reply.prefixes[0] = prefix("2000::/7");
	expect_bad(&tunnel, TUNNEL_NETWORK, "prefixes");
	tunnel.reply.prefixes[0] = prefix("fe80::/64");
	expect_bad(&tunnel, TUNNEL_NETWORK, "prefixes");
	tunnel.reply.prefixes[0] = prefix("ff00::/8");
	expect_bad(&tunnel, TUNNEL_HOST, "prefixes");

	/* Bits beyond the length. */
	tunnel = good();
	tunnel.reply.prefixes[0].addr.s6_addr[15] = 1;
	expect_bad(&tunnel, TUNNEL_NETWORK, "prefixes");
}

/* A port is believed only where UDP is possible here; numbers of two octets hold every one. */
static void test_check_udp(void **state)
{
	static const enum session_transport transports[] = {SESSION_IPV6, SESSION_UDP,
							    SESSION_AUTO};
	const char *why = NULL;

	(void)state;
	for (size_t i = 0; i < sizeof(transports) / sizeof(transports[0]); i++) {
		struct client_options options = options_for(TUNNEL_NETWORK);
		struct client_tunnel tunnel = good();

		options.transport = transports[i];
		tunnel.my_port = UINT16_MAX;
		assert_true(tunnel_check(&tunnel, &options, &why));
		tunnel.reply.udp_port = 4028;
		tunnel.reply.session = 1;
		assert_true(tunnel_check(&tunnel, &options, &why) ==
			    (transports[i] != SESSION_IPV6));
		if (transports[i] == SESSION_IPV6)
			assert_string_equal(why, "UDP ports");
		tunnel.reply.udp_port = 0;
		tunnel.my_port = UINT16_MAX + 1;
		assert_false(tunnel_check(&tunnel, &options, &why));
		assert_string_equal(why, "UDP ports");
	}
}

static void expect_link_local(const struct client_tunnel *tunnel, const char *expected)
{
	const struct in6_addr addr = tunnel_link_local(tunnel, "foobar");
	char text[INET6_ADDRSTRLEN];

	assert_string_equal(inet_ntop(AF_INET6, &addr, text, sizeof(text)), expected);
}

static void test_link_local(void **state)
{
	struct client_tunnel tunnel = good();

	(void)state;
	/* Of what the server sees, as the far end makes it. */
	tunnel.myaddr = addr4("10.0.0.1");
	expect_link_local(&tunnel, "fe80::c633:6402");
	tunnel.reply.me = addr4("255.255.255.254");
	expect_link_local(&tunnel, "fe80::ffff:fffe");
	/* Two clients behind one NAT have the same address, but never the same user. */
	tunnel.reply.udp_port = 4028;
	tunnel.reply.session = 1;
	expect_link_local(&tunnel, "fe80::8594:4171:f739:67e8");
}

static void expect_same(const struct client_tunnel *a, const struct client_tunnel *b, bool inside,
			bool told)
{
	assert_true(tunnel_same_inside(a, b) == inside);
	assert_true(tunnel_same_inside(b, a) == inside);
	assert_true(tunnel_same_for_script(a, b) == told);
	assert_true(tunnel_same_for_script(b, a) == told);
}

/* What is outside changes from session to session; the interface stays, the script may hear. */
static void test_same_outside(void **state)
{
	const struct client_tunnel old = good();
	struct client_tunnel new = good();

	(void)state;
	expect_same(&old, &new, true, true);
	new.reply.session = 77; /* told to nobody */
	expect_same(&old, &new, true, true);
	new = old;
	new.server = addr4("192.0.2.2");
	expect_same(&old, &new, true, false);
	new = old;
	new.server_index = 1; /* another name for the same address */
	expect_same(&old, &new, true, false);
	new = old;
	new.myaddr = addr4("10.0.0.1");
	expect_same(&old, &new, true, false);
	new = old;
	new.my_port = 4028;
	expect_same(&old, &new, true, false);
	new = old;
	new.reply.me = addr4("203.0.113.7");
	expect_same(&old, &new, true, false);
	new = old;
	new.reply.her = addr4("192.0.2.98");
	expect_same(&old, &new, true, false);
	new = old;
	new.reply.udp_port = 4028;
	expect_same(&old, &new, true, false);
}

static void test_same_inside(void **state)
{
	const struct client_tunnel old = good();
	const struct client_tunnel nothing = bare();
	struct client_tunnel new = good();

	(void)state;
	expect_same(&nothing, &nothing, true, true);
	expect_same(&old, &nothing, false, false);
	new.reply.me6.s6_addr[15]++;
	expect_same(&old, &new, false, false);
	new = old;
	new.reply.her6.s6_addr[0]++;
	expect_same(&old, &new, false, false);
	new = old;
	new.reply.has_her6 = false;
	expect_same(&old, &new, false, false);
	/* What is not there does not matter. */
	new.reply.her6 = addr6("2001:db8::77");
	expect_same(&new, &new, true, true);
	new = nothing;
	new.reply.me6 = addr6("2001:db8::77");
	new.reply.prefixes[0] = prefix("2001:db8:77::/48");
	expect_same(&nothing, &new, true, true);

	new = old;
	new.reply.n_prefixes = 1;
	expect_same(&old, &new, false, false);
	new = old;
	new.reply.prefixes[1] = prefix("fd00:2::/48");
	expect_same(&old, &new, false, false);
	/* The same address with another length, either way. */
	new.reply.prefixes[1] = prefix("fd00:1::/49");
	expect_same(&old, &new, false, false);
	/* The router's address comes out of the first one. */
	new.reply.prefixes[0] = old.reply.prefixes[1];
	new.reply.prefixes[1] = old.reply.prefixes[0];
	expect_same(&old, &new, false, false);
}

static void expect_text(const struct client_tunnel *tunnel, const struct client_options *options,
			const char *expected)
{
	static const struct log_source source = {"dtcpclient", NULL};
	struct log_record record;
	char line[LOG_LINE_SIZE];

	log_record_begin(&record, LOG_INFO, "tunnel-up", "up");
	tunnel_describe(tunnel, options, options->interface, &record);
	assert_string_equal(log_record_line(&record, &source, line), expected);
}

static void test_describe(void **state)
{
	struct client_options options = options_for(TUNNEL_NETWORK);
	struct client_tunnel tunnel = good();

	(void)state;
	expect_text(&tunnel, &options,
		    "up server=broker.example server_address=192.0.2.1 transport=ipv6 type=network "
		    "local=198.51.100.2 remote=192.0.2.99 prefix=2001:db8:100::/56,fd00:1::/48 "
		    "address=2001:db8::2 far_address=2001:db8::1 interface=dtcp0 mtu=1280");
	tunnel.reply.has_me6 = tunnel.reply.has_her6 = false;
	tunnel.reply.n_prefixes = 1;
	expect_text(&tunnel, &options,
		    "up server=broker.example server_address=192.0.2.1 transport=ipv6 type=network "
		    "local=198.51.100.2 remote=192.0.2.99 prefix=2001:db8:100::/56 "
		    "address=2001:db8:100:ff::1 interface=dtcp0 mtu=1280");
	/* A network without a prefix is none. */
	tunnel.reply.n_prefixes = 0;
	expect_text(&tunnel, &options,
		    "up server=broker.example server_address=192.0.2.1 transport=ipv6 "
		    "type=tunnelonly local=198.51.100.2 remote=192.0.2.99 interface=dtcp0 "
		    "mtu=1280");

	options = options_for(TUNNEL_HOST);
	options.mtu = 1480;
	options.interface = "six";
	tunnel = good();
	tunnel.reply.n_prefixes = 0;
	expect_text(&tunnel, &options,
		    "up server=broker.example server_address=192.0.2.1 transport=ipv6 type=host "
		    "local=198.51.100.2 remote=192.0.2.99 address=2001:db8::2 "
		    "far_address=2001:db8::1 interface=six mtu=1480");

	/* Over UDP. */
	tunnel.my_port = 65535;
	tunnel.reply.udp_port = 4028;
	tunnel.reply.session = 1;
	expect_text(&tunnel, &options,
		    "up server=broker.example server_address=192.0.2.1 transport=udp type=host "
		    "local=198.51.100.2 remote=192.0.2.99 port=65535 remote_port=4028 "
		    "address=2001:db8::2 far_address=2001:db8::1 interface=six mtu=1480");

	/* Behind a NAT, without a device of ours. */
	options = options_for(TUNNEL_ONLY);
	options.no_device = true;
	tunnel = bare();
	tunnel.reply.me = addr4("203.0.113.7");
	expect_text(&tunnel, &options,
		    "up server=broker.example server_address=192.0.2.1 transport=ipv6 "
		    "type=tunnelonly local=198.51.100.2 seen_as=203.0.113.7 remote=192.0.2.99 "
		    "mtu=1280");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_router_address),
		cmocka_unit_test(test_own_address),
		cmocka_unit_test(test_several_addresses),
		cmocka_unit_test(test_address_fits),
		cmocka_unit_test(test_check_good),
		cmocka_unit_test(test_check_demands),
		cmocka_unit_test(test_check_flags),
		cmocka_unit_test(test_check_server),
		cmocka_unit_test(test_check_ipv4),
		cmocka_unit_test(test_check_ipv6),
		cmocka_unit_test(test_check_prefixes),
		cmocka_unit_test(test_check_udp),
		cmocka_unit_test(test_link_local),
		cmocka_unit_test(test_same_outside),
		cmocka_unit_test(test_same_inside),
		cmocka_unit_test(test_describe),
		cmocka_unit_test(test_routes),
	};

	return cmocka_run_group_tests_name("client tunnel", tests, NULL, NULL);
}
