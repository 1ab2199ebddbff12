/* SPDX-License-Identifier: BSD-2-Clause */
/* The reply to a tunnel request, read and written. */
#include "proto/message.h"

#include "exact.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define V4   "+OK 60.32.85.217 43.244.255.37"
#define PAIR " 2001:db8::2 2001:db8::1"
#define NET  " 2001:03e0:03c3::/48"

static const enum tunnel_type any_type[] = {TUNNEL_ONLY, TUNNEL_HOST, TUNNEL_NETWORK};

/* What has been read, in one line: "me her [me6|-] [her6|-] prefix... [udp PORT SESSION]". */
static const char *describe(const struct dtcp_reply *reply)
{
	static char text[1024];
	char me[INET_ADDRSTRLEN], her[INET_ADDRSTRLEN];
	char me6[INET6_ADDRSTRLEN] = "-", her6[INET6_ADDRSTRLEN] = "-", buf[PREFIX6_STRLEN];

	assert_non_null(inet_ntop(AF_INET, &reply->me, me, sizeof(me)));
	assert_non_null(inet_ntop(AF_INET, &reply->her, her, sizeof(her)));
	if (reply->has_me6)
		assert_non_null(inet_ntop(AF_INET6, &reply->me6, me6, sizeof(me6)));
	if (reply->has_her6)
		assert_non_null(inet_ntop(AF_INET6, &reply->her6, her6, sizeof(her6)));
	(void)snprintf(text, sizeof(text), "%s %s %s %s", me, her, me6, her6);
	for (size_t i = 0; i < reply->n_prefixes; i++) {
		(void)strlcat(text, " ", sizeof(text));
		(void)strlcat(text, prefix6_format(&reply->prefixes[i], buf), sizeof(text));
	}
	if (reply->udp_port != 0 || reply->session != 0) {
		size_t len = strlen(text);

		(void)snprintf(text + len, sizeof(text) - len, " udp %u %" PRIx64,
			       (unsigned int)reply->udp_port, reply->session);
	}
	return text;
}

/* odd: what *why says of it. */
static void expect_odd(const char *text, enum tunnel_type type, const char *described,
		       const char *odd)
{
	size_t len = strlen(text);
	char *line = exact_copy(text, len);
	struct dtcp_reply out;
	const char *why = NULL;

	assert_int_equal(reply_parse(line, len, type, &out, &why), REPLY_OK);
	assert_string_equal(why, odd);
	assert_string_equal(describe(&out), described);
	free(line);
}

static void expect_ok(const char *text, enum tunnel_type type, const char *described)
{
	expect_odd(text, type, described, "");
}

static void expect_not(const char *bytes, size_t len, enum tunnel_type type,
		       enum reply_status status, const char *why)
{
	char *line = exact_copy(bytes, len);
	struct dtcp_reply out, before;
	const char *got = NULL;

	memset(&out, 0xa5, sizeof(out));
	memset(&before, 0xa5, sizeof(before));
	assert_int_equal(reply_parse(line, len, type, &out, &got), status);
	assert_string_equal(got, why);
	assert_memory_equal(&out, &before, sizeof(before));
	free(line);
}

/* Garbage whatever the type is. */
static void expect_garbage(const char *text, const char *why)
{
	for (size_t i = 0; i < COUNT(any_type); i++)
		expect_not(text, strlen(text), any_type[i], REPLY_GARBAGE, why);
}

static void test_each_type(void **state)
{
	(void)state;
	expect_ok(V4, TUNNEL_ONLY, "60.32.85.217 43.244.255.37 - -");
	expect_ok(V4 PAIR, TUNNEL_HOST, "60.32.85.217 43.244.255.37 2001:db8::2 2001:db8::1");
	/* As the broker of docs/protocol.md, section 1.3 sends it. */
	expect_ok("+OK 60.32.85.217 43.244.255.37 2001:03e0:03c3::/48", TUNNEL_NETWORK,
		  "60.32.85.217 43.244.255.37 - - 2001:3e0:3c3::/48");
	/* Numbered. */
	expect_ok(V4 PAIR NET, TUNNEL_NETWORK,
		  "60.32.85.217 43.244.255.37 2001:db8::2 2001:db8::1 2001:3e0:3c3::/48");
}

