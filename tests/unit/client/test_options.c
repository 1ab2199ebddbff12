/* SPDX-License-Identifier: BSD-2-Clause */
/* dtcpclient's command line. */
#include "client/options_parts.h"

#include "base/log.h"
#include "base/options.h"
#include "config.h"
#include "netconf/tun.h"
#include "tests/unit/client/parsed.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static void test_defaults(void **state)
{
	(void)state;
	OK("broker.example");
	assert_int_equal(options.n_servers, 1);
	assert_string_equal(options.servers[0], "broker.example");
	assert_null(options.login);
	assert_null(options.run_as);
	assert_string_equal(options.script, DTCP_SYSCONFDIR "/dtcpclient.script");
	assert_false(options.script_named);
	assert_null(options.pidfile);
	assert_string_equal(options.interface, "dtcp0");
	assert_string_equal(options.auth_file, DTCP_SYSCONFDIR "/dtcpclient.auth");
	assert_false(options.debug || options.daemon || options.loop || options.no_device);
	assert_true(options.check_nat);
	assert_int_equal(options.port, 20200);
	assert_int_equal(options.mtu, 1280);
	assert_int_equal(options.metric, 1024);
	assert_int_equal(options.type, TUNNEL_ONLY);
	assert_int_equal(options.n_addresses, 0);
	assert_false(options.accept_ra);
	assert_int_equal(options.n_routes, 1);
	assert_int_equal(options.routes[0].len, 0);
	assert_true(IN6_IS_ADDR_UNSPECIFIED(&options.routes[0].addr));
	assert_int_equal(options.keepalive, 60);
	assert_int_equal(options.keepalive_timeout, 15);
}

static void test_short_options(void **state)
{
	(void)state;
	OK("-d", "-l", "-n", "s");
	assert_true(options.debug && options.loop && !options.check_nat && !options.daemon);
	OK("-dln", "s");
	assert_true(options.debug && options.loop && !options.check_nat);
	OK("-f", "/tmp/x.pid", "s");
	assert_string_equal(options.pidfile, "/tmp/x.pid");
	OK("-m", "1480", "s");
	assert_int_equal(options.mtu, 1480);
	OK("-m1280", "s");
	assert_int_equal(options.mtu, 1280);
	OK("-p", "1", "s");
	assert_int_equal(options.port, 1);
	OK("-p", "65535", "s");
	assert_int_equal(options.port, 65535);
	OK("-s", "/x/y", "s");
	assert_string_equal(options.script, "/x/y");
	assert_true(options.script_named);
	ERROR("-s: a command is needed", "-s", "", "s");
	ERROR("-s: a command is needed", "-s", " \t ", "s");
	OK("-s", "site6 --lan eth1", "s");
	assert_string_equal(options.script, "site6 --lan eth1");
	OK("-u", "foo", "s");
	assert_string_equal(options.login, "foo");
}

/* Options may come after the server; the last of two counts. */
static void test_order(void **state)
{
	(void)state;
	OK("s", "-l", "-m", "1400");
	assert_string_equal(options.servers[0], "s");
	assert_true(options.loop);
	assert_int_equal(options.mtu, 1400);
	OK("-m", "1300", "-m", "1400", "s");
	assert_int_equal(options.mtu, 1400);
	OK("--", "-l");
	assert_string_equal(options.servers[0], "-l");
	assert_false(options.loop);
}

static void test_pidfile_of_a_daemon(void **state)
{
	(void)state;
	OK("-D", "s");
	assert_true(options.daemon);
	assert_string_equal(options.pidfile, DTCP_RUNDIR "/dtcpclient.pid");
	OK("-D", "-f", "/x", "s");
	assert_string_equal(options.pidfile, "/x");
}

static void test_types(void **state)
{
	(void)state;
	OK("-t", "tunnelonly", "s");
	assert_int_equal(options.type, TUNNEL_ONLY);
	OK("-t", "host", "s");
	assert_int_equal(options.type, TUNNEL_HOST);
	OK("-t", "network", "s");
	assert_int_equal(options.type, TUNNEL_NETWORK);
	OK("-t", "TunnelRoute", "s");
	assert_int_equal(options.type, TUNNEL_NETWORK);
	ERROR("-t router: tunnelonly, host and network are possible", "-t", "router", "s");
	ERROR("-t : tunnelonly, host and network are possible", "-t", "", "s");
}

