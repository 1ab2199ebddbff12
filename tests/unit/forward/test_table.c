/* SPDX-License-Identifier: BSD-2-Clause */
#include "packets.h"

#include "forward/table.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const uint64_t key[2] = {UINT64_C(0x0123456789abcdef), 42};

static struct forward_session make(uint32_t id, const char *prefix)
{
	struct forward_session config = {
		.id = id,
		.transport = FORWARD_PROTO41,
		.mtu = 1280,
		.local.s_addr = htonl(0xc0000201),
		.peer.s_addr = htonl(0xc6336400 + id + 1),
	};

	if (prefix) {
		config.prefixes[0] = packet_prefix(prefix);
		config.n_prefixes = 1;
	}
	return config;
}

static struct session *add(struct table *table, const struct forward_session *config)
{
	struct session *session = NULL;

	assert_int_equal(table_add(table, config, &session), 0);
	assert_non_null(session);
	return session;
}

static void expect(const struct table *table, const char *address, enum table_match match,
		   const struct session *session)
{
	struct in6_addr in6 = packet_address(address);
	struct session *found = NULL;

	assert_int_equal(table_by_address(table, &in6, &found), match);
	assert_ptr_equal(found, session);
}

static void nested_prefixes(void **state)
{
	struct table *table = table_new(true, 8, key);
	struct forward_session configs[] = {
		make(0, "2001:db8::/32"),
		make(1, "2001:db8:1::/48"),
		make(2, "2001:db8:1:200::/56"),
		make(3, "2001:db8:1:2ff::1/128"),
		make(4, "8000::/1"),
	};
	struct session *s[5];

	(void)state;
	assert_non_null(table);
	for (size_t i = 0; i < 5; i++)
		s[i] = add(table, &configs[i]);
	expect(table, "2001:db8:ffff::1", TABLE_UP, s[0]);
	expect(table, "2001:db8:1::1", TABLE_UP, s[1]);
	expect(table, "2001:db8:1:200::", TABLE_UP, s[2]);
	expect(table, "2001:db8:1:2ff:ffff:ffff:ffff:ffff", TABLE_UP, s[2]);
	expect(table, "2001:db8:1:2ff::1", TABLE_UP, s[3]);
	expect(table, "2001:db8:1:2ff::2", TABLE_UP, s[2]);
	expect(table, "2001:db8:1:300::", TABLE_UP, s[1]);
	expect(table, "ffff::", TABLE_UP, s[4]);
	expect(table, "7fff::", TABLE_UNKNOWN, NULL);
	/* The inner one goes: it is still somebody's, so it does not fall to the outer one. */
	table_remove(table, s[2]);
	expect(table, "2001:db8:1:200::", TABLE_DOWN, NULL);
	expect(table, "2001:db8:1:2ff::1", TABLE_UP, s[3]);
	expect(table, "2001:db8:1:300::", TABLE_UP, s[1]);
	table_free(table);
}

static void assigned_but_down(void **state)
{
	struct table *table = table_new(true, 4, key);
	const struct prefix6 prefix = packet_prefix("2001:db8:2::/48");
	struct forward_session config = make(0, "2001:db8:2::/48");

	(void)state;
	assert_non_null(table);
	expect(table, "2001:db8:2::1", TABLE_UNKNOWN, NULL);
	assert_int_equal(table_assign(table, &prefix), 0);
	assert_int_equal(table_assign(table, &prefix), 0);
	expect(table, "2001:db8:2::1", TABLE_DOWN, NULL);
	expect(table, "2001:db8:3::1", TABLE_UNKNOWN, NULL);

	struct session *session = add(table, &config);

	expect(table, "2001:db8:2::1", TABLE_UP, session);
	/* News that is older than the session changes nothing. */
	assert_int_equal(table_assign(table, &prefix), 0);
	expect(table, "2001:db8:2::1", TABLE_UP, session);
	table_remove(table, session);
	expect(table, "2001:db8:2::1", TABLE_DOWN, NULL);
	session = add(table, &config);
	expect(table, "2001:db8:2::1", TABLE_UP, session);
	table_free(table);
}