#define NO_NET "lacks an IPv6 prefix, so the tunnel is one of type tunnelonly"

static void test_what_each_type_lacks(void **state)
{
	static const char *const no_ipv4[] = {"+OK", "+OK ", "+OK 60.32.85.217",
					      "+OK 60.32.85.217" PAIR NET, "+OK" PAIR NET};

	(void)state;
	for (size_t i = 0; i < COUNT(no_ipv4); i++)
		expect_garbage(no_ipv4[i], "lacks an IPv4 address of the tunnel");
	expect_odd(V4, TUNNEL_NETWORK, "60.32.85.217 43.244.255.37 - -", NO_NET);
	expect_odd(V4 " welcome!", TUNNEL_NETWORK, "60.32.85.217 43.244.255.37 - -", NO_NET);
	for (size_t i = 0; i < COUNT(any_type); i++) {
		bool host = any_type[i] == TUNNEL_HOST, network = any_type[i] == TUNNEL_NETWORK;
		const char *no_pair = V4 NET, *lone = V4 " 2001:db8::2" NET, *no_net = V4 PAIR;

		if (host) {
			expect_not(no_pair, strlen(no_pair), TUNNEL_HOST, REPLY_GARBAGE,
				   "lacks an IPv6 address of the tunnel");
			expect_not(lone, strlen(lone), TUNNEL_HOST, REPLY_GARBAGE,
				   "lacks an IPv6 address of the tunnel");
		} else {
			expect_ok(no_pair, any_type[i],
				  "60.32.85.217 43.244.255.37 - - 2001:3e0:3c3::/48");
			expect_ok(lone, any_type[i],
				  "60.32.85.217 43.244.255.37 2001:db8::2 - 2001:3e0:3c3::/48");
		}
		if (network)
			expect_odd(no_net, TUNNEL_NETWORK,
				   "60.32.85.217 43.244.255.37 2001:db8::2 2001:db8::1", NO_NET);
		else
			expect_ok(no_net, any_type[i],
				  "60.32.85.217 43.244.255.37 2001:db8::2 2001:db8::1");
	}
}

static void test_words_are_read_by_shape(void **state)
{
	static const char described[] =
		"192.0.2.2 192.0.2.1 2001:db8::2 fd00::1 2001:db8:1::/48 fd01::/64";

	(void)state;
	expect_ok("+OK 192.0.2.2 192.0.2.1 2001:db8::2 fd00::1 2001:db8:1::/48 fd01::/64",
		  TUNNEL_NETWORK, described);
	expect_ok("+OK 2001:db8:1::/48 2001:db8::2 192.0.2.2 fd01::/64 fd00::1 192.0.2.1",
		  TUNNEL_NETWORK, described);
	expect_ok("+OK 2001:db8:1::/48,fd01::/64 2001:DB8:0::2 fd00::1 192.0.2.2 192.0.2.1",
		  TUNNEL_NETWORK, described);
	expect_ok("+OK\t\t192.0.2.2  192.0.2.1 \t 2001:db8::2 fd00::1 2001:db8:1::/48,fd01::/64  ",
		  TUNNEL_NETWORK, described);
}

