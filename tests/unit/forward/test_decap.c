/* SPDX-License-Identifier: BSD-2-Clause */
#include "packets.h"

#include "forward/decap.h"
#include "forward/plane_session.h"
#include "forward/tos.h"

#include <arpa/inet.h>
#include <string.h>

#define NOW 100000

static const uint64_t key[2] = {1, 2};

/* A table with the one session of packets.h, up; change may alter it first. */
static struct table *make_table(bool server, const struct forward_session *config)
{
	struct table *table = table_new(server, 4, key);
	struct session *session;

	assert_non_null(table);
	assert_int_equal(table_add(table, config, &session), 0);
	table_set_up(table, session);
	return table;
}

/* As from a raw socket. */
static void judge_ipv4(const struct table *table, bool server, uint8_t *packet, size_t n,
		       struct decap *decap)
{
	struct arrival arrival;

	arrival_from_ipv4(packet, n, &arrival);
	decap_packet(table, server, &arrival, NOW, decap);
}

static enum drop_reason judge_with(const struct forward_session *config, bool server,
				   const char *text, struct decap *decap)
{
	static uint8_t packet[2048];
	struct table *table = make_table(server, config);
	size_t n = packet_hex(text, packet, sizeof(packet));

	judge_ipv4(table, server, packet, n, decap);

	enum drop_reason drop = decap->drop;

	table_free(table);
	return drop;
}

static enum drop_reason judge(bool server, const char *text)
{
	const struct forward_session config = packet_session();
	struct decap decap;

	return judge_with(&config, server, text, &decap);
}

static void a_good_packet_passes(void **state)
{
	const struct forward_session config = packet_session();
	const char *text = OUTER HEAD_ECHO SITE FAR ECHO;
	struct decap decap;
	uint8_t inner[48];

	(void)state;
	assert_int_equal(judge_with(&config, true, text, &decap), DROP_NONE);
	assert_non_null(decap.session);
	assert_int_equal(decap.inner.len, packet_hex(HEAD_ECHO SITE FAR ECHO, inner, 48));
	assert_memory_equal(decap.inner.packet, inner, 48);
	assert_int_equal(decap.vnet.flags, 0);
	assert_int_equal(decap.vnet.gso_type, 0);
}

static void trailing_octets_are_cut(void **state)
{
	const struct forward_session config = packet_session();
	struct decap decap;

	(void)state;
	assert_int_equal(
		judge_with(&config, true, OUTER HEAD_ECHO SITE FAR ECHO "deadbeef", &decap),
		DROP_NONE);
	assert_int_equal(decap.inner.len, 48);
}

static void outer_options_are_skipped(void **state)
{
	(void)state;
	/* Header length 6 words, with four no-operation options. */
	assert_int_equal(judge(true, "46 00 0000 0000 4000 4029 0000 c6336402 c0000201"
				     "01010101" HEAD_ECHO SITE FAR ECHO),
			 DROP_NONE);
}

static void outer_short(void **state)
{
	(void)state;
	assert_int_equal(judge(true, ""), DROP_OUTER_SHORT);
	/* 19 octets of IPv4 header */
	assert_int_equal(judge(true, "45000000000040004029 0000 c6336402 c00002"),
			 DROP_OUTER_SHORT);
	/* nothing inside, then one octet less than an IPv6 header */
	assert_int_equal(judge(true, OUTER), DROP_OUTER_SHORT);
	assert_int_equal(
		judge(true, OUTER "60000000 0000 3b 40" SITE "20010db8ffff000000000000000000"),
		DROP_OUTER_SHORT);
	/* header length of 4 words; of 15 words, more than is there; version 5 */
	assert_int_equal(judge(true, "44 00 0000 0000 4000 4029 0000 c6336402 c0000201"),
			 DROP_OUTER_SHORT);
	assert_int_equal(judge(true, "4f 00 0000 0000 4000 4029 0000 c6336402 c0000201"),
			 DROP_OUTER_SHORT);
	assert_int_equal(judge(true, "55 00 0000 0000 4000 4029 0000 c6336402 c0000201"),
			 DROP_OUTER_SHORT);
}