static void test_long_options(void **state)
{
	struct in6_addr addr;

	(void)state;
	OK("--interface", "tun-x", "--auth-file=/a", "--metric", "7", "--user", "nobody", "s");
	assert_string_equal(options.interface, "tun-x");
	assert_string_equal(options.auth_file, "/a");
	assert_int_equal(options.metric, 7);
	assert_string_equal(options.run_as, "nobody");
	OK("--metric", "2147483647", "s");
	assert_int_equal(options.metric, 2147483647);
	OK("--address", "2001:db8::42", "s");
	assert_int_equal(options.n_addresses, 1);
	assert_int_equal(options.addresses[0].len, 128);
	assert_int_equal(inet_pton(AF_INET6, "2001:db8::42", &addr), 1);
	assert_true(IN6_ARE_ADDR_EQUAL(&options.addresses[0].addr, &addr));
	OK("s");
	assert_int_equal(options.fast, FAST_AUTO);
	OK("--fast", "on", "s");
	assert_int_equal(options.fast, FAST_ON);
	OK("--fast=off", "s");
	assert_int_equal(options.fast, FAST_OFF);
	ERROR("--fast yes: auto, on and off are possible", "--fast", "yes", "s");
	OK("--tunnel", "none", "s");
	assert_true(options.no_device);
	OK("--tunnel", "none", "--tunnel", "tun", "s");
	assert_false(options.no_device);
	OK("--keepalive", "5", "s");
	assert_int_equal(options.keepalive, 5);
	assert_int_equal(options.keepalive_timeout, 15);
	OK("--keepalive", "3600,600", "s");
	assert_int_equal(options.keepalive, 3600);
	assert_int_equal(options.keepalive_timeout, 600);
}

static void test_lan(void **state)
{
	const struct client_lan *lan = &options.lan;

	(void)state;
	OK("s");
	assert_int_equal(lan->n, 0);
	/* A prefix is needed, and whatever gets through will do. */
	OK("--lan", "eth1,wlan0", "--lan", "br-lan", "s");
	assert_int_equal(lan->n, 3);
	assert_string_equal(lan->names[0], "eth1");
	assert_string_equal(lan->names[1], "wlan0");
	assert_string_equal(lan->names[2], "br-lan");
	assert_int_equal(options.type, TUNNEL_NETWORK);
	assert_int_equal(options.transport, SESSION_AUTO);
	assert_int_equal(options.udp_port, 0);
	assert_true(lan->dns_auto && !lan->no_firewall);
	OK("--lan", "eth1", "--transport", "ipv6", "-t", "network", "s");
	assert_int_equal(options.transport, SESSION_IPV6);
	OK("-U", "--lan", "eth1", "s");
	assert_int_equal(options.transport, SESSION_UDP);
	ERROR("--lan: only with -t network; with host there is no prefix to share", "--lan", "eth1",
	      "-t", "host", "s");
	ERROR("--lan: not with --tunnel none, with which the script does all", "--lan", "eth1",
	      "--tunnel", "none", "s");
	ERROR("--lan: \"eth1\" is named twice", "--lan", "eth1,eth1", "s");
	ERROR("--lan : not a name for an interface: " TUN_NAME_RULE, "--lan", "eth1,", "s");
	ERROR("--lan eth1/x: not a name for an interface: " TUN_NAME_RULE, "--lan", "eth1/x", "s");
	ERROR("--lan dtcp0: the interface of a network at home is needed", "--lan", "dtcp0", "s");
	ERROR("--lan lo: the interface of a network at home is needed", "--lan", "lo", "s");
	ERROR("--lan: at most 16 interfaces", "--lan", "a,b,c,d,e,f,g,h,i,j,k,l,m,n,o,p,q", "s");
}