static void test_unknown_words_are_ignored(void **state)
{
	static const char described[] = "60.32.85.217 43.244.255.37 - -";

	(void)state;
	expect_ok("+OK welcome 60.32.85.217 to 43.244.255.37 us", TUNNEL_ONLY, described);
	expect_ok(V4 " version 0.2 1.2.3 12:30 (c) <870363> a=1 b= = ,", TUNNEL_ONLY, described);
	/* The value of an extension is not read by its shape. */
	expect_ok(V4 " a=192.0.2.9 b=2001:db8::9 c=2001:db8::/48 url=http://example.org/",
		  TUNNEL_ONLY, described);
	/* What does not even look like an address is just a word. */
	expect_ok(V4 " fe80::1%eth0 192.0.2.1. 192.0.2.x [2001:db8::1] 2001:db8", TUNNEL_ONLY,
		  described);
}

static void test_udp(void **state)
{
	static const char described[] = "60.32.85.217 43.244.255.37 - - udp 4028 123456789abcdef";
	static const char *const names[] = {" udp session", " udp", " session", " UDP Session",
					    " udpx=0 sessions=1 udp-port= xsession=x"};

	(void)state;
	expect_ok(V4 " udp=4028 session=0123456789abcdef", TUNNEL_ONLY, described);
	/* In either case and at any place. */
	expect_ok(V4 " UDP=4028 Session=0123456789ABCDEF", TUNNEL_ONLY, described);
	expect_ok(V4 " session=0123456789aBcDeF x=1 udp=4028 y", TUNNEL_ONLY, described);
	expect_ok("+OK udp=4028 60.32.85.217 session=0123456789abcdef 43.244.255.37", TUNNEL_ONLY,
		  described);
	/* What is not known may come as often as it likes. */
	expect_ok(V4 " hello Hello udp x=1 UDP x=2 session SESSION", TUNNEL_ONLY,
		  "60.32.85.217 43.244.255.37 - -");
	expect_ok(V4 " udp udp=4028 session session=0123456789abcdef Udp", TUNNEL_ONLY, described);
	expect_ok(V4 PAIR NET " udp=65535 session=ffffffffffffffff", TUNNEL_NETWORK,
		  "60.32.85.217 43.244.255.37 2001:db8::2 2001:db8::1 2001:3e0:3c3::/48 udp 65535 "
		  "ffffffffffffffff");
	expect_ok(V4 " udp=1 session=0000000000000001", TUNNEL_ONLY,
		  "60.32.85.217 43.244.255.37 - - udp 1 1");
	/* The top bit alone is a session as well. */
	expect_ok(V4 " udp=1 session=8000000000000000", TUNNEL_ONLY,
		  "60.32.85.217 43.244.255.37 - - udp 1 8000000000000000");
	/* Names without a value, and other names, are nothing but words. */
	for (size_t i = 0; i < COUNT(names); i++) {
		char line[DTCP_LINE_SIZE];

		(void)snprintf(line, sizeof(line), V4 "%s", names[i]);
		expect_ok(line, TUNNEL_ONLY, "60.32.85.217 43.244.255.37 - -");
	}
}

