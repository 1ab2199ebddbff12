/* SPDX-License-Identifier: BSD-2-Clause */
#include "packets.h"

#include "forward/learn.h"
#include "forward/plane_session.h"

#include <arpa/inet.h>
#include <string.h>

#define SESSION UINT64_C(0x0123456789abcdef)
#define ADDED	1000
#define WAITING (ADDED + 5000)
#define NOW	50000

static const uint64_t table_key[2] = {5, 6};

/* Session id of the address 198.51.100.2, its port to be learned; its key is its number. */
static struct session *make_down(struct table *table, uint32_t id, uint32_t port)
{
	struct forward_session config = packet_session();
	struct session *session;

	config.id = id;
	config.transport = FORWARD_UDP;
	config.peer_port = port;
	config.session = SESSION + id;
	memset(config.key, (int)id + 1, sizeof(config.key));
	/* 2001:db8:100:100::/56 for session 1, 200 for session 2 */
	config.prefixes[0].addr.s6_addr[6] = (uint8_t)id;
	assert_int_equal(table_add(table, &config, &session), 0);
	session_plane(session)->added = ADDED;
	return session;
}

/* One that is up. */
static struct session *make(struct table *table, uint32_t id, uint32_t port)
{
	struct session *session = make_down(table, id, port);

	table_set_up(table, session);
	return session;
}

static struct table_peer peer(const char *address, uint16_t port)
{
	struct table_peer out = {.transport = FORWARD_UDP, .port = port};

	assert_int_equal(inet_pton(AF_INET, address, &out.address), 1);
	return out;
}

static void expect_peer(const struct table *table, const struct session *session,
			const char *address, uint16_t port)
{
	struct table_peer want = peer(address, port);

	assert_int_equal(session_peer(session)->address.s_addr, want.address.s_addr);
	assert_int_equal(session_peer(session)->port, port);
	assert_ptr_equal(table_by_peer(table, &want), port ? session : NULL);
}

static enum drop_reason hear_octets(struct table *table, uint8_t *octets, const char *address,
				    uint16_t port, struct learn *learn)
{
	struct arrival arrival = {
		.peer = peer(address, port), .payload = octets, .len = PROBE_SIZE};
	struct probe probe;

	assert_true(probe_read(octets, PROBE_SIZE, &probe));
	learn_from_probe(table, &arrival, &probe, NOW, learn);
	return learn->drop;
}

static enum drop_reason hear_proof(struct table *table, const struct session *session,
				   uint64_t counter, uint32_t proof, const char *address,
				   uint16_t port, struct learn *learn)
{
	const struct probe hello = {
		.type = PROBE_HELLO,
		.clock = 77,
		.session = session_config(session)->session,
		.counter = counter,
		.proof = proof,
	};
	uint8_t octets[PROBE_SIZE];

	assert_true(probe_write(&hello, session_config(session)->key, octets));
	return hear_octets(table, octets, address, port, learn);
}

static enum drop_reason hear(struct table *table, const struct session *session, uint64_t counter,
			     const char *address, uint16_t port, struct learn *learn)
{
	return hear_proof(table, session, counter, 0, address, port, learn);
}

/* A good hello; returns the number in its answer. */
static uint32_t asked(struct table *table, struct session *session, uint64_t counter,
		      uint32_t proof, const char *address, uint16_t port)
{
	struct learn learn;
	struct probe answer;

	assert_int_equal(hear_proof(table, session, counter, proof, address, port, &learn),
			 DROP_NONE);
	assert_true(probe_read(learn.answer, sizeof(learn.answer), &answer));
	assert_int_equal(answer.proof, session_plane(session)->proof.number);
	assert_int_equal(session_is_proven(session), answer.proof == 0);
	return answer.proof;
}