static void outer_peer(void **state)
{
	struct forward_session config = packet_session();
	struct decap decap;

	(void)state;
	/* from 198.51.100.3, who has no session */
	assert_int_equal(
		judge(true,
		      "45 00 0000 0000 4000 4029 0000 c6336403 c0000201" HEAD_ECHO SITE FAR ECHO),
		DROP_OUTER_PEER);
	/* to 192.0.2.2, another address of ours; to 0.0.0.0 with no alias set */
	assert_int_equal(judge(true, OUTER_TO("00", "c0000202") HEAD_ECHO SITE FAR ECHO),
			 DROP_OUTER_PEER);
	assert_int_equal(judge(true, OUTER_TO("00", "00000000") HEAD_ECHO SITE FAR ECHO),
			 DROP_OUTER_PEER);
	/* to 203.0.113.1, which is right once it is the session's alias; and local still is */
	assert_int_equal(inet_pton(AF_INET, "203.0.113.1", &config.alias), 1);
	assert_int_equal(judge_with(&config, true,
				    OUTER_TO("00", "cb007101") HEAD_ECHO SITE FAR ECHO, &decap),
			 DROP_NONE);
	assert_int_equal(judge_with(&config, true, OUTER HEAD_ECHO SITE FAR ECHO, &decap),
			 DROP_NONE);
}

static void a_session_that_is_not_up_takes_nothing(void **state)
{
	struct table *table = table_new(true, 4, key);
	const struct forward_session config = packet_session();
	struct session *session;
	struct decap decap;
	uint8_t packet[128];
	size_t n = packet_hex(OUTER HEAD_ECHO SITE FAR ECHO, packet, sizeof(packet));

	(void)state;
	assert_non_null(table);
	assert_int_equal(table_add(table, &config, &session), 0);
	judge_ipv4(table, true, packet, n, &decap);
	assert_int_equal(decap.drop, DROP_OUTER_PEER);
	assert_null(decap.session);
	table_free(table);
}

static void not_ipv6(void **state)
{
	(void)state;
	/* an inner IPv4 header's first octet, then version 7 and 0 */
	assert_int_equal(judge(false, OUTER "45000000 0008 3a 40" SITE FAR ECHO), DROP_NOT_IPV6);
	assert_int_equal(judge(false, OUTER "70000000 0008 3a 40" SITE FAR ECHO), DROP_NOT_IPV6);
	assert_int_equal(judge(false, OUTER "00000000 0008 3a 40" SITE FAR ECHO), DROP_NOT_IPV6);
}

static void truncated(void **state)
{
	(void)state;
	/* payload length 9 with 8 octets; 65535 with 8 */
	assert_int_equal(judge(false, OUTER "60000000 0009 3a 40" SITE FAR ECHO), DROP_TRUNCATED);
	assert_int_equal(judge(false, OUTER "60000000 ffff 3a 40" SITE FAR ECHO), DROP_TRUNCATED);
}

static void bad_sources(void **state)
{
	static const struct {
		const char *text;
		enum drop_reason drop;
	} rows[] = {
		/* ff02::1, and the lowest and highest multicast address */
		{OUTER HEAD_ECHO "ff020000000000000000000000000001" FAR ECHO, DROP_SRC_MULTICAST},
		{OUTER HEAD_ECHO "ff000000000000000000000000000000" FAR ECHO, DROP_SRC_MULTICAST},
		{OUTER HEAD_ECHO "ffffffffffffffffffffffffffffffff" FAR ECHO, DROP_SRC_MULTICAST},
		/* :: with an echo request */
		{OUTER HEAD_ECHO "00000000000000000000000000000000" FAR ECHO, DROP_SRC_UNSPECIFIED},
		/* ::1 */
		{OUTER HEAD_ECHO "00000000000000000000000000000001" FAR ECHO, DROP_SRC_LOOPBACK},
		/* ::ffff:198.51.100.2 */
		{OUTER HEAD_ECHO "00000000000000000000ffffc6336402" FAR ECHO, DROP_SRC_MAPPED},
		/* ::198.51.100.2, and ::2 and ::0.1.0.0 */
		{OUTER HEAD_ECHO "000000000000000000000000c6336402" FAR ECHO, DROP_SRC_COMPATIBLE},
		{OUTER HEAD_ECHO "00000000000000000000000000000002" FAR ECHO, DROP_SRC_COMPATIBLE},
		{OUTER HEAD_ECHO "00000000000000000000000000010000" FAR ECHO, DROP_SRC_COMPATIBLE},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		/* The same on both ends. */
		assert_int_equal(judge(true, rows[i].text), rows[i].drop);
		assert_int_equal(judge(false, rows[i].text), rows[i].drop);
	}
}