static void test_bad_udp(void **state)
{
	static const char port[] = "has a UDP port that is not a number from 1 to 65535";
	static const char session[] = "has a session that is not 16 hexadecimal digits, or zero";
	static const char lone_port[] = "has a UDP port but no session";
	static const char lone_session[] = "has a session but no UDP port";
	static const char twice[] = "has the same word twice";
	static const char *const rows[][2] = {
		{"udp= session=0123456789abcdef", port},
		{"udp=0 session=0123456789abcdef", port},
		{"udp=00000 session=0123456789abcdef", port},
		{"udp=65536 session=0123456789abcdef", port},
		{"udp=4294971324 session=0123456789abcdef", port}, /* 2^32 + 4028 */
		{"udp=-1 session=0123456789abcdef", port},
		{"udp=+1 session=0123456789abcdef", port},
		{"udp=1x session=0123456789abcdef", port},
		{"udp=0x1 session=0123456789abcdef", port},
		{"UDP=x session=0123456789abcdef", port},
		{"udp=4028=1 session=0123456789abcdef", port},
		{"udp=0", port},
		{"udp=4028 session=", session},
		{"udp=4028 session=1", session},
		{"udp=4028 session=0123456789abcde", session},
		{"udp=4028 session=0123456789abcdef0", session},
		{"udp=4028 session=00123456789abcdef", session},
		{"udp=4028 session=0123456789abcdeg", session},
		{"udp=4028 session=g123456789abcdef", session},
		{"udp=4028 session=0x23456789abcdef", session},
		{"udp=4028 session=-123456789abcdef", session},
		{"udp=4028 session=01234567-9abcdef", session},
		{"udp=4028 session=0123456789abcde/", session},
		{"udp=4028 session=0000000000000000", session},
		{"udp=4028 SESSION=x", session},
		{"session=0000000000000000", session},
		{"udp=4028", lone_port},
		{"udp=4028 session", lone_port},
		{"udp=4028 sessions=0123456789abcdef", lone_port},
		{"session=0123456789abcdef", lone_session},
		{"udp session=0123456789abcdef", lone_session},
		{"udp=4028 session=0123456789abcdef udp=4028", twice},
		{"udp=4028 session=0123456789abcdef session=0123456789abcdef", twice},
		{"udp=4028 session=0123456789abcdef Session=0123456789abcdee", twice},
	};
	char line[DTCP_LINE_SIZE];

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		(void)snprintf(line, sizeof(line), V4 PAIR NET " %s", rows[i][0]);
		expect_garbage(line, rows[i][1]);
	}
}

static void test_forty_words(void **state)
{
	char line[DTCP_LINE_SIZE] = V4;
	char word[16];

	(void)state;
	for (int i = 0; i < 40; i++) {
		(void)snprintf(word, sizeof(word), " w%d", i);
		(void)strlcat(line, word, sizeof(line));
	}
	(void)strlcat(line, NET, sizeof(line));
	expect_ok(line, TUNNEL_NETWORK, "60.32.85.217 43.244.255.37 - - 2001:3e0:3c3::/48");
	(void)strlcat(line, " w7", sizeof(line));
	expect_ok(line, TUNNEL_NETWORK, "60.32.85.217 43.244.255.37 - - 2001:3e0:3c3::/48");
}

static void test_fullest_line(void **state)
{
	char *line = exact_fill(' ', 512);

	/* 254 words of one letter follow "+OK", none of which we know. */
	(void)state;
	memcpy(line, "+OK", 3);
	for (size_t i = 4; i < 512; i += 2)
		line[i] = (char)('a' + i / 2 % 26);
	expect_garbage(line, "lacks an IPv4 address of the tunnel");
	free(line);
}

static void test_repeated_words(void **state)
{
	(void)state;
	expect_garbage(V4 PAIR NET " udp=1 udp=2", "has the same word twice");
	expect_garbage("+OK 192.0.2.1 192.0.2.1" PAIR NET,
		       "has the same IPv4 address for both ends");
	expect_garbage(V4 NET " 2001:db8::1 2001:db8:0::1",
		       "has the same IPv6 address for both ends");
	expect_garbage(V4 PAIR NET NET, "has the same IPv6 prefix twice");
	expect_garbage(V4 PAIR NET " 2001:3E0:3c3:0::/48", "has the same IPv6 prefix twice");
	expect_garbage(V4 PAIR " 2001:db8::/48,2001:db8::/48", "has the same IPv6 prefix twice");
}

static void test_third_addresses(void **state)
{
	(void)state;
	expect_garbage(V4 " 192.0.2.1" PAIR NET, "has more than two IPv4 addresses");
	expect_garbage(V4 " 60.32.85.217" PAIR NET, "has more than two IPv4 addresses");
	expect_garbage(V4 PAIR NET " 2001:db8::3", "has more than two IPv6 addresses");
	expect_garbage(V4 PAIR NET " 2001:db8::1", "has more than two IPv6 addresses");
}