static void learns_and_answers(void **state)
{
	struct table *table = table_new(true, 4, table_key);
	struct learn learn;
	struct probe answer;

	(void)state;
	assert_non_null(table);

	struct session *session = make(table, 1, 0);

	expect_peer(table, session, "198.51.100.2", 0);
	/* From wherever: the login's address is not asked for. */
	assert_int_equal(hear(table, session, 1, "203.0.113.9", 40000, &learn), DROP_NONE);
	assert_true(learn.moved);
	assert_ptr_equal(learn.session, session);
	expect_peer(table, session, "203.0.113.9", 40000);
	assert_true(probe_read(learn.answer, sizeof(learn.answer), &answer));
	assert_true(probe_verify(learn.answer, session_config(session)->key));
	assert_int_equal(answer.type, PROBE_ANSWER);
	assert_int_equal(answer.clock, 77);
	assert_int_equal(answer.session, session_config(session)->session);
	assert_int_equal(answer.counter, 1);

	/* Nothing new, but an answer with a counter of its own. */
	assert_int_equal(hear(table, session, 100, "203.0.113.9", 40000, &learn), DROP_NONE);
	assert_false(learn.moved);
	assert_true(probe_read(learn.answer, sizeof(learn.answer), &answer));
	assert_int_equal(answer.counter, 2);

	/* Another port, another address. */
	assert_int_equal(hear(table, session, 101, "203.0.113.9", 40001, &learn), DROP_NONE);
	assert_true(learn.moved);
	expect_peer(table, session, "203.0.113.9", 40001);
	assert_int_equal(hear(table, session, UINT64_MAX, "192.0.2.77", 9, &learn), DROP_NONE);
	assert_true(learn.moved);
	expect_peer(table, session, "192.0.2.77", 9);
	table_free(table);
}

static void forged(void **state)
{
	struct table *table = table_new(true, 4, table_key);
	struct learn learn;
	uint8_t octets[PROBE_SIZE];

	(void)state;
	assert_non_null(table);

	struct session *session = make(table, 1, 0);
	struct probe hello = {
		.type = PROBE_HELLO, .session = session_config(session)->session, .counter = 10};

	assert_int_equal(hear(table, session, 0, "203.0.113.9", 40000, &learn), DROP_PROBE_OLD);
	assert_true(probe_write(&hello, session_config(session)->key, octets));
	assert_int_equal(hear_octets(table, octets, "203.0.113.9", 40000, &learn), DROP_NONE);
	/* the same again, from elsewhere and from the same place; an older one */
	assert_int_equal(hear_octets(table, octets, "203.0.113.66", 40000, &learn), DROP_PROBE_OLD);
	assert_int_equal(hear_octets(table, octets, "203.0.113.9", 40000, &learn), DROP_PROBE_OLD);
	assert_int_equal(hear(table, session, 9, "203.0.113.66", 40000, &learn), DROP_PROBE_OLD);
	/* another counter under the old code; one wrong bit in each octet of the code */
	octets[23]++;
	assert_int_equal(hear_octets(table, octets, "203.0.113.66", 40000, &learn),
			 DROP_PROBE_CODE);
	hello.counter = 20;
	for (size_t i = 24; i < PROBE_SIZE; i++) {
		assert_true(probe_write(&hello, session_config(session)->key, octets));
		octets[i] ^= 1;
		assert_int_equal(hear_octets(table, octets, "203.0.113.66", 40000, &learn),
				 DROP_PROBE_CODE);
	}
	/* an answer with a right code: one of ours, sent back */
	hello.type = PROBE_ANSWER;
	assert_true(probe_write(&hello, session_config(session)->key, octets));
	assert_int_equal(hear_octets(table, octets, "203.0.113.66", 40000, &learn),
			 DROP_PROBE_CODE);
	/* a session that is not there, and one that is not up */
	hello.type = PROBE_HELLO;
	hello.session++;
	assert_true(probe_write(&hello, session_config(session)->key, octets));
	assert_int_equal(hear_octets(table, octets, "203.0.113.66", 40000, &learn),
			 DROP_PROBE_SESSION);

	struct session *not_up = make_down(table, 2, 0);

	assert_int_equal(hear(table, not_up, 1, "203.0.113.66", 40000, &learn), DROP_PROBE_SESSION);
	/* the key of one session with the number of another */
	hello.session = session_config(not_up)->session;
	table_set_up(table, not_up);
	assert_true(probe_write(&hello, session_config(session)->key, octets));
	assert_int_equal(hear_octets(table, octets, "203.0.113.66", 40000, &learn),
			 DROP_PROBE_CODE);

	/* None of it has moved anything or raised a counter. */
	expect_peer(table, session, "203.0.113.9", 40000);
	expect_peer(table, not_up, "198.51.100.2", 0);
	assert_int_equal(hear(table, session, 11, "203.0.113.9", 40000, &learn), DROP_NONE);
	assert_int_equal(session_plane(session)->answer_counter, 2);
	table_free(table);
}

