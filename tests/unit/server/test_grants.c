/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What monitor believes of a login that its control room asks for: each field alone is made one
 * that no control can rightly send. The kernel and its addresses are replaced.
 */
#include "server/root/grants.h"

#include "netconf/sockets.h"
#include "tests/unit/proto/addresses.h"
#include "users/database.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum { SESSIONS = 4, PENDING = 2 };

#define PASSWORD "secret"

/* --- the machine -------------------------------------------------------------------------- */

bool __wrap_sockets_is_here(struct in_addr addr);
void __wrap_links_link_local(struct links *links, struct in_addr her);
int __wrap_links_open(struct links *links, int64_t user, struct in_addr her,
		      const struct prefix6 *prefix, uint32_t *number);
void __wrap_links_close(struct links *links, uint32_t number);
int __wrap_links_route_add(struct links *links, const struct prefix6 *prefix);
void __wrap_links_route_remove(struct links *links, const struct prefix6 *prefix);

enum users_result __wrap_users_find(struct users *users, const char *name, struct user *user);
enum users_result __real_users_find(struct users *users, const char *name, struct user *user);

enum users_result __wrap_users_flush(struct users *users);
enum users_result __real_users_flush(struct users *users);

static bool flush_fails;
static struct users *change_after_find; /* alice's password, once */
static unsigned int link_locals;
static unsigned int found;		    /* users, since the test asked */
static struct prefix6 led;		    /* to the device; length 0: nothing */
static struct prefix6 shared[2 * SESSIONS]; /* what sessions have on the shared device */
static size_t n_shared;
static unsigned int route_fails; /* the one of that number, counted down to 1; 0: none */

enum users_result __wrap_users_find(struct users *users, const char *name, struct user *user)
{
	enum users_result result = __real_users_find(users, name, user);
	struct users *admin = change_after_find;

	found++;
	change_after_find = NULL;
	if (admin)
		assert_int_equal(users_set_password(admin, "alice", "another"), USERS_OK);
	return result;
}

/* As with a disk that is full. */
enum users_result __wrap_users_flush(struct users *users)
{
	if (flush_fails && users_gathered(users)) {
		users->spoilt = true;
		(void)users_fail_text(users, "no space left");
	}
	return __real_users_flush(users);
}

bool __wrap_sockets_is_here(struct in_addr addr)
{
	return addr.s_addr == addr4("192.0.2.1").s_addr;
}

void __wrap_links_link_local(struct links *links, struct in_addr her)
{
	(void)links;
	(void)her;
	link_locals++;
}

int __wrap_links_open(struct links *links, int64_t user, struct in_addr her,
		      const struct prefix6 *prefix, uint32_t *number)
{
	(void)links;
	(void)user;
	(void)her;
	led = prefix ? *prefix : (struct prefix6){.len = 0};
	*number = 1;
	return 0;
}

void __wrap_links_close(struct links *links, uint32_t number)
{
	(void)links;
	assert_int_equal(number, 1);
	led.len = 0;
}

int __wrap_links_route_add(struct links *links, const struct prefix6 *prefix)
{
	(void)links;
	assert_true(prefix6_valid(prefix));
	assert_in_range(n_shared, 0, 2 * SESSIONS - 1);
	if (route_fails > 0 && --route_fails == 0)
		return -ENOMEM;
	shared[n_shared++] = *prefix;
	return 0;
}

void __wrap_links_route_remove(struct links *links, const struct prefix6 *prefix)
{
	size_t i = 0;

	(void)links;
	while (i < n_shared && !prefix6_equal(&shared[i], prefix))
		i++;
	assert_in_range(i, 0, n_shared - 1);
	shared[i] = shared[--n_shared];
}

/* --- a monitor with one user -------------------------------------------------------------- */

struct place {
	char directory[64];
	char path[96];
	struct server_options options;
	struct grants_owner owner;
	struct grants *grants;
};

static bool revoked[SESSIONS];

/* The verdicts that came later. */
static struct server_verdict later[SESSIONS];
static unsigned int n_later;
static unsigned int revoke_after; /* so many of them */

static void on_decided(const struct server_verdict *verdict, void *arg)
{
	(void)arg;
	assert_in_range(n_later, 0, SESSIONS - 1);
	later[n_later++] = *verdict;
}

static void on_revoked(uint32_t id, void *arg)
{
	(void)arg;
	assert_in_range(id, 0, SESSIONS - 1);
	assert_false(revoked[id]);
	/* Whoever is told has heard the verdict before. */
	assert_true(n_later >= revoke_after);
	revoked[id] = true;
}