static void test_malformed_addresses(void **state)
{
	static const char *const ipv4[] = {
		"300.0.2.1",  "192.0.2.256", "192.0..1",	 ".192.0.2",	  "...",
		"192.0.2.01", "0192.0.2.1",  "1.2.3.4294967297", "1234.1234.1.1", "192.0.2."};
	static const char *const ipv6[] = {"2001:db8:::1",	":::",
					   "2001:db8::1::2",	"2001:db8:1:2:3:4:5",
					   "1:2:3:4:5:6:7:8:9", "2001:db80::12345",
					   "::192.0.2",		"12:30:45"};
	char line[128];

	(void)state;
	for (size_t i = 0; i < COUNT(ipv4); i++) {
		(void)snprintf(line, sizeof(line), "+OK %s 192.0.2.2 192.0.2.3" PAIR NET, ipv4[i]);
		expect_garbage(line, "has a malformed IPv4 address");
	}
	for (size_t i = 0; i < COUNT(ipv6); i++) {
		(void)snprintf(line, sizeof(line), V4 " %s" PAIR NET, ipv6[i]);
		expect_garbage(line, "has a malformed IPv6 address");
	}
}

static void test_ipv4_that_is_no_tunnel_end(void **state)
{
	static const struct {
		const char *addr;
		bool ok;
	} rows[] = {
		{"0.0.0.0", false},    {"0.255.255.255", false},   {"1.0.0.0", true},
		{"10.0.0.1", true},    {"126.255.255.255", true},  {"127.0.0.0", false},
		{"127.0.0.1", false},  {"127.255.255.255", false}, {"128.0.0.0", true},
		{"169.254.1.1", true}, {"223.255.255.255", true},  {"224.0.0.0", false},
		{"239.1.2.3", false},  {"240.0.0.1", false},	   {"255.255.255.255", false},
	};
	char line[128], described[64];

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		(void)snprintf(line, sizeof(line), "+OK %s 192.0.2.1", rows[i].addr);
		(void)snprintf(described, sizeof(described), "%s 192.0.2.1 - -", rows[i].addr);
		if (rows[i].ok)
			expect_ok(line, TUNNEL_ONLY, described);
		else
			expect_garbage(line, "has an IPv4 address that no tunnel can end at");
		(void)snprintf(line, sizeof(line), "+OK 192.0.2.1 %s", rows[i].addr);
		(void)snprintf(described, sizeof(described), "192.0.2.1 %s - -", rows[i].addr);
		if (rows[i].ok)
			expect_ok(line, TUNNEL_ONLY, described);
		else
			expect_garbage(line, "has an IPv4 address that no tunnel can end at");
	}
}

static void test_ipv6_that_is_no_unicast(void **state)
{
	static const char *const rows[] = {
		"::",	   "::1",     "::ffff:192.0.2.1", "::192.0.2.1", "fe80::1",
		"fec0::1", "ff02::1", "1fff::1",	  "4000::1",	 "64:ff9b::192.0.2.1"};
	static const char why[] = "has an IPv6 address that is neither global nor unique local "
				  "unicast";
	char line[128];

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		(void)snprintf(line, sizeof(line), V4 " %s 2001:db8::1" NET, rows[i]);
		expect_garbage(line, why);
		(void)snprintf(line, sizeof(line), V4 " 2001:db8::1 %s" NET, rows[i]);
		expect_garbage(line, why);
	}
}