static void test_lan_details(void **state)
{
	const struct client_lan *lan = &options.lan;

	(void)state;
	OK("--lan", "eth1", "--lan-dns", "2001:db8::53,fd00::53", "s");
	assert_int_equal(lan->n_dns, 2);
	assert_false(lan->dns_auto);
	OK("--lan", "eth1", "--lan-dns", "none", "s");
	assert_true(lan->n_dns == 0 && !lan->dns_auto);
	OK("--lan", "eth1", "--lan-dns", "none", "--lan-dns", "auto", "s");
	assert_true(lan->dns_auto);
	ERROR("--lan-dns: \"192.0.2.53\": a global IPv6 address, \"auto\" or \"none\" is needed",
	      "--lan", "eth1", "--lan-dns", "192.0.2.53", "s");
	ERROR("--lan-dns: at most 4 addresses", "--lan", "eth1", "--lan-dns",
	      "2001:db8::1,2001:db8::2,2001:db8::3,2001:db8::4,2001:db8::5", "s");
	OK("--lan", "eth1", "--lan-firewall", "off", "s");
	assert_true(lan->no_firewall);
	ERROR("--lan-firewall: \"no\": on or off is needed", "--lan", "eth1", "--lan-firewall",
	      "no", "s");
	OK("--lan", "eth1", "--lan-open", "tcp/443,udp/5000-5010", "--lan-open", "tcp/22", "s");
	assert_int_equal(lan->n_open, 3);
	assert_int_equal(lan->open[1].protocol, IPPROTO_UDP);
	assert_int_equal(lan->open[1].first, 5000);
	assert_int_equal(lan->open[1].last, 5010);
	assert_int_equal(lan->open[2].protocol, IPPROTO_TCP);
	assert_int_equal(lan->open[2].last, 22);
	static const char *const bad[] = {"443",       "tcp/",	       "tcp/0",	  "tcp/65536",
					  "tcp/https", "sctp/443",     "tcp/9-8", "tcp/1-",
					  "tcp/1-2-3", "tcp/443 ",     "",	  "udp",
					  "tcp/-5",    "tcp/000000443"};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		char message[200];

		(void)snprintf(message, sizeof(message),
			       "--lan-open: \"%s\": a port such as tcp/443, or several such as "
			       "udp/5000-5010, are needed",
			       bad[i]);
		ERROR(message, "--lan", "eth1", "--lan-open", bad[i], "s");
	}
	ERROR("--lan-open: not with --lan-firewall off, with which everything is open", "--lan",
	      "eth1", "--lan-firewall", "off", "--lan-open", "tcp/443", "s");
	ERROR("--lan-open: only with --lan, which names the interfaces", "--lan-open", "tcp/443",
	      "s");
	ERROR("--lan-dns: only with --lan, which names the interfaces", "--lan-dns", "none", "s");
	ERROR("--lan-firewall: only with --lan, which names the interfaces", "--lan-firewall",
	      "off", "s");
}

static void test_table(void **state)
{
	(void)state;
	OK("s");
	assert_int_equal(options.table, 0);
	OK("--table", "main", "s");
	assert_int_equal(options.table, 254);
	OK("--table", "4294967295", "s");
	assert_int_equal(options.table, UINT32_MAX);
	OK("--table", "7", "--table", "auto", "s");
	assert_int_equal(options.table, 0);
	ERROR("--table: \"0\": a number from 1 to 4294967295 is needed", "--table", "0", "s");
	ERROR("--table: \"own\": a number from 1 to 4294967295 is needed", "--table", "own", "s");
	ERROR("--table 255: the kernel's own; \"auto\", \"main\" or another number is possible",
	      "--table", "255", "s");
	ERROR("--table 253: the kernel's own; \"auto\", \"main\" or another number is possible",
	      "--table", "253", "s");
}