/* Several sessions have a prefix for a moment, when a user logs in again and again. */
static void routes_go_back(void **state)
{
	struct table *table = table_new(true, 4, key);
	struct forward_session configs[] = {
		make(0, "2001:db8:2::/48"),
		make(1, "2001:db8:2::/48"),
		make(2, "2001:db8:2::/48"),
		make(3, "2001:db8:2:1::/64"),
	};
	struct session *s[4];

	(void)state;
	assert_non_null(table);
	for (size_t i = 0; i < 4; i++) {
		configs[i].prefixes[1] = packet_prefix("fe80::2/128");
		configs[i].n_prefixes = i < 3 ? 2 : 1;
		s[i] = add(table, &configs[i]);
		expect(table, "2001:db8:2::1", TABLE_UP, s[i < 3 ? i : 2]);
	}
	/* One in the middle takes nothing away. */
	table_remove(table, s[1]);
	expect(table, "2001:db8:2::1", TABLE_UP, s[2]);
	expect(table, "fe80::2", TABLE_UP, s[2]);
	/* The newest: to the newest that is left. */
	s[1] = add(table, &configs[1]);
	expect(table, "2001:db8:2::1", TABLE_UP, s[1]);
	table_remove(table, s[1]);
	expect(table, "2001:db8:2::1", TABLE_UP, s[2]);
	table_remove(table, s[2]);
	expect(table, "2001:db8:2::1", TABLE_UP, s[0]);
	expect(table, "fe80::2", TABLE_UP, s[0]);
	expect(table, "2001:db8:2:1::1", TABLE_UP, s[3]);
	table_remove(table, s[0]);
	expect(table, "2001:db8:2::1", TABLE_DOWN, NULL);
	expect(table, "fe80::2", TABLE_UNKNOWN, NULL);
	table_free(table);
}

/* Nonsense of a control room that has been taken over: all of it goes again. */
static void a_prefix_twice(void **state)
{
	struct table *table = table_new(true, 4, key);
	struct forward_session config = make(0, "2001:db8:2::/48");
	struct session *session;

	(void)state;
	assert_non_null(table);
	config.prefixes[1] = config.prefixes[0];
	config.prefixes[2] = config.prefixes[3] = packet_prefix("fe80::2/128");
	config.n_prefixes = 4;
	session = add(table, &config);
	expect(table, "2001:db8:2::1", TABLE_UP, session);
	table_remove(table, session);
	expect(table, "2001:db8:2::1", TABLE_DOWN, NULL);
	expect(table, "fe80::2", TABLE_UNKNOWN, NULL);
	table_free(table);
}

static void link_local_is_forgotten(void **state)
{
	struct table *table = table_new(true, 4, key);
	struct forward_session config = make(0, "fe80::c633:6402/128");
	const struct prefix6 link_local = packet_prefix("fe80::1/128");

	(void)state;
	assert_non_null(table);

	struct session *session = add(table, &config);

	expect(table, "fe80::c633:6402", TABLE_UP, session);
	table_remove(table, session);
	expect(table, "fe80::c633:6402", TABLE_UNKNOWN, NULL);
	assert_int_equal(table_assign(table, &link_local), -EINVAL);
	table_free(table);
}

static void only_the_shared_device_has_routes(void **state)
{
	struct table *server = table_new(true, 4, key);
	struct table *client = table_new(false, 4, key);
	struct forward_session config = make(0, "2001:db8:2::/48");
	const struct prefix6 prefix = packet_prefix("2001:db8:3::/48");

	(void)state;
	assert_non_null(server);
	assert_non_null(client);
	(void)add(client, &config);
	expect(client, "2001:db8:2::1", TABLE_UNKNOWN, NULL);
	assert_int_equal(table_assign(client, &prefix), 0);
	expect(client, "2001:db8:3::1", TABLE_UNKNOWN, NULL);
	config.device = 7;
	table_remove(server, add(server, &config));
	expect(server, "2001:db8:2::1", TABLE_UNKNOWN, NULL);
	table_free(server);
	table_free(client);
}

static void a_new_session_takes_the_prefix_over(void **state)
{
	struct table *table = table_new(true, 4, key);
	struct forward_session old_config = make(0, "2001:db8:2::/48");
	struct forward_session new_config = make(1, "2001:db8:2::/48");

	(void)state;
	assert_non_null(table);

	struct session *old = add(table, &old_config);
	struct session *new = add(table, &new_config);

	expect(table, "2001:db8:2::1", TABLE_UP, new);
	table_remove(table, old);
	expect(table, "2001:db8:2::1", TABLE_UP, new);
	table_remove(table, new);
	expect(table, "2001:db8:2::1", TABLE_DOWN, NULL);
	table_free(table);
}