static void test_bad_prefixes(void **state)
{
	static const char syntax[] = "has a malformed IPv6 prefix";
	static const char length[] = "has an IPv6 prefix with a length outside 1 to 128";
	static const char kind[] = "has an IPv6 prefix that is neither global nor unique local "
				   "unicast";
	static const char size[] = "has an IPv6 prefix that is too short: lengths from 16 to 128 "
				   "are possible";
	static const char *const rows[][2] = {
		{"/", syntax},
		{"//", syntax},
		{"/48", syntax},
		{"2001:db8::/", syntax},
		{"2001:db8::/x", syntax},
		{"2001:db8::/48/", syntax},
		{"2001:db8::/48,", syntax},
		{",2001:db8::/48", syntax},
		{"2001:db8::/48,,2001:db9::/48", syntax},
		{"2001:db8::/48,2001:db9::", syntax},
		{"2001:db8::/48,2001:db9::/48x", syntax},
		{"192.0.2.0/24", syntax},
		{"a/b", syntax},
		{"http://example.org/?a=b", syntax},
		{"2001:db8::/0", length},
		{"2001:db8::/129", length},
		{"::/0", length},
		{"2001:db8::/48,2001:db9::/0", length},
		{"2001:db8::1/129", length},
		{"2001::1/3", size},
		{"fe80::1/64", kind},
		{"2000::/3", size},
		{"fd00::/8", size},
		{"2a00::/15", size},
		{"::/1", kind},
		{"fe80::/64", kind},
		{"ff00::/8", kind},
		{"::1/128", kind},
		{"::ffff:0:0/96", kind},
	};
	char line[128];

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		(void)snprintf(line, sizeof(line), V4 PAIR " %s", rows[i][0]);
		expect_garbage(line, rows[i][1]);
		/* Good ones before it do not make up for it. */
		(void)snprintf(line, sizeof(line), V4 PAIR NET " %s", rows[i][0]);
		expect_garbage(line, rows[i][1]);
	}
}

/* What is meant is clear enough; and nobody is told of a prefix that is not used. */
static void test_host_bits(void **state)
{
	static const char odd[] =
		"has an IPv6 prefix with bits set beyond its length, which are cleared";
	static const char *const rows[][2] = {
		{"2001:db8::1/48", "2001:db8::/48"},
		{"2001:db8:0:1::/63", "2001:db8::/63"},
		{"2001:db9::/48,2001:db8::1/64", "2001:db9::/48 2001:db8::/64"},
		{"2001:db8::1/48 2001:db8::2/48", "2001:db8::/48"},
		{"2001:db8::/48,2001:db8::2/48", "2001:db8::/48"},
		{"fd00::ffff/16", "fd00::/16"},
	};
	char line[128], described[128];

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		(void)snprintf(line, sizeof(line), V4 " %s", rows[i][0]);
		(void)snprintf(described, sizeof(described), "60.32.85.217 43.244.255.37 - - %s",
			       rows[i][1]);
		expect_odd(line, TUNNEL_NETWORK, described, odd);
		expect_ok(line, TUNNEL_ONLY, described);
	}
}

static void test_most_prefixes(void **state)
{
	static const char eight[] = V4 " 2001:db8::/48,2001:db8:1::/48,2001:db8:2::/48,"
				       "2001:db8:3::/48 2001:db8:4::/48 2001:db8:5::/48 "
				       "2001:db8:6::/48,2001:db8:7::/48";
	char nine[DTCP_LINE_SIZE];

	(void)state;
	expect_ok(eight, TUNNEL_NETWORK,
		  "60.32.85.217 43.244.255.37 - - 2001:db8::/48 2001:db8:1::/48 2001:db8:2::/48 "
		  "2001:db8:3::/48 2001:db8:4::/48 2001:db8:5::/48 2001:db8:6::/48 "
		  "2001:db8:7::/48");
	(void)snprintf(nine, sizeof(nine), "%s,2001:db8:8::/48", eight);
	expect_garbage(nine, "has too many IPv6 prefixes");
	(void)snprintf(nine, sizeof(nine), "%s 2001:db8:8::/48", eight);
	expect_garbage(nine, "has too many IPv6 prefixes");
}