#define NOBODY	  "00000000000000000000000000000000"
#define ALL_NODES "ff020000000000000000000000000001"
/* neighbour solicitation for 2001:db8:100:100::1: type 135, code 0, checksum not looked at */
#define SOLICIT "87 00 0000 00000000" SITE

static void discovery_from_unspecified(void **state)
{
	static const struct {
		const char *text;
		enum drop_reason drop;
	} rows[] = {
		/* duplicate address detection: to ff02::1:ff00:1, 24 octets, 255 hops */
		{OUTER "60000000 0018 3a ff" NOBODY "ff0200000000000000000001ff000001" SOLICIT,
		 DROP_NONE},
		/* router solicitation, type 133, to ff02::2 */
		{OUTER "60000000 0008 3a ff" NOBODY "ff020000000000000000000000000002"
		       "85 00 0000 00000000",
		 DROP_NONE},
		/* 254 hops: it has come from further away */
		{OUTER "60000000 0018 3a fe" NOBODY ALL_NODES SOLICIT, DROP_SRC_UNSPECIFIED},
		/* to a unicast address, then to one of wider scope, ff05::1 */
		{OUTER "60000000 0018 3a ff" NOBODY FAR SOLICIT, DROP_SRC_UNSPECIFIED},
		{OUTER "60000000 0018 3a ff" NOBODY "ff050000000000000000000000000001" SOLICIT,
		 DROP_SRC_UNSPECIFIED},
		/* code 1; neighbour advertisement, type 136; UDP */
		{OUTER "60000000 0018 3a ff" NOBODY ALL_NODES "87 01 0000 00000000" SITE,
		 DROP_SRC_UNSPECIFIED},
		{OUTER "60000000 0018 3a ff" NOBODY ALL_NODES "88 00 0000 00000000" SITE,
		 DROP_SRC_UNSPECIFIED},
		{OUTER "60000000 0018 11 ff" NOBODY ALL_NODES SOLICIT, DROP_SRC_UNSPECIFIED},
		/* no room for the ICMPv6 header: 4 octets */
		{OUTER "60000000 0004 3a ff" NOBODY ALL_NODES "87000000", DROP_SRC_UNSPECIFIED},
		/* in a fragment (44): first, more to come, next ICMPv6 */
		{OUTER "60000000 0020 2c ff" NOBODY ALL_NODES "3a00 0001 00000001" SOLICIT,
		 DROP_SRC_UNSPECIFIED},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_int_equal(judge(true, rows[i].text), rows[i].drop);
}

static void ingress(void **state)
{
	static const struct {
		const char *text;
		enum drop_reason drop;
	} rows[] = {
		/* the first and the last address of 2001:db8:100:100::/56, and one past it */
		{OUTER HEAD_ECHO "20010db8010001000000000000000000" FAR ECHO, DROP_NONE},
		{OUTER HEAD_ECHO "20010db8010001ffffffffffffffffff" FAR ECHO, DROP_NONE},
		{OUTER HEAD_ECHO "20010db8010002000000000000000000" FAR ECHO, DROP_SRC_INGRESS},
		{OUTER HEAD_ECHO "20010db8010000ffffffffffffffffff" FAR ECHO, DROP_SRC_INGRESS},
		/* the session's link-local address, and another's */
		{OUTER HEAD_ECHO LINK_LOCAL FAR ECHO, DROP_NONE},
		{OUTER HEAD_ECHO "fe8000000000000000000000c6336403" FAR ECHO, DROP_SRC_INGRESS},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(judge(true, rows[i].text), rows[i].drop);
		/* The client takes what the server sends. */
		assert_int_equal(judge(false, rows[i].text), DROP_NONE);
	}
}

static void ingress_on_a_device_of_its_own(void **state)
{
	struct forward_session config = packet_session();
	struct decap decap;

	(void)state;
	config.device = 3;
	config.n_prefixes = 0;
	/* fe80::1 and febf:ffff::1 are link-local; fec0::1 and 2001:db8:100:100::1 are not */
	assert_int_equal(judge_with(&config, true,
				    OUTER HEAD_ECHO "fe800000000000000000000000000001" FAR ECHO,
				    &decap),
			 DROP_NONE);
	assert_int_equal(judge_with(&config, true,
				    OUTER HEAD_ECHO "febfffff000000000000000000000001" FAR ECHO,
				    &decap),
			 DROP_NONE);
	assert_false(decap.ask);
	/* of these the routes decide */
	assert_int_equal(judge_with(&config, true,
				    OUTER HEAD_ECHO "fec00000000000000000000000000001" FAR ECHO,
				    &decap),
			 DROP_NONE);
	assert_true(decap.ask);
	assert_int_equal(judge_with(&config, true, OUTER HEAD_ECHO SITE FAR ECHO, &decap),
			 DROP_NONE);
	assert_true(decap.ask);
	/* unless it is wrong in any case: ::1, or to fe80::5efe:192.0.2.1 */
	assert_int_equal(judge_with(&config, true,
				    OUTER HEAD_ECHO "00000000000000000000000000000001" FAR ECHO,
				    &decap),
			 DROP_SRC_LOOPBACK);
	assert_int_equal(judge_with(&config, true,
				    OUTER HEAD_ECHO SITE "fe8000000000000000005efec0000201" ECHO,
				    &decap),
			 DROP_LOOP);
	/* the user's own prefix needs no question; nor does anything where all are allowed */
	config.prefixes[0] = packet_prefix("2001:db8:100:100::/56");
	config.n_prefixes = 1;
	assert_int_equal(judge_with(&config, true, OUTER HEAD_ECHO SITE FAR ECHO, &decap),
			 DROP_NONE);
	assert_false(decap.ask);
	config.any_source = 1;
	assert_int_equal(judge_with(&config, true, OUTER HEAD_ECHO FAR SITE ECHO, &decap),
			 DROP_NONE);
	assert_false(decap.ask);
	assert_int_equal(judge_with(&config, true,
				    OUTER HEAD_ECHO "00000000000000000000000000000001" FAR ECHO,
				    &decap),
			 DROP_SRC_LOOPBACK);
	/* on the shared device neither is of any meaning */
	config.device = 0;
	assert_int_equal(judge_with(&config, true, OUTER HEAD_ECHO FAR SITE ECHO, &decap),
			 DROP_SRC_INGRESS);
}

/* Router advertisements come from the server, to a client that wants them; redirects never do. */
static void router_advertisements(void **state)
{
	struct forward_session config = packet_session();
	const char *advert = OUTER "60000000 0010 3a ff" LINK_LOCAL ALL_NODES
				   "86 00 0000 40 00 0708 00000000 00000000";
	const char *redirect = OUTER HEAD_ECHO LINK_LOCAL FAR "89 00 0000 0001 0001";
	struct decap decap;

	(void)state;
	assert_int_equal(judge_with(&config, false, advert, &decap), DROP_ROUTER);
	config.adverts = 1;
	assert_int_equal(judge_with(&config, false, advert, &decap), DROP_NONE);
	assert_int_equal(judge_with(&config, false, redirect, &decap), DROP_ROUTER);
	config.device = 3;
	assert_int_equal(judge_with(&config, true, advert, &decap), DROP_ROUTER);
	assert_int_equal(judge_with(&config, true, redirect, &decap), DROP_ROUTER);
}

static void loops(void **state)
{
	static const struct {
		const char *text;
		enum drop_reason drop;
	} rows[] = {
		/* 2002:192.0.2.1::1, our own 6to4 prefix; 2002:192.0.2.2::1 is not */
		{OUTER HEAD_ECHO SITE "2002c000020100000000000000000001" ECHO, DROP_LOOP},
		{OUTER HEAD_ECHO SITE "2002c000020200000000000000000001" ECHO, DROP_NONE},
		/* ISATAP 2001:db8::0:5efe:192.0.2.1 and ::200:5efe:192.0.2.1; 100:5efe is none */
		{OUTER HEAD_ECHO SITE "20010db80000000000005efec0000201" ECHO, DROP_LOOP},
		{OUTER HEAD_ECHO SITE "20010db80000000002005efec0000201" ECHO, DROP_LOOP},
		{OUTER HEAD_ECHO SITE "20010db80000000001005efec0000201" ECHO, DROP_NONE},
		{OUTER HEAD_ECHO SITE "20010db80000000000005efec0000202" ECHO, DROP_NONE},
		/* ::192.0.2.1 and ::ffff:192.0.2.1; ::fffe:192.0.2.1 is neither */
		{OUTER HEAD_ECHO SITE "000000000000000000000000c0000201" ECHO, DROP_LOOP},
		{OUTER HEAD_ECHO SITE "00000000000000000000ffffc0000201" ECHO, DROP_LOOP},
		{OUTER HEAD_ECHO SITE "00000000000000000000fffec0000201" ECHO, DROP_NONE},
		/* fe80::192.0.2.1 is just our link-local address */
		{OUTER HEAD_ECHO SITE "fe80000000000000 00000000c0000201" ECHO, DROP_NONE},
	};
	struct forward_session config = packet_session();
	struct decap decap;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(judge(true, rows[i].text), rows[i].drop);
		assert_int_equal(judge(false, rows[i].text), rows[i].drop);
	}
	/* the alias 203.0.113.1 leads back here as well */
	assert_int_equal(inet_pton(AF_INET, "203.0.113.1", &config.alias), 1);
	assert_int_equal(judge_with(&config, true,
				    OUTER HEAD_ECHO SITE "2002cb00710100000000000000000001" ECHO,
				    &decap),
			 DROP_LOOP);
}

