/* SPDX-License-Identifier: BSD-2-Clause */
#include "packets.h"

#include "forward/encap.h"

#include <string.h>

#define NOW 1000

static const uint64_t key[2] = {3, 4};
static const struct virtio_net_hdr plain;
static uint8_t packet[70000];

static struct table *make_table(bool server, uint32_t mtu, uint32_t port, struct session **session)
{
	struct table *table = table_new(server, 4, key);
	struct forward_session config = packet_session();
	const struct prefix6 down = packet_prefix("2001:db8:100:200::/56");

	config.mtu = mtu;
	if (port) {
		config.transport = FORWARD_UDP;
		config.session = 1;
		config.peer_port = port;
	}
	assert_non_null(table);
	assert_int_equal(table_add(table, &config, session), 0);
	assert_int_equal(table_assign(table, &down), 0);
	return table;
}

/* On the server's shared device, or on a device with the one session. */
static void judge(bool shared, const char *text, struct encap *encap)
{
	struct session *session;
	struct table *table = make_table(shared, 1280, 0, &session);
	size_t n = packet_hex(text, packet, sizeof(packet));

	memset(encap, 0xee, sizeof(*encap));
	encap_packet(table, session, shared, &plain, packet, n, NOW, encap);
	if (encap->session)
		assert_ptr_equal(encap->session, session);
	table_free(table);
}

static void to_the_session(void **state)
{
	struct encap encap;

	(void)state;
	judge(true, HEAD_ECHO FAR SITE ECHO "ffff", &encap);
	assert_int_equal(encap.drop, DROP_NONE);
	assert_non_null(encap.session);
	assert_int_equal(encap.inner.len, 48);
	assert_int_equal(encap.tos, 0);
	assert_false(encap.df);
	assert_int_equal(encap.error.kind, ICMP6_NONE);
	/* class 0xbb, EF with congestion experienced, goes outside as it is */
	judge(true, "6bb00000 0008 3a 40" FAR SITE ECHO, &encap);
	assert_int_equal(encap.drop, DROP_NONE);
	assert_int_equal(encap.tos, 0xbb);
}

static void malformed(void **state)
{
	static const char *const rows[] = {
		"",
		/* one octet less than a header */
		"60000000 0000 3b 40" FAR "20010db8010001000000000000000 0",
		/* IPv4; payload length 9 with 8 octets */
		"45000000 0008 3a 40" FAR SITE ECHO,
		"60000000 0009 3a 40" FAR SITE ECHO,
	};
	struct encap encap;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		judge(true, rows[i], &encap);
		assert_int_equal(encap.drop, DROP_TUN_MALFORMED);
		assert_null(encap.session);
		assert_int_equal(encap.error.kind, ICMP6_NONE);
	}
}

static void no_route(void **state)
{
	struct encap encap;

	(void)state;
	judge(true, HEAD_ECHO SITE FAR ECHO, &encap);
	assert_int_equal(encap.drop, DROP_NO_ROUTE);
	assert_int_equal(encap.error.kind, ICMP6_NO_ROUTE);
	assert_null(encap.session);
	/* ff02::1 is never sent anywhere from the shared device, and nobody is told */
	judge(true, HEAD_ECHO FAR "ff020000000000000000000000000001" ECHO, &encap);
	assert_int_equal(encap.drop, DROP_MULTICAST);
	assert_int_equal(encap.error.kind, ICMP6_NONE);
}

/* Sessions are no neighbours, whatever the kernel thinks of the device that they share. */
static void redirect(void **state)
{
	struct encap encap;

	(void)state;
	/* type 137 to the session */
	judge(true, HEAD_ECHO FAR SITE "89 00 0000 0001 0001", &encap);
	assert_int_equal(encap.drop, DROP_REDIRECT);
	assert_int_equal(encap.error.kind, ICMP6_NONE);
	assert_null(encap.session);
	/* the same octet in UDP is a port */
	judge(true, "60000000 0008 11 40" FAR SITE "8900 0001 0008 0000", &encap);
	assert_int_equal(encap.drop, DROP_NONE);
	/* and a link of its own may have redirects */
	judge(false, HEAD_ECHO FAR SITE "89 00 0000 0001 0001", &encap);
	assert_int_equal(encap.drop, DROP_NONE);
}