static int open_place(void **state)
{
	struct place *place = calloc(1, sizeof(*place));
	char other[DTCP_USER_MAX + 1];
	char error[256];

	assert_non_null(place);
	(void)snprintf(place->directory, sizeof(place->directory), "/tmp/dtcp-grants-XXXXXX");
	assert_non_null(mkdtemp(place->directory));
	(void)snprintf(place->path, sizeof(place->path), "%s/users.db", place->directory);
	place->options = (struct server_options){
		.interface = "dtcps0",
		.listen = addr4("192.0.2.1"),
		.mtu = 1280,
		.sessions_max = SESSIONS,
		.limits = {.pending = PENDING},
		.has_host = true,
		.host_prefix = prefix("2001:db8:1::/64"),
	};
	place->owner = (struct grants_owner){.options = &place->options, .revoked = on_revoked};
	memset(revoked, 0, sizeof(revoked));
	n_later = revoke_after = 0;
	n_shared = route_fails = 0;
	assert_int_equal(users_open(place->path, true, &place->owner.users, error, sizeof(error)),
			 USERS_OK);
	assert_int_equal(users_add(place->owner.users, "alice", PASSWORD, NULL, other), USERS_OK);
	link_locals = 0;
	place->grants = grants_new(&place->owner);
	assert_non_null(place->grants);
	*state = place;
	return 0;
}

static int close_place(void **state)
{
	struct place *place = *state;

	grants_free(place->grants);
	users_close(place->owner.users);
	assert_int_equal(unlink(place->path), 0);
	assert_int_equal(rmdir(place->directory), 0);
	free(place);
	return 0;
}

/* One that is right in everything. */
static struct server_login good(void)
{
	struct server_login login = {
		.id = 0,
		.type = TUNNEL_HOST,
		.peer = addr4("198.51.100.2"),
		.local = addr4("192.0.2.1"),
		.user = "alice",
		.challenge = "0B1517C87D516A5FA65BED722D51A04F",
	};

	assert_true(digest_response(login.user, login.challenge, PASSWORD, login.response));
	return login;
}

static void expect_result(struct place *place, const struct server_login *login,
			  enum server_result result)
{
	struct server_verdict verdict;

	assert_true(grants_login(place->grants, login, &verdict));
	assert_int_equal(verdict.id, login->id);
	assert_int_equal(verdict.result, result);
}

/* --- fields ------------------------------------------------------------------------------- */

#define FIELD(f) #f, offsetof(struct server_login, f), sizeof(((struct server_login *)0)->f)

/* A field and what it is filled with. */
static const struct spoilt {
	const char *name;
	size_t offset;
	size_t size;
	unsigned char octet;
} spoilt[] = {
	{FIELD(id), 0xff},			     /* out of range */
	{FIELD(type), 0x01},			     /* none of the types */
	{FIELD(type), 0xff},	 {FIELD(udp), 0x02}, /* neither yes nor no */
	{FIELD(peer), 0x00},			     /* nobody's address, */
	{FIELD(peer), 0xff},			     /* everybody's */
	{FIELD(peer), 0xe0},			     /* and a group's */
	{FIELD(local), 0x00},			     /* the same of the near end */
	{FIELD(local), 0xff},	 {FIELD(local), 0xe0},
	{FIELD(user), 'a'}, /* text without an end */
	{FIELD(challenge), 'a'}, {FIELD(response), 'A'},
};

static void test_each_field(void **state)
{
	struct place *place = *state;

	for (size_t i = 0; i < sizeof(spoilt) / sizeof(spoilt[0]); i++) {
		struct server_login login = good();
		struct server_verdict verdict;

		memset((unsigned char *)&login + spoilt[i].offset, spoilt[i].octet, spoilt[i].size);
		if (grants_login(place->grants, &login, &verdict))
			fail_msg("%s of 0x%02x is believed", spoilt[i].name, spoilt[i].octet);
		assert_int_equal(grants_count(place->grants), 0);
	}
}