static void refuse(struct table *table, const struct forward_session *config, int error)
{
	struct session *session = NULL;

	assert_int_equal(table_add(table, config, &session), error);
	assert_null(session);
}

static void bad_fields(void **state)
{
	struct table *table = table_new(true, 4, key);
	const struct forward_session good = make(3, "2001:db8:2::/48");
	struct forward_session bad;

	(void)state;
	assert_non_null(table);
	bad = good;
	bad.id = 4;
	refuse(table, &bad, -EINVAL);
	bad.id = UINT32_MAX;
	refuse(table, &bad, -EINVAL);
	bad = good;
	bad.mtu = 1279;
	refuse(table, &bad, -EINVAL);
	bad.mtu = 1481;
	refuse(table, &bad, -EINVAL);
	bad = good;
	bad.transport = 0;
	refuse(table, &bad, -EINVAL);
	bad.transport = 3;
	refuse(table, &bad, -EINVAL);
	bad = good;
	bad.n_prefixes = FORWARD_PREFIXES_MAX + 1;
	refuse(table, &bad, -EINVAL);
	bad = good;
	bad.prefixes[0].len = 0;
	refuse(table, &bad, -EINVAL);
	bad.prefixes[0].len = 129;
	refuse(table, &bad, -EINVAL);
	/* bits past the length */
	bad.prefixes[0].len = 46;
	refuse(table, &bad, -EINVAL);
	/* nobody's address, a multicast one, everybody's */
	bad = good;
	bad.peer.s_addr = 0;
	refuse(table, &bad, -EINVAL);
	bad.peer.s_addr = htonl(0xe0000001);
	refuse(table, &bad, -EINVAL);
	bad.peer.s_addr = htonl(0xffffffff);
	refuse(table, &bad, -EINVAL);
	bad = good;
	bad.local.s_addr = 0;
	refuse(table, &bad, -EINVAL);
	expect(table, "2001:db8:2::1", TABLE_UNKNOWN, NULL);

	struct session *session = add(table, &good);

	refuse(table, &good, -EEXIST);
	bad = make(0, NULL);
	bad.peer = good.peer;
	refuse(table, &bad, -EADDRINUSE);
	table_remove(table, session);
	(void)add(table, &bad);
	table_free(table);
}

/* --- UDP ------------------------------------------------------------------------------------ */

static struct forward_session make_udp(uint32_t id, uint32_t port)
{
	struct forward_session config = make(id, NULL);

	config.transport = FORWARD_UDP;
	config.peer.s_addr = htonl(0xc6336402);
	config.peer_port = port;
	config.session = UINT64_C(0xfedcba9876543210) + id;
	return config;
}

static void udp_fields(void **state)
{
	struct table *server = table_new(true, 4, key);
	struct table *client = table_new(false, 4, key);
	struct forward_session bad = make_udp(1, 4028);

	(void)state;
	assert_non_null(server);
	assert_non_null(client);
	bad.session = 0;
	refuse(server, &bad, -EINVAL);
	bad = make_udp(1, 65536);
	refuse(server, &bad, -EINVAL);
	bad = make_udp(1, 4028);
	bad.mtu = 1473;
	refuse(server, &bad, -EINVAL);
	/* A server knows where it is, a client where its server is. */
	bad.mtu = 1472;
	bad.local.s_addr = 0;
	refuse(server, &bad, -EINVAL);
	bad.peer_port = 0;
	refuse(client, &bad, -EINVAL);
	bad.peer_port = 4028;
	(void)add(client, &bad);
	/* no two with one name */
	bad = make_udp(2, 4029);
	(void)add(server, &bad);
	bad.id = 3;
	bad.peer_port = 4030;
	refuse(server, &bad, -EEXIST);
	table_free(server);
	table_free(client);
}

