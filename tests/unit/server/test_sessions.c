/* SPDX-License-Identifier: BSD-2-Clause */
/* Control's table of sessions. */
#include "server/control/sessions.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define MAX 1000

static const uint64_t key[2] = {1, 2};

static struct in_addr peer(uint32_t number)
{
	return (struct in_addr){.s_addr = htonl(0x0a000000 + number)};
}

static void test_every_id_once(void **state)
{
	struct sessions *sessions = sessions_new(MAX, key);
	bool seen[MAX] = {false};

	(void)state;
	assert_non_null(sessions);
	for (uint32_t i = 0; i < MAX; i++) {
		const struct server_session *session = sessions_take(sessions);

		assert_non_null(session);
		assert_true(session->id < MAX);
		assert_false(seen[session->id]);
		seen[session->id] = true;
		assert_ptr_equal(sessions_get(sessions, session->id), session);
	}
	assert_null(sessions_take(sessions));
	assert_null(sessions_take(sessions));
	sessions_free(sessions);
}

static void test_released_ids_come_again(void **state)
{
	struct sessions *sessions = sessions_new(3, key);
	struct server_session *taken[3];

	(void)state;
	for (size_t i = 0; i < 3; i++)
		taken[i] = sessions_take(sessions);
	for (size_t i = 0; i < 3; i++) {
		uint32_t id = taken[i]->id;

		sessions_release(sessions, taken[i]);
		assert_null(sessions_get(sessions, id));
		/* The only one that is free. */
		taken[i] = sessions_take(sessions);
		assert_non_null(taken[i]);
		assert_int_equal(taken[i]->id, id);
		assert_null(sessions_take(sessions));
	}
	/* All back, in another order, and all out again. */
	sessions_release(sessions, taken[1]);
	sessions_release(sessions, taken[2]);
	sessions_release(sessions, taken[0]);
	for (size_t i = 0; i < 3; i++)
		taken[i] = sessions_take(sessions);
	assert_true(taken[0] != taken[1] && taken[1] != taken[2] && taken[0] != taken[2]);
	assert_null(sessions_take(sessions));
	sessions_free(sessions);
}

/* What was free for longest comes first: late messages about its last owner are over. */
static void test_oldest_id_first(void **state)
{
	struct sessions *sessions = sessions_new(3, key);
	struct server_session *taken[3];

	(void)state;
	for (size_t i = 0; i < 3; i++)
		taken[i] = sessions_take(sessions);
	for (int round = 0; round < 5; round++) {
		struct server_session *first = taken[1];

		sessions_release(sessions, taken[1]);
		sessions_release(sessions, taken[0]);
		taken[1] = sessions_take(sessions);
		assert_ptr_equal(taken[1], first);
		sessions_release(sessions, taken[2]);
		first = taken[0];
		taken[0] = sessions_take(sessions);
		assert_ptr_equal(taken[0], first);
		taken[2] = sessions_take(sessions);
		assert_null(sessions_take(sessions));
	}
	sessions_free(sessions);
	/* While there are ids that nobody has had, they go before. */
	sessions = sessions_new(2, key);
	taken[0] = sessions_take(sessions);
	sessions_release(sessions, taken[0]);
	taken[1] = sessions_take(sessions);
	assert_ptr_not_equal(taken[0], taken[1]);
	assert_ptr_equal(sessions_take(sessions), taken[0]);
	sessions_free(sessions);
}

/* Nothing of its last user is left in a slot. */
static void test_slots_are_clean(void **state)
{
	struct sessions *sessions = sessions_new(1, key);
	struct server_session *session = sessions_take(sessions);
	struct server_session clean;

	(void)state;
	memset(&clean, 0, sizeof(clean));
	assert_int_equal(session->id, 0);
	session->peer = peer(1);
	sessions_grant(sessions, session, 42);
	session->state = SLOT_UP;
	session->since = 77;
	sessions_release(sessions, session);
	session = sessions_take(sessions);
	assert_int_equal(session->id, clean.id);
	assert_int_equal(session->state, SLOT_CHECK);
	assert_null(session->client);
	assert_int_equal(session->user, 0);
	assert_int_equal(session->since, 0);
	assert_int_equal(session->peer.s_addr, 0);
	sessions_free(sessions);
}