static void no_session(void **state)
{
	struct encap encap;
	size_t n = packet_hex(HEAD_ECHO FAR SITE ECHO, packet, sizeof(packet));

	(void)state;
	/* to 2001:db8:100:200::1, assigned but down */
	judge(true, HEAD_ECHO FAR "20010db8010002000000000000000001" ECHO, &encap);
	assert_int_equal(encap.drop, DROP_NO_SESSION);
	assert_int_equal(encap.error.kind, ICMP6_ADDRESS_UNREACHABLE);
	/* a device of its own whose session is not there */
	encap_packet(NULL, NULL, false, &plain, packet, n, NOW, &encap);
	assert_int_equal(encap.drop, DROP_NO_SESSION);
	assert_int_equal(encap.error.kind, ICMP6_NONE);
}

static void a_device_with_one_session_takes_all(void **state)
{
	static const char *const rows[] = {
		HEAD_ECHO SITE FAR ECHO,
		HEAD_ECHO LINK_LOCAL "ff020000000000000000000000000001" ECHO,
		HEAD_ECHO SITE "fe800000000000000000000000000001" ECHO,
	};
	struct encap encap;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		judge(false, rows[i], &encap);
		assert_int_equal(encap.drop, DROP_NONE);
		assert_non_null(encap.session);
	}
}

/* Where a session has them, and never to the others. */
static void router_advertisements(void **state)
{
	struct session *session;
	struct table *table = make_table(true, 1280, 0, &session);
	struct forward_session config = packet_session();
	struct encap encap;
	size_t n = packet_hex("60000000 0010 3a ff" LINK_LOCAL "ff020000000000000000000000000001"
			      "86 00 0000 40 00 0708 00000000 00000000",
			      packet, sizeof(packet));

	(void)state;
	encap_packet(table, session, false, &plain, packet, n, NOW, &encap);
	assert_int_equal(encap.drop, DROP_ROUTER);
	assert_int_equal(encap.error.kind, ICMP6_NONE);
	table_remove(table, session);
	config.adverts = 1;
	assert_int_equal(table_add(table, &config, &session), 0);
	encap_packet(table, session, false, &plain, packet, n, NOW, &encap);
	assert_int_equal(encap.drop, DROP_NONE);
	encap_packet(table, NULL, true, &plain, packet, n, NOW, &encap);
	assert_int_equal(encap.drop, DROP_MULTICAST);
	table_free(table);
}

/* The client's own prefix is 2001:db8:100:100::/56. */
static void own_sources(void **state)
{
	static const struct {
		const char *text;
		enum drop_reason drop;
		enum icmp6_kind kind;
	} rows[] = {
		{HEAD_ECHO SITE FAR ECHO, DROP_NONE, ICMP6_NONE},
		/* from 2001:db8:ffff::1, which is another network's */
		{HEAD_ECHO FAR SITE ECHO, DROP_SRC_INGRESS, ICMP6_SOURCE_POLICY},
		/* from any link-local address, which the link may have, and from :: */
		{HEAD_ECHO "fe800000000000000000000000000077" FAR ECHO, DROP_NONE, ICMP6_NONE},
		{HEAD_ECHO "00000000000000000000000000000000"
			   "ff020000000000000000000000000001" ECHO,
		 DROP_NONE, ICMP6_NONE},
	};
	struct session *session;
	struct table *table = table_new(false, 4, key);
	struct forward_session config = packet_session();
	struct encap encap;

	(void)state;
	config.own_sources = 1;
	assert_int_equal(table_add(table, &config, &session), 0);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		size_t n = packet_hex(rows[i].text, packet, sizeof(packet));

		encap_packet(table, session, false, &plain, packet, n, NOW, &encap);
		assert_int_equal(encap.drop, rows[i].drop);
		assert_int_equal(encap.error.kind, rows[i].kind);
		assert_ptr_equal(encap.session, session);
	}
	table_free(table);
}