static void test_routes(void **state)
{
	char text[PREFIX6_STRLEN];
	char list[64 * 33] = "";

	(void)state;
	OK("--route", "none", "s");
	assert_int_equal(options.n_routes, 0);
	OK("--route", "none", "--route", "default", "s");
	assert_int_equal(options.n_routes, 1);
	assert_int_equal(options.routes[0].len, 0);
	OK("--route", "2000::/3", "s");
	assert_int_equal(options.n_routes, 1);
	assert_string_equal(prefix6_format(&options.routes[0], text), "2000::/3");
	OK("--route", "2001:db8::/32,fd00::/8,2001:db8::1/128", "s");
	assert_int_equal(options.n_routes, 3);
	assert_string_equal(prefix6_format(&options.routes[0], text), "2001:db8::/32");
	assert_string_equal(prefix6_format(&options.routes[1], text), "fd00::/8");
	assert_string_equal(prefix6_format(&options.routes[2], text), "2001:db8::1/128");

	for (unsigned int i = 0; i < 33; i++)
		(void)snprintf(list + strlen(list), sizeof(list) - strlen(list),
			       "%s2001:db8:%x::/48", i > 0 ? "," : "", i);
	ERROR("--route: at most 32 prefixes", "--route", list, "s");
	*strrchr(list, ',') = '\0';
	OK("--route", list, "s");
	assert_int_equal(options.n_routes, 32);
	assert_string_equal(prefix6_format(&options.routes[31], text), "2001:db8:1f::/48");
	/* Too long to be looked at. */
	memset(list, ',', sizeof(list) - 1);
	list[sizeof(list) - 1] = '\0';
	list[2000] = '\0';
	ERROR("--route: at most 32 prefixes", "--route", list, "s");
}

#define ROUTES "; \"default\", \"none\" or prefixes such as 2000::/3 are possible"

static void test_bad_routes(void **state)
{
	(void)state;
	ERROR("--route: \"\" is not an IPv6 address, a slash and a number" ROUTES, "--route", "",
	      "s");
	ERROR("--route: \"all\" is not an IPv6 address, a slash and a number" ROUTES, "--route",
	      "all", "s");
	ERROR("--route: \"\" is not an IPv6 address, a slash and a number" ROUTES, "--route",
	      "2000::/3,", "s");
	ERROR("--route: \"none\" is not an IPv6 address, a slash and a number" ROUTES, "--route",
	      "2000::/3,none", "s");
	ERROR("--route: \"::/0\" has a length outside 1 to 128" ROUTES, "--route", "::/0", "s");
	ERROR("--route: \"2000::1/3\" has bits set beyond its length" ROUTES, "--route",
	      "2000::1/3", "s");
	ERROR("--route: \"10.0.0.0/8\" is not an IPv6 address, a slash and a number" ROUTES,
	      "--route", "10.0.0.0/8", "s");
	/* A second one could not be made, which would show after the login only. */
	ERROR("--route: \"2001:0db8::/32\" is named twice", "--route",
	      "2001:db8::/32,fd00::/8,2001:0db8::/32", "s");
	OK("--route", "2001:db8::/32,2001:db8::/33", "s");
}

static void test_bad_numbers(void **state)
{
	(void)state;
	ERROR("-m: \"1279\": a number from 1280 to 1480 is needed", "-m", "1279", "s");
	ERROR("-m: \"1481\": a number from 1280 to 1480 is needed", "-m", "1481", "s");
	ERROR("-m: \"1400x\": a number from 1280 to 1480 is needed", "-m", "1400x", "s");
	ERROR("-m: \"\": a number from 1280 to 1480 is needed", "-m", "", "s");
	ERROR("-m: \"-1\": a number from 1280 to 1480 is needed", "-m", "-1", "s");
	ERROR("-p: \"0\": a number from 1 to 65535 is needed", "-p", "0", "s");
	ERROR("-p: \"65536\": a number from 1 to 65535 is needed", "-p", "65536", "s");
	ERROR("-p: \"0x10\": a number from 1 to 65535 is needed", "-p", "0x10", "s");
	ERROR("-p: \"18446744073709551617\": a number from 1 to 65535 is needed", "-p",
	      "18446744073709551617", "s");
	ERROR("--metric: \"0\": a number from 1 to 2147483647 is needed", "--metric", "0", "s");
	ERROR("--metric: \"2147483648\": a number from 1 to 2147483647 is needed", "--metric",
	      "2147483648", "s");
	ERROR("--keepalive: \"0\": a number from 1 to 3600 is needed", "--keepalive", "0", "s");
	ERROR("--keepalive: \"3601\": a number from 1 to 3600 is needed", "--keepalive", "3601",
	      "s");
	ERROR("--keepalive: \"\": a number from 1 to 3600 is needed", "--keepalive", ",5", "s");
	ERROR("--keepalive timeout: \"0\": a number from 1 to 600 is needed", "--keepalive", "5,0",
	      "s");
	ERROR("--keepalive timeout: \"601\": a number from 1 to 600 is needed", "--keepalive",
	      "5,601", "s");
	ERROR("--keepalive timeout: \"\": a number from 1 to 600 is needed", "--keepalive", "5,",
	      "s");
	ERROR("--keepalive timeout: \"5,6\": a number from 1 to 600 is needed", "--keepalive",
	      "5,5,6", "s");
	ERROR("--keepalive 0000000000000005: seconds from 1 to 3600 are needed", "--keepalive",
	      "0000000000000005", "s");
}

