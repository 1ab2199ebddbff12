/* SPDX-License-Identifier: BSD-2-Clause */
/* dtcps's command line and its -o keys. */
#include "server/options.h"

#include "base/log.h"
#include "base/options.h"
#include "config.h"
#include "netconf/tun.h"
#include "server/root/device_pool.h"
#include "tests/unit/base/args.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static struct server_options options;

static enum options_result parse(int argc, char *const argv[])
{
	memset(&options, 0xa5, sizeof(options));
	return server_options_parse(&options, argc, argv);
}

static const struct args_program program = {"dtcps", parse};

#define OK(...)		args_expect_ok(&program, ARGS(__VA_ARGS__))
#define ERROR(msg, ...) args_expect_error(&program, ARGS(__VA_ARGS__), msg)

static void expect_ipv4(struct in_addr addr, const char *expected)
{
	char text[INET_ADDRSTRLEN];

	assert_string_equal(inet_ntop(AF_INET, &addr, text, sizeof(text)), expected);
}

static void expect_prefix(const struct prefix6 *prefix, const char *expected)
{
	char text[PREFIX6_STRLEN];

	assert_string_equal(prefix6_format(prefix, text), expected);
}

static void test_defaults(void **state)
{
	(void)state;
	args_expect_ok(&program, (const char *const[]){NULL});
	assert_false(options.debug || options.daemon || options.numbered || options.udp);
	assert_false(options.has_host || options.has_pool);
	assert_string_equal(options.ndp_proxy, "auto");
	assert_false(server_options_ndp(&options));
	assert_null(options.pidfile);
	assert_string_equal(options.database, DTCP_DATABASE);
	assert_null(options.run_as);
	assert_string_equal(options.interface, "dtcps0");
	expect_ipv4(options.listen, "0.0.0.0");
	expect_ipv4(options.address, "0.0.0.0");
	assert_int_equal(options.port, 20200);
	assert_int_equal(options.udp_port, 4028);
	assert_int_equal(options.mtu, 1280);
	assert_int_equal(options.network_length, 56);
	assert_int_equal(options.attempts, 3);
	assert_int_equal(options.sessions_max, 16384);
	assert_int_equal(options.limits.connections, 16384 + 4096);
	assert_int_equal(options.limits.pending, 4096);
	assert_int_equal(options.limits.source_connections, 1024);
	assert_int_equal(options.limits.source_pending, 512);
	assert_int_equal(options.failures, 30);
	assert_int_equal(options.delay, 5);
	assert_int_equal(options.line_rate, 10);
	assert_int_equal(options.log_lines, 50);
	assert_int_equal(options.output, 2048);
	assert_int_equal(options.icmp6_rate, 100);
	assert_int_equal(options.timeout_login, 60);
	assert_int_equal(options.timeout_idle, 300);
	assert_int_equal(options.timeout_word, 1);
	assert_true(options.tunnelonly);
	assert_int_equal(options.tunnelonly_keep, 300);
	assert_false(options.tunnelonly_ra);
	assert_false(options.tunnelonly_any);
}

static void test_short_options(void **state)
{
	(void)state;
	OK("-d");
	assert_true(options.debug);
	OK("-D");
	assert_true(options.daemon);
	assert_string_equal(options.pidfile, DTCP_RUNDIR "/dtcps.pid");
	OK("-D", "-f", "/x.pid");
	assert_string_equal(options.pidfile, "/x.pid");
	OK("-f", "/x.pid");
	assert_string_equal(options.pidfile, "/x.pid");
	OK("-adD", "2001:db8:1::/64");
	assert_true(options.numbered && options.debug && options.daemon);
	OK("-g", "203.0.113.9");
	expect_ipv4(options.address, "203.0.113.9");
	OK("-i", "six4");
	assert_string_equal(options.interface, "six4");
	OK("-p", "65535");
	assert_int_equal(options.port, 65535);
	OK("--user", "nobody");
	assert_string_equal(options.run_as, "nobody");
	OK("-U");
	assert_true(options.udp);
	assert_int_equal(options.udp_port, 4028);
	/* A port alone does not open it. */
	OK("-b", "5000");
	assert_false(options.udp);
	assert_int_equal(options.udp_port, 5000);
	OK("-dUb1");
	assert_true(options.udp && options.debug);
	assert_int_equal(options.udp_port, 1);
}