/* The last value that is right, and the first that is not. */
static void test_edges(void **state)
{
	struct place *place = *state;
	struct server_login login = good();
	struct server_verdict verdict;

	login.id = SESSIONS + PENDING;
	assert_false(grants_login(place->grants, &login, &verdict));
	login.id--;
	expect_result(place, &login, SERVER_GRANTED);
	/* In use. */
	assert_false(grants_login(place->grants, &login, &verdict));
	assert_true(grants_logout(place->grants, login.id));
	assert_false(grants_logout(place->grants, login.id));
	expect_result(place, &login, SERVER_GRANTED);
	assert_int_equal(grants_count(place->grants), 1);

	login = good();
	login.type = TUNNEL_NETWORK + 1;
	assert_false(grants_login(place->grants, &login, &verdict));
	login.type = TUNNEL_NONE;
	expect_result(place, &login, SERVER_TYPE);
	/* Not offered here. */
	login.type = TUNNEL_ONLY;
	expect_result(place, &login, SERVER_TYPE);
	login = good();
	login.udp = 1;
	expect_result(place, &login, SERVER_TRANSPORT);
}

/* As long as the field has room for. */
static void test_longest_texts(void **state)
{
	struct server_login login = good();

	memset(login.user, 'a', sizeof(login.user) - 1);
	expect_result(*state, &login, SERVER_AUTH);
	login = good();
	memset(login.challenge, 'a', sizeof(login.challenge) - 1);
	expect_result(*state, &login, SERVER_AUTH);
}

static void test_wrong_password(void **state)
{
	struct place *place = *state;
	struct server_login login = good();

	login.response[0] ^= 1;
	expect_result(place, &login, SERVER_AUTH);
	assert_int_equal(grants_count(place->grants), 0);
	assert_false(grants_logout(place->grants, login.id));
}

/* What becomes an address of the tunnel is one of the machine's, or that of the settings. */
static void test_local_address(void **state)
{
	struct place *place = *state;
	struct server_login login = good();

	login.local = addr4("192.0.2.77");
	for (uint32_t type = TUNNEL_ONLY; type <= TUNNEL_NETWORK; type++) {
		login.type = type;
		expect_result(place, &login, SERVER_FAILED);
	}
	assert_int_equal(link_locals, 0);
	place->options.address = addr4("203.0.113.1");
	login.type = TUNNEL_HOST;
	expect_result(place, &login, SERVER_GRANTED);
	assert_int_equal(link_locals, 1);
}

static void log_in_as(struct place *place, uint32_t id, const char *user, uint32_t type,
		      struct server_verdict *verdict)
{
	struct server_login login = good();

	login.id = id;
	login.type = type;
	(void)strlcpy(login.user, user, sizeof(login.user));
	assert_true(digest_response(user, login.challenge, PASSWORD, login.response));
	assert_true(grants_login(place->grants, &login, verdict));
}

static void log_in(struct place *place, const char *user, uint32_t type,
		   struct server_verdict *verdict)
{
	log_in_as(place, 0, user, type, verdict);
}

/* One look-up, at a first login and later. */
static void test_one_look(void **state)
{
	struct place *place = *state;
	struct server_verdict verdict;

	place->options.has_pool = true;
	place->options.pool = prefix("2001:db8:4000::/36");
	place->options.network_length = 48;
	place->options.numbered = true;
	for (int i = 0; i < 2; i++) {
		found = 0;
		log_in(place, "alice", TUNNEL_NETWORK, &verdict);
		assert_int_equal(verdict.result, SERVER_GRANTED);
		assert_true(verdict.numbered && verdict.has_prefix);
		assert_int_equal(found, 1);
		assert_true(grants_logout(place->grants, 0));
	}
}

/* A change ends the sessions that it is about, and the others are not even looked at. */
static void test_changes(void **state)
{
	static const char *const users[] = {"alice", "bob", "bob", "carol"};
	struct place *place = *state;
	struct server_verdict verdict;
	char other[DTCP_USER_MAX + 1];
	struct users *admin = NULL;
	char error[256];

	assert_int_equal(users_open(place->path, false, &admin, error, sizeof(error)), USERS_OK);
	assert_int_equal(users_add(admin, "bob", PASSWORD, NULL, other), USERS_OK);
	assert_int_equal(users_add(admin, "carol", PASSWORD, NULL, other), USERS_OK);
	for (uint32_t id = 0; id < SESSIONS; id++) {
		log_in_as(place, id, users[id], TUNNEL_HOST, &verdict);
		assert_int_equal(verdict.result, SERVER_GRANTED);
	}
	found = 0;
	assert_int_equal(users_add(admin, "dave", PASSWORD, NULL, other), USERS_OK);
	grants_recheck(place->grants);
	assert_int_equal(found, 0);
	assert_int_equal(users_set_password(admin, "carol", PASSWORD), USERS_OK);
	grants_recheck(place->grants);
	assert_int_equal(found, 1);
	/* The same one again is no change. */
	assert_false(revoked[3]);
	assert_int_equal(users_set_password(admin, "bob", "another"), USERS_OK);
	grants_recheck(place->grants);
	assert_int_equal(found, 3);
	assert_true(!revoked[0] && revoked[1] && revoked[2] && !revoked[3]);
	assert_true(grants_logout(place->grants, 1));
	assert_true(grants_logout(place->grants, 2));
	assert_int_equal(users_delete(admin, "bob"), USERS_OK);
	assert_int_equal(users_delete(admin, "carol"), USERS_OK);
	grants_recheck(place->grants);
	assert_int_equal(found, 4);
	assert_true(!revoked[0] && revoked[3]);
	users_close(admin);
}