static void test_bad_names(void **state)
{
	char user[DTCP_USER_MAX + 2];
	char message[300];

	(void)state;
	ERROR("--interface : not a name for an interface: " TUN_NAME_RULE, "--interface", "", "s");
	ERROR("--interface a/b: not a name for an interface: " TUN_NAME_RULE, "--interface", "a/b",
	      "s");
	ERROR("--interface ..: not a name for an interface: " TUN_NAME_RULE, "--interface", "..",
	      "s");
	ERROR("--interface tun%d: not a name for an interface: " TUN_NAME_RULE, "--interface",
	      "tun%d", "s");
	OK("--interface", "fifteenletters1", "s");
	ERROR("--interface sixteenletters12: not a name for an interface: " TUN_NAME_RULE,
	      "--interface", "sixteenletters12", "s");
	ERROR("--tunnel: \"sit\": tun or none is needed", "--tunnel", "sit", "s");
	ERROR("--user: no user no-such-user to run as on this machine; whom to log in as is said "
	      "by -u or login",
	      "--user", "no-such-user", "s");

	ERROR("-u a b: a user name has 1 to 64 printable characters, no blank and no colon", "-u",
	      "a b", "s");
	ERROR("-u a:b: a user name has 1 to 64 printable characters, no blank and no colon", "-u",
	      "a:b", "s");
	ERROR("-u : a user name has 1 to 64 printable characters, no blank and no colon", "-u", "",
	      "s");
	memset(user, 'u', sizeof(user) - 1);
	user[DTCP_USER_MAX + 1] = '\0';
	(void)snprintf(message, sizeof(message),
		       "-u %s: a user name has 1 to 64 printable characters, no blank and no colon",
		       user);
	ERROR(message, "-u", user, "s");
	user[DTCP_USER_MAX] = '\0';
	OK("-u", user, "s");
}

static void test_bad_addresses(void **state)
{
	static const char *const bad[] = {
		"",   "1.2.3.4",	"fe80::1/64", "ff02::1",	  "::1",
		"::", "::ffff:1.2.3.4", "/64",	      "2001:db8::1%lo/64"};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		char message[120];

		(void)snprintf(message, sizeof(message),
			       "--address %s: a global IPv6 unicast address is needed", bad[i]);
		ERROR(message, "--address", bad[i], "s");
	}
	OK("--address", "fd00::1", "s");
	ERROR("--address 2001:db8::/64: a prefix; an address in it is needed, such as "
	      "2001:db8::1/64",
	      "--address", "2001:db8::/64", "s");
	ERROR("--address length: \"129\": a number from 1 to 128 is needed", "--address",
	      "2001:db8::1/129", "s");
	ERROR("--address length: \"\": a number from 1 to 128 is needed", "--address",
	      "2001:db8::1/", "s");
}

