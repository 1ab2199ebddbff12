/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A copy of the session table that is kept by what its observer hears, and nothing else. After each
 * of many random changes it gives the same answers as the table.
 */
#include "packets.h"

#include "forward/table.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { IDS = 12, ADDRESSES = 3, PORTS = 3, PREFIXES = 64, CHANGES = 20000 };

static const uint64_t key[2] = {7, 8};

struct facts {
	bool there;
	uint64_t serial; /* the session's number, which no other one has had */
	struct table_peer peer;
	struct pmtu pmtu;
	bool up, learned, proven;
};

struct copied_peer {
	uint32_t id;	/* IDS: nobody */
	unsigned int n; /* sessions that have it */
};

struct copied_prefix {
	struct prefix6 prefix;
	enum table_match match;
	uint32_t id;
};

struct copy {
	struct facts sessions[IDS];
	struct copied_peer peers[FORWARD_UDP + 1][ADDRESSES][PORTS]; /* port 0: none */
	struct copied_prefix prefixes[PREFIXES];
	size_t n_prefixes;
	unsigned int events; /* of one change */
};

static struct table_peer make_peer(enum forward_transport transport, uint32_t address,
				   uint32_t port)
{
	return (struct table_peer){transport, {htonl(0xc6336402 + address)}, (uint16_t)port};
}

static struct copied_peer *copied_peer(struct copy *copy, const struct table_peer *peer)
{
	uint32_t address = ntohl(peer->address.s_addr) - 0xc6336402;

	assert_in_range(address, 0, ADDRESSES - 1);
	assert_in_range(peer->port, 0, PORTS - 1);
	return &copy->peers[peer->transport][address][peer->port];
}

static void copy_begin(struct copy *copy)
{
	memset(copy, 0, sizeof(*copy));
	for (uint32_t address = 0; address < ADDRESSES; address++) {
		for (uint32_t port = 0; port < PORTS; port++) {
			copy->peers[FORWARD_PROTO41][address][port].id = IDS;
			copy->peers[FORWARD_UDP][address][port].id = IDS;
		}
	}
}

/* --- what is heard -------------------------------------------------------------------------- */

static void get_facts(const struct table *table, uint32_t id, struct facts *out)
{
	const struct session *session = table_by_id(table, id);

	memset(out, 0, sizeof(*out));
	if (!session)
		return;
	assert_int_equal(session_config(session)->id, id);
	out->there = true;
	out->serial = session_config(session)->session;
	out->peer = *session_peer(session);
	out->pmtu = *session_pmtu(session);
	out->up = session_is_up(session);
	out->learned = session_is_learned(session);
	out->proven = session_is_proven(session);
}

/* Member by member: what is between them is anything. */
static void compare_facts(const struct facts *copied, const struct facts *want)
{
	assert_int_equal(copied->there, want->there);
	assert_int_equal(copied->serial, want->serial);
	assert_int_equal(copied->peer.transport, want->peer.transport);
	assert_int_equal(copied->peer.address.s_addr, want->peer.address.s_addr);
	assert_int_equal(copied->peer.port, want->peer.port);
	assert_int_equal(copied->pmtu.mtu, want->pmtu.mtu);
	assert_int_equal(copied->pmtu.until, want->pmtu.until);
	assert_int_equal(copied->up, want->up);
	assert_int_equal(copied->learned, want->learned);
	assert_int_equal(copied->proven, want->proven);
}

static struct copied_peer get_peer(const struct table *table, const struct table_peer *peer)
{
	const struct session *newest = table_by_peer(table, peer);
	struct copied_peer out = {.id = newest ? session_config(newest)->id : IDS};

	/* Of an unlearned one nothing is told. */
	for (const struct session *i = newest ? table_at_peer(table, peer, NULL) : NULL; i;
	     i = table_at_peer(table, peer, i))
		out.n++;
	return out;
}

static void on_session(const struct table *table, uint32_t id, void *arg)
{
	struct copy *copy = arg;

	assert_in_range(id, 0, IDS - 1);
	copy->events++;
	get_facts(table, id, &copy->sessions[id]);
}