/* A first login waits until its lease is noted, with all that came meanwhile. */
static void test_noted_together(void **state)
{
	struct place *place = *state;
	struct server_verdict verdict;
	char other[DTCP_USER_MAX + 1];

	grants_free(place->grants);
	place->owner.decided = on_decided;
	place->grants = grants_new(&place->owner);
	assert_non_null(place->grants);
	assert_int_equal(users_add(place->owner.users, "bob", PASSWORD, NULL, other), USERS_OK);
	log_in_as(place, 0, "alice", TUNNEL_HOST, &verdict);
	assert_int_equal(verdict.result, GRANTS_LATER);
	log_in_as(place, 1, "bob", TUNNEL_HOST, &verdict);
	assert_int_equal(verdict.result, GRANTS_LATER);
	log_in_as(place, 2, "nobody", TUNNEL_HOST, &verdict);
	assert_int_equal(verdict.result, GRANTS_LATER);
	assert_int_equal(n_later, 0);
	grants_flush(place->grants);
	assert_int_equal(n_later, 3);
	assert_int_equal(later[0].result, SERVER_GRANTED);
	assert_int_equal(later[1].id, 1);
	assert_int_equal(later[1].result, SERVER_GRANTED);
	assert_int_equal(later[2].result, SERVER_AUTH);
	assert_int_equal(grants_count(place->grants), 2);
	grants_flush(place->grants);
	assert_int_equal(n_later, 3);
	/* Who comes again need not wait. */
	assert_true(grants_logout(place->grants, 0));
	log_in_as(place, 0, "alice", TUNNEL_HOST, &verdict);
	assert_int_equal(verdict.result, SERVER_GRANTED);
	assert_true(IN6_ARE_ADDR_EQUAL(&verdict.me6, &later[0].me6));
}

/* Where the disk is full, there is no tunnel on a lease that nobody will know of. */
static void test_not_noted(void **state)
{
	struct place *place = *state;
	struct server_verdict verdict;

	grants_free(place->grants);
	place->owner.decided = on_decided;
	place->grants = grants_new(&place->owner);
	assert_non_null(place->grants);
	log_in_as(place, 0, "alice", TUNNEL_HOST, &verdict);
	log_in_as(place, 1, "nobody", TUNNEL_HOST, &verdict);
	flush_fails = true;
	grants_flush(place->grants);
	flush_fails = false;
	assert_int_equal(n_later, 2);
	assert_int_equal(later[0].result, SERVER_FAILED);
	assert_int_equal(later[1].result, SERVER_AUTH);
	assert_int_equal(grants_count(place->grants), 0);
	n_later = 0;
	log_in_as(place, 0, "alice", TUNNEL_HOST, &verdict);
	grants_flush(place->grants);
	assert_int_equal(n_later, 1);
	assert_int_equal(later[0].result, SERVER_GRANTED);
}

/* A change that is found meanwhile revokes nothing that was not granted yet. */
static void test_revoked_while_waiting(void **state)
{
	struct place *place = *state;
	struct server_verdict verdict;
	char other[DTCP_USER_MAX + 1];
	struct users *admin = NULL;
	char error[256];

	grants_free(place->grants);
	place->owner.decided = on_decided;
	place->grants = grants_new(&place->owner);
	assert_non_null(place->grants);
	assert_int_equal(users_add(place->owner.users, "bob", PASSWORD, NULL, other), USERS_OK);
	assert_int_equal(users_open(place->path, false, &admin, error, sizeof(error)), USERS_OK);
	grants_recheck(place->grants);
	log_in_as(place, 0, "bob", TUNNEL_HOST, &verdict);
	grants_flush(place->grants);
	n_later = 0;
	/* As if it had come between the look at alice and the lease. */
	change_after_find = admin;
	log_in_as(place, 1, "alice", TUNNEL_HOST, &verdict);
	assert_int_equal(verdict.result, GRANTS_LATER);
	assert_int_equal(n_later, 0);
	revoke_after = 1;
	grants_recheck(place->grants);
	assert_int_equal(n_later, 1);
	assert_true(revoked[1] && !revoked[0]);
	users_close(admin);
}