static void congestion_marks(void **state)
{
	const struct forward_session config = packet_session();
	struct decap decap;

	(void)state;
	/* outer CE, inner not ECN-capable */
	assert_int_equal(judge(true, OUTER_TO("03", "c0000201") HEAD_ECHO SITE FAR ECHO), DROP_ECN);
	/* outer DSCP 46 and CE on inner class 0x02, ECT(0): the class becomes 0x03 */
	assert_int_equal(judge_with(&config, true,
				    OUTER_TO("bb", "c0000201") "60200000 0008 3a 40" SITE FAR ECHO,
				    &decap),
			 DROP_NONE);
	assert_int_equal(tos_class(decap.inner.packet), 0x03);
}

/* --- UDP ------------------------------------------------------------------------------------ */

/* What a socket knows of text from 198.51.100.last, to 192.0.2.1. */
static enum drop_reason judge_udp(const struct table *table, bool server, uint8_t last,
				  uint16_t port, const char *text, struct decap *decap)
{
	static uint8_t packet[256];
	struct arrival arrival = {
		.peer = {FORWARD_UDP, {htonl(0xc6336400u + last)}, port},
		.local.s_addr = htonl(0xc0000201),
		.payload = packet,
		.len = packet_hex(text, packet, sizeof(packet)),
	};

	decap_packet(table, server, &arrival, NOW, decap);
	return decap->drop;
}