/* Ids come from another process: any number may be asked for. */
static void test_get(void **state)
{
	struct sessions *sessions = sessions_new(4, key);
	struct server_session *session;

	(void)state;
	assert_null(sessions_get(sessions, 0));
	session = sessions_take(sessions);
	assert_ptr_equal(sessions_get(sessions, session->id), session);
	for (uint32_t id = 0; id < 10; id++)
		assert_true((sessions_get(sessions, id) != NULL) == (id == session->id));
	assert_null(sessions_get(sessions, UINT32_MAX));
	sessions_free(sessions);
}

static struct server_session *grant_over(struct sessions *sessions, int64_t user, uint32_t number,
					 bool udp)
{
	struct server_session *session = sessions_take(sessions);

	assert_non_null(session);
	session->peer = peer(number);
	session->udp = udp;
	sessions_grant(sessions, session, user);
	assert_int_equal(session->state, SLOT_ADD);
	assert_int_equal(session->user, user);
	return session;
}

static struct server_session *grant(struct sessions *sessions, int64_t user, uint32_t number)
{
	return grant_over(sessions, user, number, false);
}

static void test_older(void **state)
{
	struct sessions *sessions = sessions_new(8, key);
	struct server_session *one, *two, *again, *pending;

	(void)state;
	one = grant(sessions, 1, 1);
	two = grant(sessions, 2, 2);
	assert_null(sessions_older(sessions, one));
	assert_null(sessions_older(sessions, two));

	/* A newer session of the same user finds the older one; the older one finds none. */
	again = grant(sessions, 1, 3);
	assert_ptr_equal(sessions_older(sessions, again), one);
	assert_null(sessions_older(sessions, one));

	/* What monitor has not granted yet belongs to nobody. */
	pending = sessions_take(sessions);
	pending->user = 2;
	assert_ptr_equal(sessions_older(sessions, pending), two);
	sessions_release(sessions, two);
	two = grant(sessions, 2, 2);
	assert_null(sessions_older(sessions, two));
	sessions_grant(sessions, pending, 2);
	pending->state = SLOT_UP;
	assert_ptr_equal(sessions_older(sessions, two), pending);
	sessions_release(sessions, one);
	assert_null(sessions_older(sessions, again));
	sessions_free(sessions);
}

/* An id that was used before, as all here were, makes a session no older. */
static void test_older_is_by_login(void **state)
{
	struct sessions *sessions = sessions_new(2, key);
	struct server_session *first = grant(sessions, 1, 1);
	struct server_session *second = grant(sessions, 1, 2);

	(void)state;
	for (int round = 0; round < 5; round++) {
		assert_ptr_equal(sessions_older(sessions, second), first);
		assert_null(sessions_older(sessions, first));
		sessions_release(sessions, first);
		first = second;
		second = grant(sessions, 1, 3);
	}
	sessions_free(sessions);
}

/* It belongs to the id, not to who has it. */
static void test_dialog_outlives_sessions(void **state)
{
	struct sessions *sessions = sessions_new(1, key);
	struct dialog *dialog = sessions_dialog(sessions, 0);

	(void)state;
	assert_non_null(dialog);
	assert_null(sessions_dialog(sessions, 1));
	assert_null(sessions_dialog(sessions, UINT32_MAX));
	dialog->removing = 1;
	sessions_release(sessions, sessions_take(sessions));
	assert_int_equal(sessions_take(sessions)->id, 0);
	assert_ptr_equal(sessions_dialog(sessions, 0), dialog);
	assert_int_equal(dialog->removing, 1);
	sessions_free(sessions);
}

static void test_by_peer(void **state)
{
	struct sessions *sessions = sessions_new(8, key);
	struct server_session *one, *two, *pending;

	(void)state;
	assert_null(sessions_by_peer(sessions, peer(1), NULL));
	one = grant(sessions, 1, 1);
	two = grant(sessions, 2, 2);
	assert_ptr_equal(sessions_by_peer(sessions, peer(1), NULL), one);
	assert_ptr_equal(sessions_by_peer(sessions, peer(2), one), two);
	assert_null(sessions_by_peer(sessions, peer(1), one));
	assert_null(sessions_by_peer(sessions, peer(3), NULL));
	pending = sessions_take(sessions);
	pending->peer = peer(3);
	assert_null(sessions_by_peer(sessions, peer(3), NULL));
	sessions_release(sessions, two);
	assert_null(sessions_by_peer(sessions, peer(2), NULL));
	sessions_free(sessions);
}