/* For whom neighbours are answered. */
static void test_ndp(void **state)
{
	(void)state;
	OK("-o", "host.prefix=2001:db8:1::/64");
	assert_true(server_options_ndp(&options));
	OK("-o", "network.pool=2001:db8:1::/48", "-o", "ndp.proxy=auto");
	assert_true(server_options_ndp(&options));
	OK("-o", "network.pool=2001:db8:1::/48", "-o", "ndp.proxy=off");
	assert_false(server_options_ndp(&options));
	/* For users with prefixes of their own. */
	OK("-o", "ndp.proxy=enp3s0f0.100");
	assert_string_equal(options.ndp_proxy, "enp3s0f0.100");
	assert_true(server_options_ndp(&options));
}

static void test_each_key(void **state)
{
	(void)state;
	OK("-o", "address=203.0.113.9");
	expect_ipv4(options.address, "203.0.113.9");
	OK("-o", "database=/db");
	assert_string_equal(options.database, "/db");
	OK("-o", "host.prefix=2001:db8:1::/64");
	assert_true(options.has_host);
	expect_prefix(&options.host_prefix, "2001:db8:1::/64");
	OK("-o", "interface=six");
	assert_string_equal(options.interface, "six");
	OK("-o", "limit.attempts=1000");
	assert_int_equal(options.attempts, 1000);
	OK("-o", "limit.connections=131072");
	assert_int_equal(options.limits.connections, 131072);
	OK("-o", "limit.delay=0");
	assert_int_equal(options.delay, 0);
	OK("-o", "limit.delay=30", "-o", "limit.lines=1", "-o", "limit.log=10000");
	assert_int_equal(options.delay, 30);
	assert_int_equal(options.line_rate, 1);
	assert_int_equal(options.log_lines, 10000);
	OK("-o", "limit.output=512", "-o", "limit.pending=7", "-o", "limit.sessions=5");
	assert_int_equal(options.output, 512);
	assert_int_equal(options.limits.pending, 7);
	assert_int_equal(options.limits.connections, 12);
	OK("-o", "limit.source.connections=1", "-o", "limit.source.pending=2", "-o",
	   "limit.source.failures=3");
	assert_int_equal(options.limits.source_connections, 1);
	assert_int_equal(options.limits.source_pending, 2);
	assert_int_equal(options.failures, 3);
	OK("-o", "limit.icmp6=0");
	assert_int_equal(options.icmp6_rate, 0);
	OK("-o", "limit.icmp6=100000");
	assert_int_equal(options.icmp6_rate, 100000);
	OK("-o", "limit.sessions=1");
	assert_int_equal(options.sessions_max, 1);
	OK("-o", "limit.sessions=65536");
	assert_int_equal(options.sessions_max, 65536);
	/* And numbers for the logins that are looked into. */
	assert_int_equal(server_options_ids(&options), 65536 + 4096);
	OK("-o", "limit.sessions=5", "-o", "limit.pending=7");
	assert_int_equal(server_options_ids(&options), 5 + 7);
	OK("-o", "tunnelonly.enable=no", "-o", "tunnelonly.keep=0");
	assert_false(options.tunnelonly);
	assert_int_equal(options.tunnelonly_keep, 0);
	OK("-o", "tunnelonly.ra=yes", "-o", "tunnelonly.sources=any");
	assert_true(options.tunnelonly_ra);
	assert_true(options.tunnelonly_any);
	OK("-o", "tunnelonly.sources=any", "-o", "tunnelonly.sources=strict");
	assert_false(options.tunnelonly_any);
	OK("-o", "listen=192.0.2.1");
	expect_ipv4(options.listen, "192.0.2.1");
	OK("-o", "mtu=1480");
	assert_int_equal(options.mtu, 1480);
	OK("-o", "network.length=1");
	assert_int_equal(options.network_length, 1);
	OK("-o", "network.length=126");
	assert_int_equal(options.network_length, 126);
	OK("-o", "network.numbered=yes", "-o", "host.prefix=2001:db8:1::");
	assert_true(options.numbered);
	OK("-a", "-o", "network.numbered=no");
	assert_false(options.numbered);
	OK("-o", "network.pool=2001:db8:100::/40");
	assert_true(options.has_pool);
	expect_prefix(&options.pool, "2001:db8:100::/40");
	OK("-o", "pidfile=/x=y");
	assert_string_equal(options.pidfile, "/x=y");
	OK("-o", "port=1");
	assert_int_equal(options.port, 1);
	OK("-o", "timeout.idle=86400", "-o", "timeout.login=1", "-o", "timeout.word=2");
	assert_int_equal(options.timeout_idle, 86400);
	assert_int_equal(options.timeout_login, 1);
	assert_int_equal(options.timeout_word, 2);
	OK("-o", "udp.enable=yes", "-o", "udp.port=65535");
	assert_true(options.udp);
	assert_int_equal(options.udp_port, 65535);
	OK("-U", "-o", "udp.enable=no", "-b", "7", "-o", "udp.port=8");
	assert_false(options.udp);
	assert_int_equal(options.udp_port, 8);
	OK("-o", "user=nobody");
	assert_string_equal(options.run_as, "nobody");
	/* The last one counts, in whichever form. */
	OK("-p", "7", "-o", "port=8", "-p", "9");
	assert_int_equal(options.port, 9);
}