static struct forward_session udp_session(uint32_t port)
{
	struct forward_session config = packet_session();

	config.transport = FORWARD_UDP;
	config.session = 1;
	config.peer_port = port;
	return config;
}

static void udp_packets(void **state)
{
	const struct forward_session config = udp_session(4028);
	struct table *table = make_table(true, &config);
	struct decap decap;

	(void)state;
	assert_int_equal(judge_udp(table, true, 2, 4028, HEAD_ECHO SITE FAR ECHO, &decap),
			 DROP_NONE);
	assert_false(decap.learned);
	assert_int_equal(decap.inner.len, 48);
	/* another port, another address */
	assert_int_equal(judge_udp(table, true, 2, 4029, HEAD_ECHO SITE FAR ECHO, &decap),
			 DROP_OUTER_PEER);
	assert_int_equal(judge_udp(table, true, 3, 4028, HEAD_ECHO SITE FAR ECHO, &decap),
			 DROP_OUTER_PEER);
	/* the rules for what is inside */
	assert_int_equal(judge_udp(table, true, 2, 4028, HEAD_ECHO FAR SITE ECHO, &decap),
			 DROP_SRC_INGRESS);
	assert_int_equal(
		judge_udp(table, true, 2, 4028, "60000000 0009 3a 40" SITE FAR ECHO, &decap),
		DROP_TRUNCATED);
	assert_int_equal(judge_udp(table, true, 2, 4028,
				   HEAD_ECHO SITE "2002c000020100000000000000000001" ECHO, &decap),
			 DROP_LOOP);
	table_free(table);
}