static void test_tunnelonly_addresses(void **state)
{
	struct in6_addr addr;

	(void)state;
	OK("--address", "2001:db8::42/64", "--address=fd00::1", "s");
	assert_int_equal(options.n_addresses, 2);
	assert_int_equal(options.addresses[0].len, 64);
	assert_int_equal(options.addresses[1].len, 128);
	assert_int_equal(inet_pton(AF_INET6, "2001:db8::42", &addr), 1);
	assert_true(IN6_ARE_ADDR_EQUAL(&options.addresses[0].addr, &addr));
	/* The first address of a link with two. */
	OK("--address", "2001:db8::/127", "s");
	ERROR("--address 2001:db8::42/48: named twice", "--address", "2001:db8::42/64", "--address",
	      "2001:db8::42/48", "s");
	OK("--address=fd00::1", "--address=fd00::2", "--address=fd00::3", "--address=fd00::4",
	   "--address=fd00::5", "--address=fd00::6", "--address=fd00::7", "--address=fd00::8", "s");
	assert_int_equal(options.n_addresses, 8);
	ERROR("--address: at most 8 addresses", "--address=fd00::1", "--address=fd00::2",
	      "--address=fd00::3", "--address=fd00::4", "--address=fd00::5", "--address=fd00::6",
	      "--address=fd00::7", "--address=fd00::8", "--address=fd00::9", "s");
	/* With the other types it is the one address that the box takes out of its prefix. */
	ERROR("--address: more than one only with -t tunnelonly", "-t", "network",
	      "--address=fd00::1", "--address=fd00::2", "s");
	ERROR("--address: a length only with -t tunnelonly", "--address=fd00::1/64", "-t",
	      "network", "s");
	OK("--address=fd00::1/128", "-t", "network", "s");
}

static void test_accept_ra(void **state)
{
	(void)state;
	OK("--accept-ra", "s");
	assert_true(options.accept_ra);
	OK("--accept-ra", "-t", "tunnelonly", "s");
	ERROR("--accept-ra: only with -t tunnelonly; with host the server says what addresses "
	      "there are",
	      "--accept-ra", "-t", "host", "s");
}

static void test_transport(void **state)
{
	(void)state;
	OK("s");
	assert_int_equal(options.transport, SESSION_IPV6);
	OK("-U", "s");
	assert_int_equal(options.transport, SESSION_UDP);
	OK("--transport", "udp", "s");
	assert_int_equal(options.transport, SESSION_UDP);
	OK("--transport=auto", "s");
	assert_int_equal(options.transport, SESSION_AUTO);
	OK("--transport", "ipv6", "s");
	assert_int_equal(options.transport, SESSION_IPV6);
	/* The last one counts, in whichever form. */
	OK("-U", "--transport", "ipv6", "s");
	assert_int_equal(options.transport, SESSION_IPV6);
	OK("--transport", "auto", "-lU", "s");
	assert_int_equal(options.transport, SESSION_UDP);
	assert_true(options.loop);
	ERROR("--transport : auto, ipv6 and udp are possible", "--transport", "", "s");
	ERROR("--transport UDP: auto, ipv6 and udp are possible", "--transport", "UDP", "s");
	ERROR("--transport tcp: auto, ipv6 and udp are possible", "--transport", "tcp", "s");
	ERROR("--transport: its value is missing; see --help", "s", "--transport");
}

static void test_udp_ports(void **state)
{
	(void)state;
	OK("-U", "s");
	assert_int_equal(options.udp_port, 4028);
	assert_int_equal(options.nat_port, 0);
	OK("-U", "-b", "5000", "s");
	assert_int_equal(options.udp_port, 5000);
	OK("-b65535", "-U", "s");
	assert_int_equal(options.udp_port, 65535);
	/* Any port, whichever the kernel likes. */
	OK("-Ub", "0", "s");
	assert_int_equal(options.udp_port, 0);
	OK("-U", "-B", "1", "s");
	assert_int_equal(options.nat_port, 1);
	assert_int_equal(options.udp_port, 4028);
	OK("-B", "65535", "-b", "7", "-nU", "s");
	assert_int_equal(options.nat_port, 65535);
	assert_int_equal(options.udp_port, 7);
	assert_false(options.check_nat);
	/* Where nothing was asked for, auto leaves the choice to the kernel. */
	OK("--transport", "auto", "s");
	assert_int_equal(options.udp_port, 0);
	OK("--transport", "auto", "-b", "4028", "s");
	assert_int_equal(options.udp_port, 4028);
	OK("-b", "5000", "--transport", "auto", "s");
	assert_int_equal(options.udp_port, 5000);
	/* Without UDP it does no harm. */
	OK("-b", "5000", "s");

	ERROR("-b: \"65536\": a number from 0 to 65535 is needed", "-U", "-b", "65536", "s");
	ERROR("-b: \"-1\": a number from 0 to 65535 is needed", "-U", "-b", "-1", "s");
	ERROR("-b: \"\": a number from 0 to 65535 is needed", "-U", "-b", "", "s");
	ERROR("-B: \"0\": a number from 1 to 65535 is needed", "-U", "-B", "0", "s");
	ERROR("-B: \"65536\": a number from 1 to 65535 is needed", "-U", "-B", "65536", "s");
	ERROR("-B: \"4028x\": a number from 1 to 65535 is needed", "-U", "-B", "4028x", "s");
	ERROR("-b: its value is missing; see --help", "s", "-Ub");
	ERROR("-B: its value is missing; see --help", "s", "-B");
}