static void on_peer(const struct table *table, const struct table_peer *peer, void *arg)
{
	struct copy *copy = arg;

	/* A datagram with this source would be nobody's. */
	assert_true(peer->transport == FORWARD_PROTO41 || peer->port != 0);
	copy->events++;
	*copied_peer(copy, peer) = get_peer(table, peer);
}

static bool prefix_equal(const struct prefix6 *a, const struct prefix6 *b)
{
	return a->len == b->len && IN6_ARE_ADDR_EQUAL(&a->addr, &b->addr);
}

static void on_prefix(const struct table *table, const struct prefix6 *prefix, void *arg)
{
	struct session *session = NULL;
	struct copy *copy = arg;
	enum table_match match = table_by_prefix(table, prefix, &session);
	size_t i = 0;

	copy->events++;
	while (i < copy->n_prefixes && !prefix_equal(&copy->prefixes[i].prefix, prefix))
		i++;
	if (match == TABLE_UNKNOWN) {
		if (i < copy->n_prefixes)
			copy->prefixes[i] = copy->prefixes[--copy->n_prefixes];
		return;
	}
	if (i == copy->n_prefixes)
		copy->n_prefixes++;
	assert_in_range(copy->n_prefixes, 1, PREFIXES);
	copy->prefixes[i] = (struct copied_prefix){
		*prefix, match, match == TABLE_UP ? session_config(session)->id : IDS};
}

static const struct table_observer observer = {on_session, on_peer, on_prefix};

/* --- the same answers ----------------------------------------------------------------------- */

static void compare_address(const struct table *table, const struct copy *copy,
			    const struct in6_addr *address)
{
	const struct copied_prefix *longest = NULL;
	struct session *session = NULL;
	enum table_match match = table_by_address(table, address, &session);

	for (size_t i = 0; i < copy->n_prefixes; i++) {
		if (prefix6_has(&copy->prefixes[i].prefix, address) &&
		    (!longest || copy->prefixes[i].prefix.len > longest->prefix.len))
			longest = &copy->prefixes[i];
	}
	assert_int_equal(longest ? longest->match : TABLE_UNKNOWN, match);
	if (match == TABLE_UP)
		assert_int_equal(longest->id, session_config(session)->id);
}

/* Few, so that sessions share and nest them: two /48, two /64 in each, link-local addresses. */
static struct prefix6 some_prefix(uint32_t which)
{
	static const char *const texts[] = {
		"2001:db8:1::/48",   "2001:db8:1:1::/64", "2001:db8:1:2::/64", "2001:db8:2::/48",
		"2001:db8:2:1::/64", "2001:db8:2:2::/64", "fe80::1/128",       "fe80::2/128",
	};

	return packet_prefix(texts[which % 8]);
}

static void compare(const struct table *table, struct copy *copy)
{
	for (uint32_t id = 0; id < IDS; id++) {
		struct facts want;

		get_facts(table, id, &want);
		compare_facts(&copy->sessions[id], &want);
	}
	for (enum forward_transport t = FORWARD_PROTO41; t <= FORWARD_UDP; t++) {
		for (uint32_t i = 0; i < ADDRESSES * PORTS; i++) {
			struct table_peer peer = make_peer(t, i / PORTS, i % PORTS);
			const struct copied_peer *copied = copied_peer(copy, &peer);
			struct copied_peer want = get_peer(table, &peer);

			assert_int_equal(copied->id, want.id);
			assert_int_equal(copied->n, want.n);
		}
	}
	for (uint32_t which = 0; which < 8; which++) {
		struct in6_addr address = some_prefix(which).addr;

		compare_address(table, copy, &address);
		/* One that the longest ones do not have. */
		address.s6_addr[7] ^= 0x80;
		compare_address(table, copy, &address);
	}
}

/* --- changes -------------------------------------------------------------------------------- */

struct world {
	struct table *table;
	struct copy copy;
	uint64_t serial;
	uint64_t now;
	unsigned int done[6]; /* of each kind of change, those that were possible */
};

static uint32_t below(uint32_t n)
{
	return (uint32_t)random() % n;
}

static struct session *some_session(const struct world *world, bool udp)
{
	struct session *session = table_by_id(world->table, below(IDS));