/* Of several at one peer, the source inside tells which; where it does not, it is the newest. */
static void udp_several_at_one_peer(void **state)
{
	const struct forward_session config = udp_session(4028);
	struct forward_session other = udp_session(4028);
	struct table *table = make_table(true, &config);
	struct session *one = table_by_id(table, config.id);
	struct session *two;
	struct decap decap;

	(void)state;
	other.id = config.id + 1;
	other.session++;
	other.prefixes[0] = packet_prefix("2001:db8:100:200::/56");
	other.prefixes[1] = packet_prefix("fe80::2/128");
	assert_int_equal(table_add(table, &other, &two), 0);
	table_set_up(table, two);
	assert_int_equal(judge_udp(table, true, 2, 4028, HEAD_ECHO SITE FAR ECHO, &decap),
			 DROP_NONE);
	assert_ptr_equal(decap.session, one);
	assert_int_equal(judge_udp(table, true, 2, 4028,
				   HEAD_ECHO "20010db8010002000000000000000001" FAR ECHO, &decap),
			 DROP_NONE);
	assert_ptr_equal(decap.session, two);
	assert_int_equal(judge_udp(table, true, 2, 4028, HEAD_ECHO LINK_LOCAL FAR ECHO, &decap),
			 DROP_NONE);
	assert_ptr_equal(decap.session, one);
	/* in neither's prefix; not to be understood */
	assert_int_equal(judge_udp(table, true, 2, 4028, HEAD_ECHO FAR SITE ECHO, &decap),
			 DROP_SRC_INGRESS);
	assert_ptr_equal(decap.session, two);
	assert_int_equal(
		judge_udp(table, true, 2, 4028, "60000000 0009 3a 40" SITE FAR ECHO, &decap),
		DROP_TRUNCATED);
	assert_ptr_equal(decap.session, two);
	(void)table_change_peer(table, one, session_peer(two), true);
	assert_int_equal(judge_udp(table, true, 2, 4028, HEAD_ECHO FAR SITE ECHO, &decap),
			 DROP_SRC_INGRESS);
	assert_ptr_equal(decap.session, one);
	table_free(table);
}

static void udp_malformed(void **state)
{
	const struct forward_session config = udp_session(4028);
	struct table *table = make_table(true, &config);
	struct decap decap;

	(void)state;
	/* nothing; a keepalive of other programs; a NAT's; IPv4; a probe of 41 octets */
	static const char *const rows[] = {"", "00", "ff", "45000000",
					   "d0000000 00000000 0000000000000001 0000000000000001"
					   "00000000000000000000000000000000 00"};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(judge_udp(table, true, 2, 4028, rows[i], &decap),
				 DROP_UDP_MALFORMED);
		assert_null(decap.session);
	}
	/* version 6, but less than a header */
	assert_int_equal(judge_udp(table, true, 2, 4028, "60000000", &decap), DROP_OUTER_SHORT);
	table_free(table);
}