static void test_lines_that_are_no_reply(void **state)
{
	char *line = exact_fill(' ', 513);

	(void)state;
	expect_garbage("", "is empty");
	expect_garbage("     ", "begins neither with +OK nor with -ERR");
	expect_garbage("60.32.85.217 43.244.255.37", "begins neither with +OK nor with -ERR");
	expect_garbage(" " V4, "begins neither with +OK nor with -ERR");
	expect_garbage("+OK60.32.85.217 43.244.255.37", "begins neither with +OK nor with -ERR");
	expect_garbage("+OK 60.32.85.217\r43.244.255.37", "lacks an IPv4 address of the tunnel");
	expect_not(V4 "\0", sizeof(V4), TUNNEL_ONLY, REPLY_GARBAGE, "has a NUL byte");
	expect_ok(V4 NET "\r", TUNNEL_NETWORK, "60.32.85.217 43.244.255.37 - - 2001:3e0:3c3::/48");
	/* Words that are not known can have any other bytes. */
	expect_ok(V4 " \r \x80 gr\xc3\xbc\xc3\x9f=\x1b[2J", TUNNEL_ONLY,
		  "60.32.85.217 43.244.255.37 - -");

	memcpy(line, V4, strlen(V4));
	expect_garbage(line, "is too long");
	line[512] = '\0';
	expect_ok(line, TUNNEL_ONLY, "60.32.85.217 43.244.255.37 - -");
	free(line);
}

static void test_errors(void **state)
{
	static const char *const rows[] = {"-ERR authentication failed.",
					   "-ERR unsupported tunnel type host",
					   "-ERR tunnel interface sold out", "-ERR"};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		expect_not(rows[i], strlen(rows[i]), TUNNEL_HOST, REPLY_ERROR, "");
}

/* Each line is as it would be written, so that reading and writing it gives it back. */
static void test_round_trip(void **state)
{
	static const char *const rows[] = {
		"+OK 198.51.100.2 192.0.2.1",
		"+OK 198.51.100.2 192.0.2.1 2001:db8::2 2001:db8::1",
		"+OK 198.51.100.2 192.0.2.1 2001:db8::2",
		"+OK 198.51.100.2 192.0.2.1 2001:db8:100:100::/56",
		/* Some old clients take the fourth word for the prefix. */
		"+OK 198.51.100.2 192.0.2.1 2001:db8:100:100::/56 2001:db8::2 2001:db8::1",
		"+OK 198.51.100.2 192.0.2.1 2001:db8:1::/48 fd00::/16 2001:db8::1/128",
		/* One in the other is not twice the same. */
		"+OK 198.51.100.2 192.0.2.1 2001:db8::/32 2001:db8::/48",
		"+OK 198.51.100.2 192.0.2.1 2001:db8::/48 2001:db8::/32",
		"+OK 198.51.100.2 192.0.2.1 udp=4028 session=0123456789abcdef",
		"+OK 198.51.100.2 192.0.2.1 udp=1 session=0000000000000001",
		"+OK 198.51.100.2 192.0.2.1 udp=65535 session=fedcba9876543210",
		"+OK 198.51.100.2 192.0.2.1 2001:db8:100:100::/56 2001:db8::2 2001:db8::1 "
		"udp=4028 session=ffffffffffffffff",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		size_t len = strlen(rows[i]);
		struct dtcp_reply reply;
		const char *why;
		char buf[DTCP_LINE_SIZE];

		assert_int_equal(reply_parse(rows[i], len, TUNNEL_NONE, &reply, &why), REPLY_OK);
		assert_int_equal(reply_format(&reply, buf, sizeof(buf)), len);
		assert_string_equal(buf, rows[i]);
	}
}