static void peers_change(void **state)
{
	struct table *table = table_new(true, 4, key);
	struct forward_session a_config = make_udp(1, 4028);
	struct forward_session b_config = make_udp(2, 4029);

	(void)state;
	assert_non_null(table);

	struct session *a = add(table, &a_config);
	struct session *b = add(table, &b_config);
	struct table_peer old = *session_peer(a);
	struct table_peer port = {FORWARD_UDP, a_config.peer, 4030};

	table_lower_pmtu(table, a, 1400, 0);
	assert_false(table_change_peer(table, a, &old, true));
	assert_int_equal(pmtu_get(session_pmtu(a), 0), 1400);
	assert_true(table_change_peer(table, a, &port, true));
	assert_int_equal(pmtu_get(session_pmtu(a), 0), PMTU_UNKNOWN);
	assert_null(table_by_peer(table, &old));
	assert_ptr_equal(table_by_peer(table, &port), a);
	assert_ptr_equal(table_by_peer(table, session_peer(b)), b);
	/* Two have one peer: the newest is who came last, or said so last. */
	assert_true(table_change_peer(table, b, &port, true));
	assert_ptr_equal(table_by_peer(table, &port), b);
	assert_false(table_change_peer(table, a, &port, true));
	assert_ptr_equal(table_by_peer(table, &port), a);
	table_remove(table, a);
	assert_ptr_equal(table_by_peer(table, &port), b);
	table_free(table);
}

/* How many sessions are there; seen[] tells which, by their ids. */
static size_t at_peer(const struct table *table, const struct table_peer *peer, bool seen[static 6])
{
	size_t n = 0;

	memset(seen, 0, 6 * sizeof(seen[0]));
	for (const struct session *i = table_at_peer(table, peer, NULL); i;
	     i = table_at_peer(table, peer, i)) {
		seen[session_config(i)->id] = true;
		n++;
	}
	return n;
}

static void udp_peers(void **state)
{
	struct table *table = table_new(true, 8, key);
	struct forward_session raw_config = make(0, NULL);
	struct forward_session configs[] = {make_udp(1, 4028), make_udp(2, 4029), make_udp(3, 0),
					    make_udp(4, 0), make_udp(5, 4028)};
	struct session *s[5];
	struct table_peer peer = {FORWARD_UDP, configs[0].peer, 4028};
	bool seen[6];

	(void)state;
	assert_non_null(table);
	/* Protocol 41, three with ports, two of them with the same one, and two without: one
	 * address. */
	raw_config.peer = configs[0].peer;

	struct session *raw = add(table, &raw_config);

	for (size_t i = 0; i < 5; i++)
		s[i] = add(table, &configs[i]);
	assert_ptr_equal(table_by_peer(table, session_peer(raw)), raw);
	assert_int_equal(at_peer(table, session_peer(raw), seen), 1);
	assert_ptr_equal(table_by_peer(table, &peer), s[4]);
	assert_int_equal(at_peer(table, &peer, seen), 2);
	assert_true(seen[1] && seen[5]);
	peer.port = 4029;
	assert_ptr_equal(table_by_peer(table, &peer), s[1]);
	for (size_t i = 0; i < 5; i++)
		assert_ptr_equal(table_by_name(table, configs[i].session), s[i]);
	assert_null(table_by_name(table, 1));

	/* Unlearned: nobody comes from port 0, and they are found by address only. */
	peer.port = 0;
	assert_null(table_by_peer(table, &peer));
	assert_int_equal(at_peer(table, &peer, seen), 2);
	assert_true(seen[3] && seen[4]);
	peer.address.s_addr = htonl(0xc6336403);
	assert_int_equal(at_peer(table, &peer, seen), 0);

	/* One is learned elsewhere, and comes back to nothing. */
	peer.port = 9;
	assert_true(table_change_peer(table, s[2], &peer, true));
	assert_ptr_equal(table_by_peer(table, &peer), s[2]);
	peer.port = 0;
	assert_true(table_change_peer(table, s[2], &peer, true));
	assert_int_equal(at_peer(table, &peer, seen), 1);
	assert_true(seen[3]);
	table_remove(table, s[2]);
	assert_int_equal(at_peer(table, &peer, seen), 0);
	assert_null(table_by_name(table, configs[2].session));
	table_free(table);
}

/* --- against a lookup that simply looks at everything --------------------------------------- */

enum { MANY = 4000, KNOWN = 3 * MANY };

static struct prefix6 random_prefix(void)
{
	static const uint8_t lengths[] = {32, 40, 48, 52, 56, 60, 64, 128};
	struct in6_addr address = packet_address("2001:db8::");