static void unlearned(void **state)
{
	struct session *session;
	struct table *table = make_table(true, 1280, 4028, &session);
	struct table_peer nowhere = *session_peer(session);
	struct encap encap;
	size_t n = packet_hex(HEAD_ECHO FAR SITE ECHO, packet, sizeof(packet));

	(void)state;
	encap_packet(table, NULL, true, &plain, packet, n, NOW, &encap);
	assert_int_equal(encap.drop, DROP_NONE);
	nowhere.port = 0;
	assert_true(table_change_peer(table, session, &nowhere, true));
	/* on the shared device and on one of its own */
	encap_packet(table, NULL, true, &plain, packet, n, NOW, &encap);
	assert_int_equal(encap.drop, DROP_NO_SESSION);
	assert_int_equal(encap.error.kind, ICMP6_ADDRESS_UNREACHABLE);
	assert_ptr_equal(encap.session, session);
	encap_packet(table, session, false, &plain, packet, n, NOW, &encap);
	assert_int_equal(encap.drop, DROP_NO_SESSION);
	table_free(table);
}

/*
 * A packet of len octets through a session with this MTU, whose path takes path octets; over UDP
 * where it has a port.
 */
static void fit(uint32_t mtu, uint32_t port, uint32_t path, size_t len, struct encap *encap)
{
	struct session *session;
	struct table *table = make_table(true, mtu, port, &session);

	packet_fill(packet, len);
	if (path)
		table_lower_pmtu(table, session, path, NOW);
	encap_packet(table, NULL, true, &plain, packet, len, NOW, encap);
	table_free(table);
}

static void sizes_and_df(void **state)
{
	/* limit: what a packet too big is told; 0: it goes */
	static const struct {
		uint32_t mtu, port, path;
		size_t len;
		bool df;
		uint32_t limit;
	} rows[] = {
		/* the least tunnel MTU: DF never, and nothing larger */
		{1280, 0, 0, 1280, false, 0},
		{1280, 0, 0, 1281, false, 1280},
		{1280, 0, 576, 1280, false, 0},
		{1280, 0, 1400, 1281, false, 1280},
		/* a larger one: DF always */
		{1480, 0, 0, 40, true, 0},
		{1480, 0, 0, 1480, true, 0},
		{1480, 0, 0, 1481, false, 1480},
		{1281, 0, 0, 1281, true, 0},
		/* the path takes 1400 octets, so 1380 inside */
		{1480, 0, 1400, 1380, true, 0},
		{1480, 0, 1400, 1381, false, 1380},
		{1400, 0, 1450, 1401, false, 1400},
		/* 1301 is just above the least MTU, 1300 is not */
		{1480, 0, 1301, 1281, true, 0},
		{1480, 0, 1301, 1282, false, 1281},
		{1480, 0, 1300, 1280, false, 0},
		{1480, 0, 1300, 1281, false, 1280},
		/* far below: never less than 1280 inside, cut outside */
		{1480, 0, 68, 1280, false, 0},
		{1480, 0, 68, 40, false, 0},
		{1480, 0, 68, 1281, false, 1280},
		/* UDP has 8 octets more outside: 1372 inside in 1400, and 1309 is just enough */
		{1472, 4028, 0, 1472, true, 0},
		{1472, 4028, 1400, 1372, true, 0},
		{1472, 4028, 1400, 1373, false, 1372},
		{1472, 4028, 1309, 1281, true, 0},
		{1472, 4028, 1308, 1280, false, 0},
		{1472, 4028, 1308, 1281, false, 1280},
		{1280, 4028, 0, 1280, false, 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct encap encap;

		fit(rows[i].mtu, rows[i].port, rows[i].path, rows[i].len, &encap);
		if (rows[i].limit) {
			assert_int_equal(encap.drop, DROP_TOO_BIG);
			assert_int_equal(encap.error.kind, ICMP6_TOO_BIG);
			assert_int_equal(encap.error.mtu, rows[i].limit);
			assert_non_null(encap.session);
		} else {
			assert_int_equal(encap.drop, DROP_NONE);
			assert_int_equal(encap.df, rows[i].df);
			assert_int_equal(encap.error.kind, ICMP6_NONE);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(to_the_session),
		cmocka_unit_test(malformed),
		cmocka_unit_test(no_route),
		cmocka_unit_test(redirect),
		cmocka_unit_test(no_session),
		cmocka_unit_test(a_device_with_one_session_takes_all),
		cmocka_unit_test(router_advertisements),
		cmocka_unit_test(own_sources),
		cmocka_unit_test(unlearned),
		cmocka_unit_test(sizes_and_df),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