/* A prefix that was fixed for the user is led to the device, one that was leased is not. */
static void test_prefix_of_tunnelonly(void **state)
{
	static const char *const prefixes[] = {"2001:db8:77::/48", "2001:db8:4abc::/48"};
	struct place *place = *state;
	struct server_verdict verdict;
	char other[DTCP_USER_MAX + 1];

	place->options.tunnelonly = true;
	place->options.has_pool = true;
	place->options.pool = prefix("2001:db8:4000::/36");
	place->options.network_length = 48;
	log_in(place, "alice", TUNNEL_NETWORK, &verdict);
	assert_int_equal(verdict.has_prefix, 1);
	assert_true(grants_logout(place->grants, 0));
	log_in(place, "alice", TUNNEL_ONLY, &verdict);
	assert_int_equal(verdict.result, SERVER_GRANTED);
	assert_int_equal(verdict.has_prefix, 0);
	assert_int_equal(led.len, 0);
	assert_true(grants_logout(place->grants, 0));
	/* Outside the pool and in it. */
	for (size_t i = 0; i < 2; i++) {
		const struct prefix6 fixed = prefix(prefixes[i]);
		const char *user = i == 0 ? "bob" : "carol";

		assert_int_equal(users_add(place->owner.users, user, PASSWORD, &fixed, other),
				 USERS_OK);
		log_in(place, user, TUNNEL_ONLY, &verdict);
		assert_int_equal(verdict.result, SERVER_GRANTED);
		assert_int_equal(verdict.device, 1);
		assert_int_equal(verdict.has_prefix, 1);
		assert_true(prefix6_equal(&verdict.prefix, &fixed));
		assert_true(prefix6_equal(&led, &fixed));
		assert_true(grants_logout(place->grants, 0));
		assert_int_equal(led.len, 0);
	}
}

/* One that would take the server's own addresses away is refused, as for a network tunnel. */
static void test_prefix_that_takes(void **state)
{
	const struct prefix6 fixed = prefix("2001:db8:1::/60");
	struct place *place = *state;
	struct server_verdict verdict;
	char other[DTCP_USER_MAX + 1];

	place->options.tunnelonly = true;
	assert_int_equal(users_add(place->owner.users, "bob", PASSWORD, &fixed, other), USERS_OK);
	log_in(place, "bob", TUNNEL_ONLY, &verdict);
	assert_int_equal(verdict.result, SERVER_SOLD_OUT);
	assert_int_equal(verdict.lack, SERVER_PREFIX_HOST);
	assert_int_equal(grants_count(place->grants), 0);
}

/* What sessions have is known as long as they have it, also where a login fails half-way. */
static void test_shared(void **state)
{
	struct place *place = *state;
	struct server_login login = good();

	place->options.has_pool = true;
	place->options.pool = prefix("2001:db8:100::/40");
	place->options.network_length = 56;
	place->options.numbered = true;
	expect_result(place, &login, SERVER_GRANTED);
	assert_int_equal(n_shared, 1);
	assert_int_equal(shared[0].len, 128);
	assert_true(prefix6_contains(&place->options.host_prefix, &shared[0]));
	login.id = 1;
	login.type = TUNNEL_NETWORK;
	route_fails = 2;
	expect_result(place, &login, SERVER_FAILED);
	assert_int_equal(n_shared, 1);
	expect_result(place, &login, SERVER_GRANTED);
	assert_int_equal(n_shared, 3);
	assert_true(prefix6_contains(&place->options.pool, &shared[2]));
	assert_true(grants_logout(place->grants, 1));
	assert_int_equal(n_shared, 1);
	assert_true(grants_logout(place->grants, 0));
	assert_int_equal(n_shared, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_place, close_place)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_each_field),
		TEST(test_edges),
		TEST(test_longest_texts),
		TEST(test_wrong_password),
		TEST(test_local_address),
		TEST(test_prefix_of_tunnelonly),
		TEST(test_prefix_that_takes),
		TEST(test_one_look),
		TEST(test_changes),
		TEST(test_noted_together),
		TEST(test_shared),
		TEST(test_not_noted),
		TEST(test_revoked_while_waiting),
	};

	return cmocka_run_group_tests_name("server grants", tests, NULL, NULL);
}