/* A port that was chosen never changes; one that nobody chose, or any, may. */
static void test_udp_port_kept(void **state)
{
	(void)state;
	OK("-U", "s");
	assert_false(client_options_keep_port(&options));
	OK("-U", "-b", "0", "s");
	assert_false(client_options_keep_port(&options));
	OK("--transport", "auto", "s");
	assert_false(client_options_keep_port(&options));
	OK("-U", "-b", "4028", "s");
	assert_true(client_options_keep_port(&options));
	OK("-U", "-B", "4028", "s");
	assert_true(client_options_keep_port(&options));
	OK("-U", "-b", "0", "-B", "4028", "s");
	assert_true(client_options_keep_port(&options));
}

/* Options that are right alone and wrong together, in any order. */
static void test_udp_conflicts(void **state)
{
	(void)state;
	ERROR("-B 4028: only with UDP (-U)", "-B", "4028", "s");
	ERROR("-B 4028: only with UDP (-U)", "-U", "-B", "4028", "--transport", "ipv6", "s");
	OK("-B", "4028", "--transport", "auto", "s");
	assert_int_equal(options.nat_port, 4028);
	ERROR("-m 1473: with UDP at most 1472", "-m", "1473", "-U", "s");
	ERROR("-m 1480: with UDP at most 1472", "--transport", "auto", "-m", "1480", "s");
	OK("-U", "-m", "1472", "s");
	assert_int_equal(options.mtu, 1472);
	OK("-m", "1480", "-U", "--transport", "ipv6", "s");
	assert_int_equal(options.mtu, 1480);
}

static void test_hold(void **state)
{
	(void)state;
	OK("s");
	assert_int_equal(options.hold, 30);
	OK("--hold", "0", "s");
	assert_int_equal(options.hold, 0);
	OK("--hold=3600", "s");
	assert_int_equal(options.hold, 3600);
	ERROR("--hold: \"3601\": a number from 0 to 3600 is needed", "--hold", "3601", "s");
	ERROR("--hold: \"\": a number from 0 to 3600 is needed", "--hold", "", "s");
	ERROR("--hold: \"30s\": a number from 0 to 3600 is needed", "--hold", "30s", "s");
	ERROR("--hold: its value is missing; see --help", "s", "--hold");
}

static void test_server(void **state)
{
	char name[255];

	(void)state;
	ERROR("the server's name is missing; see --help", "-l");
	args_expect_error(&parsed_program, (const char *const[]){NULL},
			  "the server's name is missing; see --help");
	ERROR("more than 8 servers; see --help", "a", "b", "c", "d", "e", "f", "g", "h", "i");
	ERROR("server: not a host name or an IPv4 address", "a", "");
	ERROR("server B.example: named twice", "a", "b.example", "B.example");
	args_expect_ok(&parsed_program,
		       (const char *const[]){"a", "-l", "b", "c", "d", "e", "f", "g", "h", NULL});
	assert_int_equal(options.n_servers, 8);
	assert_string_equal(options.servers[0], "a");
	assert_string_equal(options.servers[7], "h");
	ERROR("server: not a host name or an IPv4 address", "");
	memset(name, 'a', sizeof(name) - 1);
	name[254] = '\0';
	ERROR("server: not a host name or an IPv4 address", name);
	name[253] = '\0';
	OK(name);
}