/* The old server took it without a length; it may come before the options. */
static void test_prefix(void **state)
{
	(void)state;
	OK("2001:db8:1::");
	assert_true(options.has_host);
	expect_prefix(&options.host_prefix, "2001:db8:1::/64");
	OK("2001:db8:1:2::/64", "-d");
	assert_true(options.debug);
	expect_prefix(&options.host_prefix, "2001:db8:1:2::/64");
	OK("-o", "host.prefix=fd00:1::", "2001:db8:1::");
	expect_prefix(&options.host_prefix, "2001:db8:1::/64");

	ERROR("prefix: 2001:db8:1::/48: a /64 is needed", "2001:db8:1::/48");
	ERROR("prefix: 2001:db8:1::/65: a /64 is needed", "2001:db8:1::/65");
	ERROR("prefix: \"2001:db8:1::1/64\" has bits set beyond its length", "2001:db8:1::1");
	ERROR("prefix: \"2001:db8:1::1/64\" has bits set beyond its length", "2001:db8:1::1/64");
	ERROR("prefix: \"broker/64\" is not an IPv6 address, a slash and a number", "broker");
	ERROR("prefix: \"/64\" is not an IPv6 address, a slash and a number", "");
	ERROR("prefix: fe80::/64 is not global unicast or unique local space", "fe80::");
	ERROR("-o host.prefix: 2001:db8::/32: a /64 is needed", "-o", "host.prefix=2001:db8::/32");
	ERROR("2001:db8:2::: at most one prefix; see --help", "2001:db8:1::", "2001:db8:2::");
}