/* A hello takes a place away from those only who have not said one for 30 s. */
static void several_in_one_place(void **state)
{
	struct table *table = table_new(true, 4, table_key);
	struct learn learn;

	(void)state;
	assert_non_null(table);

	struct session *first = make(table, 1, 0);
	struct session *second = make(table, 2, 4028);
	struct session *third = make(table, 3, 4028);

	expect_peer(table, third, "198.51.100.2", 4028);
	assert_int_equal(session_peer(second)->port, 4028);
	assert_int_equal(hear(table, second, 1, "198.51.100.2", 4028, &learn), DROP_NONE);
	assert_false(learn.moved);
	/* The newest is who said hello last. */
	expect_peer(table, second, "198.51.100.2", 4028);
	assert_int_equal(hear(table, first, 1, "198.51.100.2", 4028, &learn), DROP_NONE);
	assert_true(learn.moved);
	expect_peer(table, first, "198.51.100.2", 4028);
	/* The third has never said one. */
	assert_ptr_equal(learn_evict(table, first, NOW + 29999), third);
	assert_null(learn_evict(table, first, NOW + 29999));
	assert_int_equal(session_peer(third)->port, 0);
	assert_int_equal(session_peer(second)->port, 4028);
	assert_ptr_equal(learn_evict(table, first, NOW + 30000), second);
	assert_null(learn_evict(table, first, NOW + 30000));
	assert_int_equal(session_peer(second)->port, 0);
	expect_peer(table, first, "198.51.100.2", 4028);
	/* It comes back from the port that the NAT box gives it now. */
	assert_int_equal(hear(table, second, 2, "198.51.100.2", 5000, &learn), DROP_NONE);
	assert_null(learn_evict(table, second, NOW));
	expect_peer(table, second, "198.51.100.2", 5000);
	expect_peer(table, first, "198.51.100.2", 4028);
	table_free(table);
}

/* The address of the login is proven, whatever the port; any other is when it repeats the number.
 */
static void proof_of_address(void **state)
{
	struct table *table = table_new(true, 4, table_key);
	uint32_t there, elsewhere;

	(void)state;
	assert_non_null(table);

	struct session *session = make(table, 1, 0);

	assert_int_equal(asked(table, session, 1, 0, "198.51.100.2", 4028), 0);
	assert_int_equal(asked(table, session, 2, 0, "198.51.100.2", 5000), 0);
	/* A number that nobody has given means nothing there. */
	assert_int_equal(asked(table, session, 3, 0x123456, "198.51.100.2", 5000), 0);
	there = asked(table, session, 4, 0, "203.0.113.9", 40000);
	assert_int_not_equal(there, 0);
	assert_int_equal(asked(table, session, 5, 0, "203.0.113.9", 40000), there);
	assert_int_equal(asked(table, session, 6, there, "203.0.113.9", 40000), 0);
	/* From now on like that of the login, until it is somewhere else. */
	assert_int_equal(asked(table, session, 7, 0, "203.0.113.9", 40001), 0);
	/* One address's number is nothing to another, and for that no wrong one either. */
	elsewhere = asked(table, session, 8, there, "203.0.113.66", 40000);
	assert_int_not_equal(elsewhere, 0);
	assert_int_equal(asked(table, session, 9, elsewhere, "203.0.113.66", 40000), 0);
	there = asked(table, session, 10, elsewhere, "203.0.113.9", 40000);
	assert_int_not_equal(there, 0);
	/* Home again, and back: the number from before the way home is void. */
	assert_int_equal(asked(table, session, 11, there, "198.51.100.2", 5000), 0);
	elsewhere = asked(table, session, 12, 0, "203.0.113.9", 40000);
	if (elsewhere != there)
		assert_int_equal(asked(table, session, 13, there, "203.0.113.9", 40000), elsewhere);
	table_free(table);
}