/* Over UDP many can share an address: neither do they block it, nor are they blocked. */
static void test_by_peer_with_udp(void **state)
{
	struct sessions *sessions = sessions_new(8, key);
	struct server_session *udp, *other, *plain;

	(void)state;
	udp = grant_over(sessions, 1, 1, true);
	assert_null(sessions_by_peer(sessions, peer(1), NULL));
	other = grant_over(sessions, 2, 1, true);
	assert_null(sessions_by_peer(sessions, peer(1), other));
	/* Whoever looks with UDP has to know that itself. */
	plain = grant(sessions, 3, 1);
	assert_ptr_equal(sessions_by_peer(sessions, peer(1), NULL), plain);
	assert_ptr_equal(sessions_by_peer(sessions, peer(1), udp), plain);
	assert_null(sessions_by_peer(sessions, peer(1), plain));
	/* The user's older session is found whatever carries it. */
	assert_ptr_equal(sessions_older(sessions, grant(sessions, 1, 1)), udp);
	assert_ptr_equal(sessions_older(sessions, grant(sessions, 2, 1)), other);
	assert_int_equal(sessions_count(sessions), 5);
	/* Nothing of its last user is left in a slot. */
	sessions_release(sessions, udp);
	assert_false(sessions_take(sessions)->udp);
	sessions_free(sessions);
}

static void test_count(void **state)
{
	struct sessions *sessions = sessions_new(8, key);
	struct server_session *one, *two;

	(void)state;
	assert_int_equal(sessions_count(sessions), 0);
	one = grant(sessions, 1, 1);
	two = sessions_take(sessions);
	assert_int_equal(sessions_count(sessions), 1);
	sessions_grant(sessions, two, 2);
	assert_int_equal(sessions_count(sessions), 2);
	sessions_release(sessions, one);
	assert_int_equal(sessions_count(sessions), 1);
	sessions_release(sessions, two);
	assert_int_equal(sessions_count(sessions), 0);
	sessions_free(sessions);
}

/* Each is found among many, and no other one, whoever has come and gone. */
static void test_many(void **state)
{
	struct sessions *sessions = sessions_new(MAX, key);
	struct server_session *list[MAX];

	(void)state;
	for (uint32_t i = 0; i < MAX; i++)
		list[i] = grant(sessions, i, i);
	for (uint32_t i = 0; i < MAX; i += 2)
		sessions_release(sessions, list[i]);
	for (uint32_t i = 0; i < MAX; i += 4)
		list[i] = grant(sessions, i + MAX, i + MAX);
	assert_int_equal(sessions_count(sessions), MAX / 2 + MAX / 4);
	for (uint32_t i = 0; i < MAX; i++) {
		struct server_session *old = i % 2 != 0 ? list[i] : NULL;
		struct server_session *new = i % 4 == 0 ? list[i] : NULL;
		const struct server_session later = {.user = i, .number = UINT64_MAX};

		assert_ptr_equal(sessions_by_peer(sessions, peer(i), NULL), old);
		assert_ptr_equal(sessions_by_peer(sessions, peer(i + MAX), NULL), new);
		assert_ptr_equal(sessions_older(sessions, &later), old);
	}
	sessions_free(sessions);
}

static void test_free_nothing(void **state)
{
	(void)state;
	sessions_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_id_once),
		cmocka_unit_test(test_released_ids_come_again),
		cmocka_unit_test(test_oldest_id_first),
		cmocka_unit_test(test_slots_are_clean),
		cmocka_unit_test(test_get),
		cmocka_unit_test(test_older),
		cmocka_unit_test(test_older_is_by_login),
		cmocka_unit_test(test_dialog_outlives_sessions),
		cmocka_unit_test(test_by_peer),
		cmocka_unit_test(test_by_peer_with_udp),
		cmocka_unit_test(test_count),
		cmocka_unit_test(test_many),
		cmocka_unit_test(test_free_nothing),
	};

	return cmocka_run_group_tests_name("server sessions", tests, NULL, NULL);
}