static void test_bad_values(void **state)
{
	static const struct {
		const char *pair;
		const char *message;
	} rows[] = {
		{"address=", "-o address: \"\" is not an IPv4 address"},
		{"address=::1", "-o address: \"::1\" is not an IPv4 address"},
		{"address=1.2.3", "-o address: \"1.2.3\" is not an IPv4 address"},
		{"listen=localhost", "-o listen: \"localhost\" is not an IPv4 address"},
		{"database=", "-o database: a value is needed"},
		{"pidfile=", "-o pidfile: a value is needed"},
		{"user=", "-o user: a value is needed"},
		{"interface=", "-o interface: \"\" is not a name for an interface: " TUN_NAME_RULE},
		{"interface=a b",
		 "-o interface: \"a b\" is not a name for an interface: " TUN_NAME_RULE},
		{"limit.attempts=0", "-o limit.attempts: \"0\": a number from 1 to 1000 is needed"},
		{"limit.attempts=1001",
		 "-o limit.attempts: \"1001\": a number from 1 to 1000 is needed"},
		{"limit.connections=0",
		 "-o limit.connections: \"0\": a number from 1 to 131072 is needed"},
		{"limit.delay=31", "-o limit.delay: \"31\": a number from 0 to 30 is needed"},
		{"limit.lines=0", "-o limit.lines: \"0\": a number from 1 to 10000 is needed"},
		{"limit.log=10001", "-o limit.log: \"10001\": a number from 1 to 10000 is needed"},
		{"limit.output=511",
		 "-o limit.output: \"511\": a number from 512 to 1048576 is needed"},
		{"limit.pending=0", "-o limit.pending: \"0\": a number from 1 to 65536 is needed"},
		{"limit.source.connections=131073",
		 "-o limit.source.connections: \"131073\": a number from 1 to 131072 is needed"},
		{"limit.source.failures=0",
		 "-o limit.source.failures: \"0\": a number from 1 to 10000 is needed"},
		{"limit.source.pending=x",
		 "-o limit.source.pending: \"x\": a number from 1 to 65536 is needed"},
		{"limit.icmp6=-1", "-o limit.icmp6: \"-1\": a number from 0 to 100000 is needed"},
		{"limit.icmp6=100001",
		 "-o limit.icmp6: \"100001\": a number from 0 to 100000 is needed"},
		{"limit.sessions=0",
		 "-o limit.sessions: \"0\": a number from 1 to 65536 is needed"},
		{"limit.sessions=65537",
		 "-o limit.sessions: \"65537\": a number from 1 to 65536 is needed"},
		{"mtu=1279", "-o mtu: \"1279\": a number from 1280 to 1480 is needed"},
		{"mtu=1481", "-o mtu: \"1481\": a number from 1280 to 1480 is needed"},
		{"ndp.proxy=",
		 "-o ndp.proxy: \"\": auto, off or the name of an interface is needed"},
		{"ndp.proxy=eth 0",
		 "-o ndp.proxy: \"eth 0\": auto, off or the name of an interface is needed"},
		{"ndp.proxy=eth0:1",
		 "-o ndp.proxy: \"eth0:1\": auto, off or the name of an interface is needed"},
		{"ndp.proxy=sixteen-letters-",
		 "-o ndp.proxy: \"sixteen-letters-\": auto, off or the name of an interface is "
		 "needed"},
		{"network.length=0", "-o network.length: \"0\": a number from 1 to 126 is needed"},
		{"network.length=127",
		 "-o network.length: \"127\": a number from 1 to 126 is needed"},
		{"network.length=/56",
		 "-o network.length: \"/56\": a number from 1 to 126 is needed"},
		{"network.numbered=", "-o network.numbered: \"\": yes or no is needed"},
		{"network.numbered=1", "-o network.numbered: \"1\": yes or no is needed"},
		{"network.numbered=Yes", "-o network.numbered: \"Yes\": yes or no is needed"},
		{"network.pool=2001:db8::",
		 "-o network.pool: \"2001:db8::\" is not an IPv6 address, a slash and a number"},
		{"network.pool=2001:db8::/129",
		 "-o network.pool: \"2001:db8::/129\" has a length outside 1 to 128"},
		{"network.pool=2001:db8::1/40",
		 "-o network.pool: \"2001:db8::1/40\" has bits set beyond its length"},
		{"network.pool=fe80::/40",
		 "-o network.pool: fe80::/40 is not global unicast or unique local space"},
		{"network.pool=::/1",
		 "-o network.pool: ::/1 is not global unicast or unique local space"},
		{"network.pool=2000::/3",
		 "-o network.pool: 2000::/3 is too short: lengths from 16 to 125 are possible"},
		{"network.pool=fd00::/8",
		 "-o network.pool: fd00::/8 is too short: lengths from 16 to 125 are possible"},
		{"network.pool=fc00::/7",
		 "-o network.pool: fc00::/7 is too short: lengths from 16 to 125 are possible"},
		{"network.pool=2a00::/15",
		 "-o network.pool: 2a00::/15 is too short: lengths from 16 to 125 are possible"},
		{"network.pool=2001:db8::/126",
		 "-o network.pool: 2001:db8::/126 is too long: lengths from 16 to 125 are "
		 "possible"},
		{"host.prefix=fd00::/8", "-o host.prefix: fd00::/8: a /64 is needed"},
		{"host.prefix=2000::/3", "-o host.prefix: 2000::/3: a /64 is needed"},
		{"port=0", "-o port: \"0\": a number from 1 to 65535 is needed"},
		{"port=65536", "-o port: \"65536\": a number from 1 to 65535 is needed"},
		{"port=20200x", "-o port: \"20200x\": a number from 1 to 65535 is needed"},
		{"timeout.idle=0", "-o timeout.idle: \"0\": a number from 1 to 86400 is needed"},
		{"timeout.login=86401",
		 "-o timeout.login: \"86401\": a number from 1 to 86400 is needed"},
		{"tunnelonly.enable=1", "-o tunnelonly.enable: \"1\": yes or no is needed"},
		{"tunnelonly.ra=on", "-o tunnelonly.ra: \"on\": yes or no is needed"},
		{"tunnelonly.sources=yes",
		 "-o tunnelonly.sources: \"yes\": strict or any is needed"},
		{"tunnelonly.keep=86401",
		 "-o tunnelonly.keep: \"86401\": a number from 0 to 86400 is needed"},
		{"timeout.word=", "-o timeout.word: \"\": a number from 1 to 86400 is needed"},
		{"udp.enable=on", "-o udp.enable: \"on\": yes or no is needed"},
		{"udp.enable=", "-o udp.enable: \"\": yes or no is needed"},
		{"udp.port=0", "-o udp.port: \"0\": a number from 1 to 65535 is needed"},
		{"udp.port=65536", "-o udp.port: \"65536\": a number from 1 to 65535 is needed"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		ERROR(rows[i].message, "-o", rows[i].pair);
	/* The short forms are named as they were given. */
	ERROR("-g: \"x\" is not an IPv4 address", "-g", "x");
	ERROR("-g: 127.0.0.1 cannot be the end of a tunnel", "-g", "127.0.0.1");
	ERROR("-i: \"a/b\" is not a name for an interface: " TUN_NAME_RULE, "-i", "a/b");
	ERROR("-f: a value is needed", "-f", "");
	ERROR("-p: \"x\": a number from 1 to 65535 is needed", "-p", "x");
	ERROR("-b: \"0\": a number from 1 to 65535 is needed", "-b", "0");
	ERROR("-b: \"udp\": a number from 1 to 65535 is needed", "-b", "udp", "-U");
	ERROR("--user: a value is needed", "--user", "");
}

#define CONFIG	"it is a file with settings; interfaces are made and removed without an option"
#define SETTING "it is key=value; interfaces are made and removed without an option"

static void test_bad_keys(void **state)
{
	(void)state;
	ERROR("-o frob: no such setting; dtcps.conf(5) lists them", "-o", "frob=1");
	ERROR("-o udp: no such setting; dtcps.conf(5) lists them", "-o", "udp=yes");
	ERROR("-o por: no such setting; dtcps.conf(5) lists them", "-o", "por=1");
	ERROR("-o ports: no such setting; dtcps.conf(5) lists them", "-o", "ports=1");
	ERROR("-o PORT: no such setting; dtcps.conf(5) lists them", "-o", "PORT=1");
	ERROR("-o : no such setting; dtcps.conf(5) lists them", "-o", "=1");
	ERROR("-o port: key=value is needed", "-o", "port");
	ERROR("-o : " SETTING, "-o", "");
}

/* As the server of KAME and of the BSD packages is called: a line for each says what there is. */
static void test_old_options(void **state)
{
	static const char *const names[] = {"gif*",	"gif?",	 "gif(1|2)", "gif0,gif1",
					    "gif[1-9]", "gif|x", "[",	     "gif70]"};
	static const char *const not_names[] = {"a$b", "a;b", "a&b", "`a`", "a'b",     "a\"b",
						"{a}", "a~",  "#a",  "a@b", "a+b",     "a=b",
						"a!",  "-U",  "a\\", "a<b", "\xC3\xA4"};
	char message[300];

	(void)state;
	ERROR("-c: its value is missing; " CONFIG, "-i", "dtcps7", "-c");
	ERROR("-c -i: no such file; " CONFIG, "-c", "-i", "dtcps7");
	ERROR("-c d: no such file; " CONFIG, "-cd");
	ERROR("-c 2001:db8:1::: no such file; " CONFIG, "-c", "2001:db8:1::");
	ERROR("-o: its value is missing; " SETTING, "-o");
	ERROR("-o -i: " SETTING, "-o", "-i", "dtcps7");
	ERROR("-o U: " SETTING, "-doU");
	ERROR("-o 2001:db8:1::: " SETTING, "-o", "2001:db8:1::");
	ERROR("-I: unknown option; tunnels over UDP use the interface of -i, and -U offers them",
	      "-I", "ng0", "2001:db8:1::");
	ERROR("-F: unknown option; ip-rule(8) chooses the routing table for what comes out of the "
	      "tunnels",
	      "-F", "1", "-i", "gif70", "2001:db8:1::");
	ERROR("-i: its value is missing; it is the name of an interface, such as dtcps0", "-i");
	ERROR("-i: \"2001:db8:1::\" is not a name for an interface: " TUN_NAME_RULE, "-i",
	      "2001:db8:1::");
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		(void)snprintf(message, sizeof(message),
			       "-i: \"%s\" is a pattern; one name is needed, such as dtcps0, and "
			       "further interfaces are numbered from it",
			       names[i]);
		ERROR(message, "-D", "-i", names[i], "2001:db8:1::");
	}
	for (size_t i = 0; i < sizeof(not_names) / sizeof(not_names[0]); i++)
		assert_false(tun_name_valid(not_names[i]));
}

#define STAYS                                                                                      \
	"such a name is the old server's, which became a daemon by itself; add -D, or stay in "    \
	"the foreground with another name"

/* What waited for the old server to become a daemon would wait for ever. */
static void test_old_interface(void **state)
{
	(void)state;
	ERROR("-i gif70: " STAYS, "-i", "gif70", "2001:db8:1::");
	ERROR("-i gif: " STAYS, "-i", "gif");
	ERROR("-i ng0: " STAYS, "2001:db8:1::", "-ing0");
	OK("-i", "gif70", "2001:db8:1::", "-D");
	assert_true(options.old_interface && options.old_prefix);
	OK("--check", "-i", "gif70");
	OK("--suggest", "-i", "gif70");
	OK("-o", "interface=gif70");
	assert_false(options.old_interface || options.old_prefix);
	OK("-i", "gift", "2001:db8:1::/64");
	assert_false(options.old_interface || options.old_prefix);
}

/* Settings that are right alone and wrong together. */
static void test_conflicts(void **state)
{
	(void)state;
	ERROR("-a: numbered network tunnels take their addresses from host.prefix, which is not "
	      "set",
	      "-a");
	ERROR("-a: numbered network tunnels take their addresses from host.prefix, which is not "
	      "set",
	      "-o", "network.numbered=yes", "-o", "network.pool=2001:db8:100::/40");
	ERROR("-o network.length: 56: must be larger than the length of network.pool, "
	      "2001:db8:100::/56",
	      "-o", "network.pool=2001:db8:100::/56");
	ERROR("-o network.length: 48: must be larger than the length of network.pool, "
	      "2001:db8:100::/56",
	      "-o", "network.length=48", "-o", "network.pool=2001:db8:100::/56");
	ERROR("-o limit.connections: 16384: must be larger than limit.sessions, 16384", "-o",
	      "limit.connections=16384");
	OK("-o", "limit.connections=16384", "-o", "limit.sessions=16383");
	OK("-o", "network.pool=2001:db8:100::/55");
	OK("-o", "network.length=57", "-o", "network.pool=2001:db8:100::/56");
	ERROR("-o host.prefix: 2001:db8:100:1::/64 overlaps network.pool", "-o",
	      "network.pool=2001:db8:100::/40", "2001:db8:100:1::");
	ERROR("-o host.prefix: 2001:db8:100:1::/64 overlaps network.pool", "-o",
	      "network.pool=2001:db8:100:1:8000::/65", "-o", "network.length=80",
	      "2001:db8:100:1::");
	OK("-o", "network.pool=2001:db8:100::/40", "2001:db8:200::");
}

static void expect_name(const char *interface, uint32_t index, const char *expected)
{
	char name[IFNAMSIZ];

	OK("-i", interface);
	server_interface_name(&options, index, name);
	assert_string_equal(name, expected);
}

#define TOO_LONG ": too long; tunnelonly sessions get the same name with a number of up to 5 digits"

static void test_interface_names(void **state)
{
	(void)state;
	expect_name("dtcps0", 0, "dtcps0");
	expect_name("dtcps0", 3, "dtcps3");
	expect_name("dtcps0", 65536, "dtcps65536");
	expect_name("six40", 2, "six42");
	expect_name("t9", 1, "t10");
	expect_name("six", 1, "six1");
	expect_name("6in4-7", 5, "6in4-12");
	expect_name("7", 5, "12");
	expect_name("abcdefghij0", 65536, "abcdefghij65536");
	/* Every number of digits has to fit: 10 characters and 5 digits. */
	ERROR("-i abcdefghijk0" TOO_LONG, "-i", "abcdefghijk0");
	ERROR("-i abcdefghijk" TOO_LONG, "-i", "abcdefghijk");
	/* With 65536 sessions and 4096 logins on top, the number stays within its digits. */
	expect_name("x30367", 69632, "x99999");
	OK("-o", "limit.sessions=65536", "-o", "limit.connections=131072");
	assert_int_equal(server_options_devices(&options), 69632);
	/* Else there are some for devices that are kept without a session. */
	OK("-o", "limit.sessions=1", "-o", "limit.pending=1");
	assert_int_equal(server_options_devices(&options), 2 + DEVICE_POOL_SPARE);
	ERROR("-i x34464" TOO_LONG, "-i", "x34464");
	ERROR("-i x99999999999" TOO_LONG, "-i", "x99999999999");
}

/* The name of the file that write_file() has made last. */
static char path[sizeof("/tmp/dtcps-options-XXXXXX")];

static void write_file(const char *text)
{
	int fd;

	(void)strlcpy(path, "/tmp/dtcps-options-XXXXXX", sizeof(path));
	fd = mkstemp(path);
	assert_true(fd != -1);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
}

static void test_configuration_file(void **state)
{
	(void)state;
	write_file("port = 20300\nmtu = 1300\ndatabase = /tmp/x.db\n");
	OK("-c", path);
	assert_int_equal(options.port, 20300);
	assert_int_equal(options.mtu, 1300);
	assert_string_equal(options.database, "/tmp/x.db");
	assert_string_equal(options.source.file, path);
	server_options_free(&options);
	/* What is said in the command line has the last word, wherever it stands. */
	OK("-p", "20400", "-c", path, "-o", "mtu=1400");
	assert_int_equal(options.port, 20400);
	assert_int_equal(options.mtu, 1400);
	assert_string_equal(options.database, "/tmp/x.db");
	server_options_free(&options);
	(void)unlink(path);
	OK("-c", "/dev/null");
	assert_int_equal(options.port, 20200);
	server_options_free(&options);
	ERROR("-c: a value is needed", "-c", "");
	ERROR("/nonexistent/dtcps.conf: No such file or directory", "-c",
	      "/nonexistent/dtcps.conf");
	ERROR("/: not a file", "-c", "/");
}

/* A wrong combination is told at the place of the setting that is at fault. */
static void test_file_and_words_together(void **state)
{
	char message[300];

	(void)state;
	write_file("\nnetwork.numbered = yes\n");
	(void)snprintf(message, sizeof(message),
		       "%s:2: network.numbered: numbered network tunnels take their addresses from "
		       "host.prefix, which is not set",
		       path);
	ERROR(message, "-c", path);
	OK("-c", path, "2001:db8:1::");
	server_options_free(&options);
	OK("-c", path, "-o", "network.numbered=no");
	server_options_free(&options);
	(void)unlink(path);
}

static void test_file_that_everybody_can_write(void **state)
{
	char message[300];

	(void)state;
	write_file("port = 20300\n");
	assert_int_equal(chmod(path, 0646), 0);
	(void)snprintf(message, sizeof(message),
		       "%s: everybody can write it; change that with: chmod o-w %s", path, path);
	ERROR(message, "-c", path);
	(void)unlink(path);
}

static void test_file_too_long(void **state)
{
	static char text[70000];
	char message[300];

	(void)state;
	memset(text, ' ', sizeof(text) - 1);
	write_file(text);
	(void)snprintf(message, sizeof(message), "%s: longer than 65536 bytes", path);
	ERROR(message, "-c", path);
	(void)unlink(path);
}

/* Another editor's, or another system's. */
static void test_file_in_another_encoding(void **state)
{
	char message[300];

	(void)state;
	write_file("\xEF\xBB\xBFport = 20300\r\n");
	OK("-c", path);
	assert_int_equal(options.port, 20300);
	server_options_free(&options);
	/* Its first letters: a NUL follows each. */
	write_file("\xFF\xFEp");
	(void)snprintf(message, sizeof(message), "%s: its text is in UTF-16; save it as UTF-8",
		       path);
	ERROR(message, "-c", path);
	(void)unlink(path);
}

/* What the rooms are started with says all that monitor knows. */
static void test_arguments_of_processes(void **state)
{
	struct server_options parsed;
	char **words;
	int argc = 0;

	(void)state;
	OK("-d", "-a", "-U", "-D", "-f", "/run/x y", "-g", "192.0.2.7", "-o",
	   "network.pool=2001:db8:100::/40", "2001:db8:1::");
	words = server_options_words(&options, "dtcps", &argc);
	assert_non_null(words);
	assert_null(words[argc]);
	assert_string_equal(words[0], "dtcps");
	assert_int_equal(server_options_parse_room(&parsed, argc, words), OPTIONS_OK);
	assert_true(parsed.debug && parsed.numbered && parsed.udp && parsed.daemon);
	assert_string_equal(parsed.pidfile, "/run/x y");
	assert_string_equal(parsed.database, options.database);
	assert_memory_equal(&parsed.address, &options.address, sizeof(options.address));
	assert_true(parsed.has_host && parsed.has_pool);
	assert_true(prefix6_contains(&options.pool, &parsed.pool));
	assert_int_equal(parsed.pool.len, 40);
	assert_null(parsed.run_as);
	server_options_free_words(words, argc);
}

static void test_exclude(void **state)
{
	(void)state;
	OK("-o", "host.exclude=2001:db8:1::/120");
	OK("-o", "host.exclude=2001:db8:1::/120, 2001:db8:1::7,2001:db8:1::8/125");
	ERROR("-o host.exclude: \"7\" is not an IPv6 address, a slash and a number", "-o",
	      "host.exclude=2001:db8:1::/120 7");
	ERROR("-o host.exclude: \"2001:db8:1::/129\" has a length outside 1 to 128", "-o",
	      "host.exclude=2001:db8:1::/129");
	ERROR("-o host.exclude: \"2001:db8:1::7/120\" has bits set beyond its length", "-o",
	      "host.exclude=2001:db8:1::7/120");
}

static void test_check(void **state)
{
	(void)state;
	OK("--check");
	assert_true(options.check);
	assert_false(options.suggest);
	OK("--suggest");
	assert_true(options.suggest);
}

/* The option at fault is the one that is named, wherever it stands. */
static void test_unknown(void **state)
{
	(void)state;
	ERROR("-x: unknown option; see --help", "-x");
	ERROR("-x: unknown option; see --help", "-dxD");
	ERROR("-x: unknown option; see --help", "-d", "-xD");
	ERROR("--frobnicate: unknown option; see --help", "-d", "--frobnicate");
	ERROR("-p: its value is missing; see --help", "-p");
	ERROR("-b: its value is missing; see --help", "-Ub");
	ERROR("-o: its value is missing; " SETTING, "2001:db8:1::", "-do");
	ERROR("--user: its value is missing; see --help", "--user");
}

static void test_help_and_version(void **state)
{
	const char *printed;

	(void)state;
	assert_int_equal(args_parse(&program, ARGS("--version"), STDOUT_FILENO, &printed),
			 OPTIONS_DONE);
	assert_string_equal(printed, "dtcps " DTCP_VERSION "\n");
	assert_int_equal(args_parse(&program, ARGS("--help", "-x"), STDOUT_FILENO, &printed),
			 OPTIONS_DONE);
	assert_string_equal(printed, server_help);
}

/* A line for each setting, even if others of the words are wrong. */
static void test_list(void **state)
{
	const char *printed;

	(void)state;
	assert_int_equal(args_parse(&program, ARGS("-o", "help", "-c", "/nonexistent"),
				    STDOUT_FILENO, &printed),
			 OPTIONS_DONE);
	assert_non_null(
		strstr(printed, "\nmtu: MTU of the tunnels, 1280 to 1480; default: 1280\n"));
	assert_non_null(strstr(printed,
			       "\nlimit.delay: longest delay in seconds of the answer to a "
			       "failed login, 0 to 30; default: 5; live\n"));
	assert_non_null(strstr(printed, "\nuser: system user of the unprivileged processes; "
					"default: none\n"));
}

static int setup(void **state)
{
	(void)state;
	log_init("dtcps", NULL, false);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_short_options),
		cmocka_unit_test(test_each_key),
		cmocka_unit_test(test_prefix),
		cmocka_unit_test(test_ndp),
		cmocka_unit_test(test_bad_values),
		cmocka_unit_test(test_bad_keys),
		cmocka_unit_test(test_old_options),
		cmocka_unit_test(test_old_interface),
		cmocka_unit_test(test_conflicts),
		cmocka_unit_test(test_interface_names),
		cmocka_unit_test(test_configuration_file),
		cmocka_unit_test(test_file_and_words_together),
		cmocka_unit_test(test_file_that_everybody_can_write),
		cmocka_unit_test(test_file_in_another_encoding),
		cmocka_unit_test(test_file_too_long),
		cmocka_unit_test(test_arguments_of_processes),
		cmocka_unit_test(test_exclude),
		cmocka_unit_test(test_check),
		cmocka_unit_test(test_unknown),
		cmocka_unit_test(test_help_and_version),
		cmocka_unit_test(test_list),
	};

	return cmocka_run_group_tests_name("server options", tests, setup, NULL);
}