/* What a forged hello must not do: make another one unlearned. */
static void only_the_proven_evict(void **state)
{
	struct table *table = table_new(true, 4, table_key);
	uint32_t number;

	(void)state;
	assert_non_null(table);

	struct session *mover = make(table, 1, 0);
	struct session *quiet = make(table, 2, 0);
	struct table_peer there = peer("203.0.113.9", 40000);

	(void)table_change_peer(table, quiet, &there, true);
	number = asked(table, mover, 1, 0, "203.0.113.9", 40000);
	assert_null(learn_evict(table, mover, NOW));
	assert_int_equal(session_peer(quiet)->port, 40000);
	assert_int_equal(asked(table, mover, 2, number, "203.0.113.9", 40000), 0);
	assert_ptr_equal(learn_evict(table, mover, NOW), quiet);
	table_free(table);
}

static struct session *waiting(const struct table *table, const char *address, uint16_t port,
			       const char *source, uint64_t now)
{
	const struct table_peer from = peer(address, port);
	const struct in6_addr in6 = packet_address(source);

	return learn_waiting(table, &from, &in6, now);
}

static void without_probes(void **state)
{
	struct table *table = table_new(true, 4, table_key);
	struct learn learn;

	(void)state;
	assert_non_null(table);

	struct session *one = make(table, 1, 0);

	/* not before 5 s; then whatever is inside, but from no other address */
	assert_null(waiting(table, "198.51.100.2", 7, "2001:db8:100:100::1", WAITING - 1));
	assert_ptr_equal(waiting(table, "198.51.100.2", 7, "2001:db8:100:100::1", WAITING), one);
	assert_ptr_equal(waiting(table, "198.51.100.2", 7, "fe80::1", WAITING), one);
	assert_null(waiting(table, "198.51.100.3", 7, "2001:db8:100:100::1", WAITING));
	assert_null(waiting(table, "198.51.100.2", 0, "2001:db8:100:100::1", WAITING));

	/* one that is not up yet does not count */
	struct session *two = make_down(table, 2, 0);

	assert_ptr_equal(waiting(table, "198.51.100.2", 7, "fe80::1", WAITING), one);
	table_set_up(table, two);

	/* with two only what is inside tells, and link-local they are the same */
	assert_ptr_equal(waiting(table, "198.51.100.2", 7, "2001:db8:100:1ff::1", WAITING), one);
	assert_ptr_equal(waiting(table, "198.51.100.2", 7, "2001:db8:100:200::1", WAITING), two);
	assert_null(waiting(table, "198.51.100.2", 7, "2001:db8:100:300::1", WAITING));
	assert_null(waiting(table, "198.51.100.2", 7, "fe80::c633:6402", WAITING));

	/* one of them has just been added, or has said hello: the other is it */
	session_plane(two)->added = ADDED + 1;
	assert_ptr_equal(waiting(table, "198.51.100.2", 7, "fe80::1", WAITING), one);
	session_plane(two)->added = ADDED;
	assert_int_equal(hear(table, two, 1, "198.51.100.2", 4028, &learn), DROP_NONE);
	assert_ptr_equal(waiting(table, "198.51.100.2", 7, "2001:db8:100:200::1", WAITING), one);

	/* With probes once, with probes for good: also when somebody else has taken its place. */
	assert_int_equal(hear(table, one, 1, "198.51.100.2", 4028, &learn), DROP_NONE);
	assert_ptr_equal(learn_evict(table, one, NOW + 30000), two);
	assert_null(waiting(table, "198.51.100.2", 7, "2001:db8:100:200::1", WAITING));

	/* One that has named its port waits for that one, if it has lost its place at all. */
	struct session *named = make(table, 3, 6000);

	assert_null(waiting(table, "198.51.100.2", 6000, "2001:db8:100:300::1", WAITING));
	assert_int_equal(hear(table, one, 2, "198.51.100.2", 6000, &learn), DROP_NONE);
	assert_ptr_equal(learn_evict(table, one, NOW), named);
	assert_null(waiting(table, "198.51.100.2", 7, "2001:db8:100:300::1", WAITING));
	assert_ptr_equal(waiting(table, "198.51.100.2", 6000, "2001:db8:100:300::1", WAITING),
			 named);
	table_free(table);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(learns_and_answers),	 cmocka_unit_test(forged),
		cmocka_unit_test(several_in_one_place),	 cmocka_unit_test(proof_of_address),
		cmocka_unit_test(only_the_proven_evict), cmocka_unit_test(without_probes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