	return session && (!udp || session_peer(session)->transport == FORWARD_UDP) ? session
										    : NULL;
}

static bool add(struct world *world)
{
	bool udp = below(3) > 0;
	struct forward_session config = {
		.id = below(IDS),
		.device = below(4) == 0,
		.transport = udp ? FORWARD_UDP : FORWARD_PROTO41,
		.mtu = 1280,
		.local.s_addr = htonl(0xc0000201),
		.peer = make_peer(FORWARD_UDP, below(ADDRESSES), 0).address,
		.peer_port = udp ? below(PORTS) : 0,
		.session = ++world->serial,
		.n_prefixes = below(4),
	};
	struct session *session;
	int error;

	for (uint32_t i = 0; i < config.n_prefixes; i++)
		config.prefixes[i] = some_prefix(below(8));
	error = table_add(world->table, &config, &session);
	if (error) {
		assert_true(error == -EEXIST || error == -EADDRINUSE);
		assert_int_equal(world->copy.events, 0);
		return false;
	}
	assert_in_range(world->copy.events, 0, 2 + config.n_prefixes);
	return true;
}

static bool take_away(struct world *world)
{
	struct session *session = some_session(world, false);
	uint32_t n_prefixes;

	if (!session)
		return false;
	n_prefixes = session_config(session)->n_prefixes;
	table_remove(world->table, session);
	assert_in_range(world->copy.events, 1, 2 + n_prefixes);
	return true;
}

static bool move(struct world *world)
{
	struct session *session = some_session(world, true);
	struct table_peer peer = make_peer(FORWARD_UDP, below(ADDRESSES), below(PORTS));
	bool proven = below(2);

	if (!session)
		return false;
	/* Often it only says that it is there, or has proven it. */
	if (below(2))
		peer = *session_peer(session);
	if (table_change_peer(world->table, session, &peer, proven))
		assert_int_equal(pmtu_get(session_pmtu(session), world->now), PMTU_UNKNOWN);
	assert_int_equal(session_is_proven(session), proven);
	assert_in_range(world->copy.events, 0, 3);
	return true;
}

static bool lower(struct world *world)
{
	struct session *session = some_session(world, false);

	if (!session)
		return false;
	world->now += below(PMTU_AGE / 4);
	table_lower_pmtu(world->table, session, 1300 + below(200), world->now);
	assert_in_range(world->copy.events, 0, 1);
	return true;
}

static bool assign(struct world *world)
{
	const struct prefix6 prefix = some_prefix(below(6));

	assert_int_equal(table_assign(world->table, &prefix), 0);
	assert_in_range(world->copy.events, 0, 1);
	return true;
}

static bool set_up(struct world *world)
{
	struct session *session = some_session(world, false);

	if (!session || session_is_up(session))
		return false;
	table_set_up(world->table, session);
	assert_int_equal(world->copy.events, 1);
	return true;
}

static struct copy late;

static void a_copy_follows(void **state)
{
	static bool (*const changes[])(struct world *) = {add,	 take_away, move,
							  lower, assign,    set_up};
	static struct world world;

	(void)state;
	srandom(4028);
	/* Again and again from the beginning, as prefixes that were seen once stay known. */
	for (int round = 0; round < 20; round++) {
		world.table = table_new(true, IDS, key);
		assert_non_null(world.table);
		copy_begin(&world.copy);
		table_observe(world.table, &observer, &world.copy);
		for (int i = 0; i < CHANGES / 20; i++) {
			uint32_t kind = below(6);

			world.copy.events = 0;
			world.done[kind] += changes[kind](&world);
			compare(world.table, &world.copy);
		}
		/* One that comes late is told of all that is there; the other hears no more. */
		copy_begin(&late);
		world.copy.events = 0;
		table_observe(world.table, &observer, &late);
		compare(world.table, &late);
		assert_int_equal(world.copy.events, 0);
		table_observe(world.table, NULL, NULL);
		(void)add(&world);
		assert_int_equal(world.copy.events, 0);
		table_free(world.table);
	}
	for (size_t i = 0; i < 6; i++)
		assert_true(world.done[i] > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_copy_follows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