/* All fields at their longest, written and read back. */
static void test_largest_round_trip(void **state)
{
	char line[DTCP_LINE_SIZE] = "+OK 198.151.100.222 192.100.200.111";
	char word[PREFIX6_STRLEN + 1], buf[DTCP_LINE_SIZE];
	struct dtcp_reply reply;
	const char *why;
	size_t len;

	(void)state;
	for (unsigned int i = 0; i < DTCP_PREFIXES_MAX; i++) {
		(void)snprintf(word, sizeof(word), " 3fff:eee1:1111:2222:3333:4444:5555:888%u/128",
			       i);
		(void)strlcat(line, word, sizeof(line));
	}
	(void)strlcat(line,
		      " 2001:db8:1111:2222:3333:4444:5555:6666"
		      " 2001:db8:1111:2222:3333:4444:5555:7777 udp=65535 session=fedcba9876543210",
		      sizeof(line));
	len = strlen(line);
	/* Which leaves 12 of the 512. */
	assert_int_equal(len, 113 + 8 * 44 + 35);
	assert_int_equal(reply_parse(line, len, TUNNEL_NETWORK, &reply, &why), REPLY_OK);
	assert_int_equal(reply_format(&reply, buf, sizeof(buf)), len);
	assert_string_equal(buf, line);
}

static void test_output_too_small(void **state)
{
	static const char text[] =
		V4 " 2001:3e0:3c3::/48" PAIR " udp=4028 session=0123456789abcdef";
	struct dtcp_reply reply;
	const char *why;

	(void)state;
	assert_int_equal(reply_parse(text, strlen(text), TUNNEL_NETWORK, &reply, &why), REPLY_OK);
	for (size_t size = 0; size < sizeof(text); size++) {
		char *buf = exact_fill('x', size);

		assert_int_equal(reply_format(&reply, buf, size), 0);
		/* What lies behind the buffer is still there. */
		assert_int_equal(buf[size], '\0');
		free(buf);
	}
	for (size_t size = sizeof(text); size < sizeof(text) + 2; size++) {
		char *buf = exact_fill('x', size);

		assert_int_equal(reply_format(&reply, buf, size), sizeof(text) - 1);
		assert_string_equal(buf, text);
		free(buf);
	}
}

static void test_replies_that_cannot_be_written(void **state)
{
	struct dtcp_reply reply = {.has_her6 = true};
	char buf[DTCP_LINE_SIZE];

	(void)state;
	assert_int_equal(reply_format(&reply, buf, sizeof(buf)), 0);
	reply = (struct dtcp_reply){.n_prefixes = DTCP_PREFIXES_MAX + 1};
	assert_int_equal(reply_format(&reply, buf, sizeof(buf)), 0);
	reply = (struct dtcp_reply){.udp_port = 4028};
	assert_int_equal(reply_format(&reply, buf, sizeof(buf)), 0);
	/* Without a port the session is none of the other side's business. */
	reply = (struct dtcp_reply){.session = 1};
	assert_int_equal(reply_format(&reply, buf, sizeof(buf)), 19);
	assert_string_equal(buf, "+OK 0.0.0.0 0.0.0.0");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_type),
		cmocka_unit_test(test_what_each_type_lacks),
		cmocka_unit_test(test_words_are_read_by_shape),
		cmocka_unit_test(test_unknown_words_are_ignored),
		cmocka_unit_test(test_udp),
		cmocka_unit_test(test_bad_udp),
		cmocka_unit_test(test_forty_words),
		cmocka_unit_test(test_fullest_line),
		cmocka_unit_test(test_repeated_words),
		cmocka_unit_test(test_third_addresses),
		cmocka_unit_test(test_malformed_addresses),
		cmocka_unit_test(test_ipv4_that_is_no_tunnel_end),
		cmocka_unit_test(test_ipv6_that_is_no_unicast),
		cmocka_unit_test(test_bad_prefixes),
		cmocka_unit_test(test_host_bits),
		cmocka_unit_test(test_most_prefixes),
		cmocka_unit_test(test_lines_that_are_no_reply),
		cmocka_unit_test(test_errors),
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_largest_round_trip),
		cmocka_unit_test(test_output_too_small),
		cmocka_unit_test(test_replies_that_cannot_be_written),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