static void udp_without_probes(void **state)
{
	const struct forward_session config = udp_session(0);
	struct table *table = make_table(true, &config);
	struct session *session = table_by_id(table, config.id);
	struct forward_session other = udp_session(7);
	struct session *there;
	struct decap decap;

	(void)state;
	session_plane(session)->added = NOW - 4999;
	assert_int_equal(judge_udp(table, true, 2, 7, HEAD_ECHO SITE FAR ECHO, &decap),
			 DROP_OUTER_PEER);
	session_plane(session)->added = NOW - 5000;
	assert_int_equal(judge_udp(table, true, 3, 7, HEAD_ECHO SITE FAR ECHO, &decap),
			 DROP_OUTER_PEER);
	/* A packet that is not allowed in teaches nothing. */
	assert_int_equal(judge_udp(table, true, 2, 7, HEAD_ECHO FAR SITE ECHO, &decap),
			 DROP_SRC_INGRESS);
	assert_int_equal(judge_udp(table, true, 2, 7, HEAD_ECHO SITE FAR ECHO, &decap), DROP_NONE);
	assert_true(decap.learned);
	assert_ptr_equal(decap.session, session);
	/* Another session that has this peer is not in the way, except of what could be its own. */
	other.id = config.id + 1;
	other.session++;
	other.prefixes[0] = packet_prefix("2001:db8:100:200::/56");
	other.prefixes[1] = packet_prefix("fe80::2/128");
	assert_int_equal(table_add(table, &other, &there), 0);
	table_set_up(table, there);
	assert_int_equal(judge_udp(table, true, 2, 7, HEAD_ECHO SITE FAR ECHO, &decap), DROP_NONE);
	assert_true(decap.learned);
	assert_ptr_equal(decap.session, session);
	assert_int_equal(judge_udp(table, true, 2, 7, HEAD_ECHO FAR SITE ECHO, &decap),
			 DROP_SRC_INGRESS);
	assert_false(decap.learned);
	assert_ptr_equal(decap.session, there);
	table_remove(table, there);
	session_plane(session)->hello_counter = 1;
	assert_int_equal(judge_udp(table, true, 2, 7, HEAD_ECHO SITE FAR ECHO, &decap),
			 DROP_OUTER_PEER);
	table_free(table);
}

/* A client that leaves its own address to the kernel. */
static void udp_from_anywhere(void **state)
{
	struct forward_session config = udp_session(4028);
	struct decap decap;

	(void)state;
	config.local.s_addr = 0;

	struct table *table = make_table(false, &config);

	assert_int_equal(judge_udp(table, false, 2, 4028, HEAD_ECHO FAR SITE ECHO, &decap),
			 DROP_NONE);
	/* It does not wait for anybody else. */
	assert_int_equal(judge_udp(table, false, 2, 7, HEAD_ECHO FAR SITE ECHO, &decap),
			 DROP_OUTER_PEER);
	/* The address that it came to is the tunnel's end. */
	assert_int_equal(judge_udp(table, false, 2, 4028,
				   HEAD_ECHO FAR "2002c000020100000000000000000001" ECHO, &decap),
			 DROP_LOOP);
	assert_int_equal(judge_udp(table, false, 2, 4028,
				   HEAD_ECHO FAR "20020000000000000000000000000001" ECHO, &decap),
			 DROP_NONE);
	table_free(table);
}

static void names(void **state)
{
	(void)state;
	assert_string_equal(drop_reason_name(DROP_SRC_INGRESS), "src-ingress");
	for (int reason = DROP_NONE; reason < DROP_REASONS; reason++) {
		assert_non_null(drop_reason_name((enum drop_reason)reason));
		for (int other = 0; other < reason; other++)
			assert_string_not_equal(drop_reason_name((enum drop_reason)reason),
						drop_reason_name((enum drop_reason)other));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_good_packet_passes),
		cmocka_unit_test(trailing_octets_are_cut),
		cmocka_unit_test(outer_options_are_skipped),
		cmocka_unit_test(outer_short),
		cmocka_unit_test(outer_peer),
		cmocka_unit_test(a_session_that_is_not_up_takes_nothing),
		cmocka_unit_test(not_ipv6),
		cmocka_unit_test(truncated),
		cmocka_unit_test(bad_sources),
		cmocka_unit_test(discovery_from_unspecified),
		cmocka_unit_test(ingress),
		cmocka_unit_test(ingress_on_a_device_of_its_own),
		cmocka_unit_test(router_advertisements),
		cmocka_unit_test(loops),
		cmocka_unit_test(congestion_marks),
		cmocka_unit_test(udp_packets),
		cmocka_unit_test(udp_several_at_one_peer),
		cmocka_unit_test(udp_malformed),
		cmocka_unit_test(udp_without_probes),
		cmocka_unit_test(udp_from_anywhere),
		cmocka_unit_test(names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