/* A port, or an IPv6 address, where neither belongs. */
static void test_server_with_port(void **state)
{
	(void)state;
	ERROR("server broker.example:20200: a port is named with -p, as in: -p 20200 "
	      "broker.example",
	      "broker.example:20200");
	ERROR("server 192.0.2.1:1: a port is named with -p, as in: -p 1 192.0.2.1", "a",
	      "192.0.2.1:1");
	ERROR("server [192.0.2.1]:20201: a port is named with -p, as in: -p 20201 192.0.2.1",
	      "[192.0.2.1]:20201");
	static const char *const six[] = {
		"2001:db8::1",	"[2001:db8::1]",	"[2001:db8::1]:20200", "::1",
		"fe80::1%eth0", "[fe80::1%eth0]:20200", "::ffff:192.0.2.1"};
	static const char *const others[] = {"broker.example:",
					     "broker.example:0",
					     "broker.example:65536",
					     "broker.example:dtcp",
					     ":20200",
					     "[]:20200",
					     "[broker.example]",
					     "dtcp://broker.example",
					     "a:b:20200",
					     "[a:b]:20200",
					     "[[a]]:20200",
					     "broker.example:-1"};
	char message[200];

	for (size_t i = 0; i < sizeof(six) / sizeof(six[0]); i++) {
		(void)snprintf(message, sizeof(message),
			       "server %s: an IPv6 address; a server is reached over IPv4, and its "
			       "port is named with -p",
			       six[i]);
		ERROR(message, six[i]);
	}
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		(void)snprintf(message, sizeof(message),
			       "server %s: not a host name or an IPv4 address; a port is named "
			       "with -p",
			       others[i]);
		ERROR(message, others[i]);
	}
}

/* The option at fault is the one that is named, wherever it stands. */
static void test_unknown(void **state)
{
	(void)state;
	ERROR("-x: unknown option; see --help", "-x", "s");
	ERROR("-i: unknown option; --interface names the tunnel interface", "-i", "gif0", "s");
	ERROR("-r: unknown option; --route says what is routed into the tunnel", "-ldr", "s");
	ERROR("-x: unknown option; see --help", "-dxl", "s");
	ERROR("-x: unknown option; see --help", "-dx", "s");
	ERROR("-x: unknown option; see --help", "-l", "-xd", "s");
	ERROR("--frobnicate: unknown option; see --help", "-l", "--frobnicate", "s");
	ERROR("--help=me: unknown option; see --help", "--help=me", "s");
	ERROR("-p: its value is missing; see --help", "s", "-p");
	ERROR("-p: its value is missing; see --help", "s", "-lp");
	ERROR("--route: its value is missing; see --help", "s", "--route");
}

static void test_help_and_version(void **state)
{
	const char *printed;

	(void)state;
	assert_int_equal(args_parse(&parsed_program, ARGS("--version"), STDOUT_FILENO, &printed),
			 OPTIONS_DONE);
	assert_string_equal(printed, "dtcpclient " DTCP_VERSION "\n");
	/* Whatever else is wrong. */
	assert_int_equal(args_parse(&parsed_program, ARGS("--help", "-x", "a", "b"), STDOUT_FILENO,
				    &printed),
			 OPTIONS_DONE);
	assert_string_equal(printed, options_help);
}

static int setup(void **state)
{
	(void)state;
	log_init("dtcpclient", NULL, false);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_short_options),
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_pidfile_of_a_daemon),
		cmocka_unit_test(test_types),
		cmocka_unit_test(test_long_options),
		cmocka_unit_test(test_lan),
		cmocka_unit_test(test_lan_details),
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_routes),
		cmocka_unit_test(test_bad_routes),
		cmocka_unit_test(test_bad_numbers),
		cmocka_unit_test(test_bad_names),
		cmocka_unit_test(test_bad_addresses),
		cmocka_unit_test(test_tunnelonly_addresses),
		cmocka_unit_test(test_accept_ra),
		cmocka_unit_test(test_transport),
		cmocka_unit_test(test_udp_ports),
		cmocka_unit_test(test_udp_port_kept),
		cmocka_unit_test(test_udp_conflicts),
		cmocka_unit_test(test_hold),
		cmocka_unit_test(test_server),
		cmocka_unit_test(test_server_with_port),
		cmocka_unit_test(test_unknown),
		cmocka_unit_test(test_help_and_version),
	};

	return cmocka_run_group_tests_name("client options", tests, setup, NULL);
}