	/* Few values in each octet, so that prefixes nest. */
	address.s6_addr[4] = (uint8_t)(random() % 4);
	address.s6_addr[5] = (uint8_t)random();
	address.s6_addr[6] = (uint8_t)(random() % 8 << 4);
	address.s6_addr[7] = (uint8_t)(random() % 3);
	address.s6_addr[15] = (uint8_t)(random() % 2);

	uint8_t len = lengths[(size_t)random() % sizeof(lengths)];

	return (struct prefix6){.addr = prefix6_mask(&address, len), .len = len};
}

struct naive {
	struct prefix6 prefixes[KNOWN];
	struct session *sessions[KNOWN]; /* NULL: down */
	size_t n;
};

static void naive_set(struct naive *naive, const struct prefix6 *prefix, struct session *session)
{
	size_t i = 0;

	while (i < naive->n && (naive->prefixes[i].len != prefix->len ||
				!IN6_ARE_ADDR_EQUAL(&naive->prefixes[i].addr, &prefix->addr)))
		i++;
	if (i == naive->n)
		naive->n++;
	naive->prefixes[i] = *prefix;
	naive->sessions[i] = session;
}

static void naive_compare(const struct table *table, const struct naive *naive)
{
	for (int round = 0; round < 5000; round++) {
		struct in6_addr address = random_prefix().addr;
		size_t best = naive->n;

		for (size_t i = 0; i < naive->n; i++) {
			if (prefix6_has(&naive->prefixes[i], &address) &&
			    (best == naive->n ||
			     naive->prefixes[i].len > naive->prefixes[best].len))
				best = i;
		}

		enum table_match want = best == naive->n	? TABLE_UNKNOWN
					: naive->sessions[best] ? TABLE_UP
								: TABLE_DOWN;
		struct session *found = NULL;

		assert_int_equal(table_by_address(table, &address, &found), want);
		if (want == TABLE_UP)
			assert_ptr_equal(found, naive->sessions[best]);
	}
}

static void many_random_sessions(void **state)
{
	struct table *table = table_new(true, MANY, key);
	struct naive *naive = calloc(1, sizeof(*naive));
	struct session **sessions = calloc(MANY, sizeof(struct session *));

	(void)state;
	assert_non_null(table);
	assert_non_null(naive);
	assert_non_null(sessions);
	srandom(20200);
	for (uint32_t id = 0; id < MANY; id++) {
		struct forward_session config = make(id, NULL);

		config.peer.s_addr = htonl(0x0a000000 + id);
		config.n_prefixes = (uint32_t)random() % 3;
		for (uint32_t i = 0; i < config.n_prefixes; i++)
			config.prefixes[i] = random_prefix();
		sessions[id] = add(table, &config);
		for (uint32_t i = 0; i < config.n_prefixes; i++)
			naive_set(naive, &config.prefixes[i], sessions[id]);
	}
	naive_compare(table, naive);
	/* Every second one goes; what it had is that of the newest other one that has it. */
	for (size_t i = 0; i < naive->n; i++)
		naive->sessions[i] = NULL;
	for (uint32_t id = 0; id < MANY; id += 2)
		table_remove(table, sessions[id]);
	for (uint32_t id = 1; id < MANY; id += 2) {
		const struct forward_session *config = session_config(sessions[id]);

		for (uint32_t i = 0; i < config->n_prefixes; i++)
			naive_set(naive, &config->prefixes[i], sessions[id]);
	}
	naive_compare(table, naive);
	for (uint32_t id = 0; id < MANY; id++) {
		struct table_peer peer = {FORWARD_PROTO41, {htonl(0x0a000000 + id)}, 0};
		struct session *want = id % 2 ? sessions[id] : NULL;

		assert_ptr_equal(table_by_id(table, id), want);
		assert_ptr_equal(table_by_peer(table, &peer), want);
	}
	assert_null(table_by_id(table, MANY));
	free(sessions);
	free(naive);
	table_free(table);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nested_prefixes),
		cmocka_unit_test(assigned_but_down),
		cmocka_unit_test(routes_go_back),
		cmocka_unit_test(a_prefix_twice),
		cmocka_unit_test(link_local_is_forgotten),
		cmocka_unit_test(only_the_shared_device_has_routes),
		cmocka_unit_test(a_new_session_takes_the_prefix_over),
		cmocka_unit_test(bad_fields),
		cmocka_unit_test(udp_fields),
		cmocka_unit_test(peers_change),
		cmocka_unit_test(udp_peers),
		cmocka_unit_test(many_random_sessions),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
