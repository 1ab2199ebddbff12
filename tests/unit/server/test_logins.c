/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What accounts believes of a login that control asks for: each field alone is made one that no
 * control can rightly send. And what it answers.
 */
#include "server/accounts/logins.h"

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
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

enum { SESSIONS = 4, PENDING = 2 };

#define PASSWORD "secret"

/* --- the database ------------------------------------------------------------------------- */

enum users_result __wrap_users_find(struct users *users, const char *name, struct user *user);
enum users_result __real_users_find(struct users *users, const char *name, struct user *user);

enum users_result __wrap_users_flush(struct users *users);
enum users_result __real_users_flush(struct users *users);

/* Seconds since 1970. */
time_t __wrap_time(time_t *out);

static time_t wall;

time_t __wrap_time(time_t *out)
{
	if (out)
		*out = wall;
	return wall;
}

static bool flush_fails;
static struct users *change_after_find; /* alice's password, once */
static struct users *drop_after_find;	/* her leases, once */
static const struct users *looked_in;	/* by accounts */
static unsigned int found;		/* users there, since the test asked */

enum users_result __wrap_users_find(struct users *users, const char *name, struct user *user)
{
	enum users_result result = __real_users_find(users, name, user);
	struct users *admin = change_after_find;

	found += users == looked_in;
	change_after_find = NULL;
	if (admin)
		assert_int_equal(users_set_password(admin, "alice", "another"), USERS_OK);
	admin = drop_after_find;
	drop_after_find = NULL;
	if (admin)
		assert_int_equal(users_drop_lease(admin, "alice", NULL), USERS_OK);
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

/* --- one user ----------------------------------------------------------------------------- */

struct place {
	char directory[64];
	char path[96];
	struct server_options options;
	struct logins_owner owner;
	struct logins *logins;
};

static uint32_t revoked[SESSIONS]; /* enum server_why; 0: no */

/* The answers since the test asked. */
static struct server_grant answers[SESSIONS];
static unsigned int n_answers;
static unsigned int revoke_after; /* so many of them */

static void on_answer(const struct server_grant *grant, void *arg)
{
	(void)arg;
	assert_in_range(n_answers, 0, SESSIONS - 1);
	answers[n_answers++] = *grant;
}

static void on_revoked(uint32_t id, enum server_why why, void *arg)
{
	(void)arg;
	assert_in_range(id, 0, SESSIONS - 1);
	assert_int_equal(revoked[id], 0);
	assert_in_range(why, 1, SERVER_WHYS - 1);
	/* Whoever is told has heard the verdict before. */
	assert_true(n_answers >= revoke_after);
	revoked[id] = why;
}

static int open_place(void **state)
{
	struct place *place = calloc(1, sizeof(*place));
	char other[DTCP_USER_MAX + 1];
	char error[256];

	assert_non_null(place);
	(void)snprintf(place->directory, sizeof(place->directory), "/tmp/dtcp-logins-XXXXXX");
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
	place->owner = (struct logins_owner){
		.options = &place->options, .answer = on_answer, .revoked = on_revoked};
	memset(revoked, 0, sizeof(revoked));
	wall = 1000000;
	n_answers = revoke_after = 0;
	assert_int_equal(
		users_open(place->path, USERS_CREATE, &place->owner.users, error, sizeof(error)),
		USERS_OK);
	assert_int_equal(users_add(place->owner.users, "alice", PASSWORD, NULL, other), USERS_OK);
	looked_in = place->owner.users;
	place->logins = logins_new(&place->owner);
	assert_non_null(place->logins);
	*state = place;
	return 0;
}

static int close_place(void **state)
{
	struct place *place = *state;

	logins_free(place->logins);
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

/* Asks, and waits for the disk. */
static struct server_verdict answer_to(struct place *place, const struct server_login *login)
{
	n_answers = 0;
	assert_true(logins_ask(place->logins, login));
	logins_flush(place->logins);
	assert_int_equal(n_answers, 1);
	assert_int_equal(answers[0].verdict.id, login->id);
	assert_int_equal(answers[0].type, login->type);
	assert_int_equal(answers[0].local.s_addr, login->local.s_addr);
	return answers[0].verdict;
}

static void end(struct place *place, uint32_t id, bool was_granted)
{
	bool granted = !was_granted;

	assert_true(logins_end(place->logins, id, &granted));
	assert_true(granted == was_granted);
}

/* The login is over afterwards, so that its number is free. */
static void expect_result(struct place *place, const struct server_login *login,
			  enum server_result result)
{
	assert_int_equal(answer_to(place, login).result, result);
	end(place, login->id, result == SERVER_GRANTED);
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

		memset((unsigned char *)&login + spoilt[i].offset, spoilt[i].octet, spoilt[i].size);
		if (logins_ask(place->logins, &login))
			fail_msg("%s of 0x%02x is believed", spoilt[i].name, spoilt[i].octet);
		assert_int_equal(n_answers, 0);
	}
}

/* The last value that is right, and the first that is not. */
static void test_edges(void **state)
{
	struct place *place = *state;
	struct server_login login = good();
	bool granted;

	login.id = SESSIONS + PENDING;
	assert_false(logins_ask(place->logins, &login));
	assert_false(logins_end(place->logins, login.id, &granted));
	login.id--;
	assert_false(logins_end(place->logins, login.id, &granted));
	/* Neither another one nor the end of it before it was answered, nor another one then. */
	assert_true(logins_ask(place->logins, &login));
	assert_int_equal(n_answers, 0);
	assert_false(logins_ask(place->logins, &login));
	assert_false(logins_end(place->logins, login.id, &granted));
	logins_flush(place->logins);
	assert_int_equal(n_answers, 1);
	assert_int_equal(answers[0].verdict.result, SERVER_GRANTED);
	assert_false(logins_ask(place->logins, &login));
	end(place, login.id, true);
	assert_false(logins_end(place->logins, login.id, &granted));
	expect_result(place, &login, SERVER_GRANTED);

	login = good();
	login.type = TUNNEL_NETWORK + 1;
	assert_false(logins_ask(place->logins, &login));
	login.type = TUNNEL_NONE;
	expect_result(place, &login, SERVER_TYPE);
	/* Not offered here. */
	place->options.has_host = false;
	login.type = TUNNEL_HOST;
	expect_result(place, &login, SERVER_TYPE);
	login = good();
	login.udp = 1;
	expect_result(place, &login, SERVER_TRANSPORT);
}

/* The number is in use until its login is over, whatever the answer was. */
static void test_refused_until_its_end(void **state)
{
	struct place *place = *state;
	struct server_login login = good();

	login.response[0] ^= 1;
	assert_int_equal(answer_to(place, &login).result, SERVER_AUTH);
	assert_false(logins_ask(place->logins, &login));
	end(place, login.id, false);
	expect_result(place, &login, SERVER_AUTH);
}

/* A key is for whoever needs one, and another one each time. */
static void test_key(void **state)
{
	static const uint8_t none[PROBE_KEY_SIZE];
	struct place *place = *state;
	struct server_login login = good();
	struct server_verdict first, second;

	place->options.udp = true;
	login.udp = 1;
	first = answer_to(place, &login);
	end(place, 0, true);
	second = answer_to(place, &login);
	end(place, 0, true);
	assert_true(first.session != 0 && second.session != 0 && first.session != second.session);
	assert_memory_not_equal(first.key, second.key, sizeof(first.key));
	assert_memory_not_equal(first.key, none, sizeof(none));
	login.response[0] ^= 1;
	second = answer_to(place, &login);
	assert_int_equal(second.session, 0);
	assert_memory_equal(second.key, none, sizeof(none));
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
}

static void ask_as(struct place *place, uint32_t id, const char *user, uint32_t type)
{
	struct server_login login = good();

	login.id = id;
	login.type = type;
	(void)strlcpy(login.user, user, sizeof(login.user));
	assert_true(digest_response(user, login.challenge, PASSWORD, login.response));
	assert_true(logins_ask(place->logins, &login));
}

static struct server_verdict log_in_as(struct place *place, uint32_t id, const char *user,
				       uint32_t type)
{
	n_answers = 0;
	ask_as(place, id, user, type);
	logins_flush(place->logins);
	assert_int_equal(n_answers, 1);
	return answers[0].verdict;
}

static struct server_verdict log_in(struct place *place, const char *user, uint32_t type)
{
	return log_in_as(place, 0, user, type);
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
		verdict = log_in(place, "alice", TUNNEL_NETWORK);
		assert_int_equal(verdict.result, SERVER_GRANTED);
		assert_true(verdict.numbered && verdict.prefixes.n);
		assert_int_equal(found, 1);
		end(place, 0, true);
	}
}

/* A change ends the sessions that it is about, and the others are not even looked at. */
static void test_changes(void **state)
{
	static const char *const users[] = {"alice", "bob", "bob", "carol"};
	struct place *place = *state;
	char other[DTCP_USER_MAX + 1];
	struct users *admin = NULL;
	char error[256];

	assert_int_equal(users_open(place->path, USERS_WRITE, &admin, error, sizeof(error)),
			 USERS_OK);
	assert_int_equal(users_add(admin, "bob", PASSWORD, NULL, other), USERS_OK);
	assert_int_equal(users_add(admin, "carol", PASSWORD, NULL, other), USERS_OK);
	for (uint32_t id = 0; id < SESSIONS; id++) {
		assert_int_equal(log_in_as(place, id, users[id], TUNNEL_HOST).result,
				 SERVER_GRANTED);
	}
	found = 0;
	assert_int_equal(users_add(admin, "dave", PASSWORD, NULL, other), USERS_OK);
	logins_recheck(place->logins);
	assert_int_equal(found, 0);
	assert_int_equal(users_set_password(admin, "carol", PASSWORD), USERS_OK);
	logins_recheck(place->logins);
	/* The same one again is no change. */
	assert_int_equal(found, 0);
	assert_int_equal(revoked[3], 0);
	assert_int_equal(users_set_password(admin, "bob", "another"), USERS_OK);
	logins_recheck(place->logins);
	assert_int_equal(found, 2);
	assert_true(!revoked[0] && !revoked[3]);
	assert_int_equal(revoked[1], SERVER_WHY_PASSWORD);
	assert_int_equal(revoked[2], SERVER_WHY_PASSWORD);
	end(place, 1, true);
	end(place, 2, true);
	assert_int_equal(users_delete(admin, "bob"), USERS_OK);
	assert_int_equal(users_delete(admin, "carol"), USERS_OK);
	logins_recheck(place->logins);
	assert_int_equal(found, 3);
	assert_int_equal(revoked[0], 0);
	assert_int_equal(revoked[3], SERVER_WHY_DELETED);
	users_close(admin);
}

/* A first login waits until its lease is noted, with all that came meanwhile. */
static void test_noted_together(void **state)
{
	struct place *place = *state;
	char other[DTCP_USER_MAX + 1];
	struct in6_addr before;

	assert_int_equal(users_add(place->owner.users, "bob", PASSWORD, NULL, other), USERS_OK);
	ask_as(place, 0, "alice", TUNNEL_HOST);
	ask_as(place, 1, "bob", TUNNEL_HOST);
	ask_as(place, 2, "nobody", TUNNEL_HOST);
	assert_int_equal(n_answers, 0);
	logins_flush(place->logins);
	assert_int_equal(n_answers, 3);
	assert_int_equal(answers[0].verdict.result, SERVER_GRANTED);
	assert_int_equal(answers[1].verdict.id, 1);
	assert_int_equal(answers[1].verdict.result, SERVER_GRANTED);
	assert_int_equal(answers[2].verdict.result, SERVER_AUTH);
	before = answers[0].verdict.me6;
	logins_flush(place->logins);
	assert_int_equal(n_answers, 3);
	/* Who comes again need not wait. */
	end(place, 0, true);
	ask_as(place, 0, "alice", TUNNEL_HOST);
	assert_int_equal(n_answers, 4);
	assert_int_equal(answers[3].verdict.result, SERVER_GRANTED);
	assert_true(IN6_ARE_ADDR_EQUAL(&answers[3].verdict.me6, &before));
}

/* If the disk is full, there is no tunnel on a lease that nobody will know of. */
static void test_not_noted(void **state)
{
	struct place *place = *state;

	ask_as(place, 0, "alice", TUNNEL_HOST);
	ask_as(place, 1, "nobody", TUNNEL_HOST);
	flush_fails = true;
	logins_flush(place->logins);
	flush_fails = false;
	assert_int_equal(n_answers, 2);
	assert_int_equal(answers[0].verdict.result, SERVER_FAILED);
	assert_int_equal(answers[1].verdict.result, SERVER_AUTH);
	end(place, 0, false);
	assert_int_equal(log_in(place, "alice", TUNNEL_HOST).result, SERVER_GRANTED);
}

/* A change that comes just before everybody else is shut out is not missed. */
static void test_changed_while_asking(void **state)
{
	struct place *place = *state;
	char other[DTCP_USER_MAX + 1];
	struct users *admin = NULL;
	char error[256];

	assert_int_equal(users_add(place->owner.users, "bob", PASSWORD, NULL, other), USERS_OK);
	assert_int_equal(users_open(place->path, USERS_WRITE, &admin, error, sizeof(error)),
			 USERS_OK);
	logins_recheck(place->logins);
	assert_int_equal(log_in(place, "bob", TUNNEL_HOST).result, SERVER_GRANTED);
	n_answers = 0;
	/* As if it had come between the look at alice and the lease. */
	change_after_find = admin;
	ask_as(place, 1, "alice", TUNNEL_HOST);
	assert_int_equal(n_answers, 0);
	logins_recheck(place->logins);
	logins_flush(place->logins);
	assert_int_equal(n_answers, 1);
	assert_int_equal(answers[0].verdict.result, SERVER_AUTH);
	assert_true(!revoked[0] && !revoked[1]);
	users_close(admin);
}

/* Of two users, one has what the other had only when that one's session is over. */
static void test_drop_while_asking(void **state)
{
	struct place *place = *state;
	char other[DTCP_USER_MAX + 1];
	struct users *admin = NULL;
	struct server_verdict first;
	char error[256];

	/* One prefix beside the server's own. */
	place->options.has_pool = true;
	place->options.pool = prefix("2001:db8:4000::/47");
	place->options.network_length = 48;
	assert_int_equal(users_add(place->owner.users, "bob", PASSWORD, NULL, other), USERS_OK);
	assert_int_equal(users_open(place->path, USERS_WRITE, &admin, error, sizeof(error)),
			 USERS_OK);
	logins_recheck(place->logins);
	first = log_in(place, "alice", TUNNEL_NETWORK);
	assert_int_equal(first.result, SERVER_GRANTED);
	/* As if it had come between the look at bob and the lease. */
	drop_after_find = admin;
	n_answers = 0;
	ask_as(place, 1, "bob", TUNNEL_NETWORK);
	assert_null(drop_after_find);
	assert_int_equal(n_answers, 0);
	assert_true(revoked[0]);
	logins_flush(place->logins);
	assert_int_equal(answers[0].verdict.result, SERVER_GRANTED);
	assert_true(prefix6_equal(&answers[0].verdict.prefixes.list[0], &first.prefixes.list[0]));
	/* And not again. */
	logins_recheck(place->logins);
	assert_false(revoked[1]);
	users_close(admin);
}

/* What becomes somebody's is taken from whoever has it, once; nothing else is. */
static void test_reserved(void **state)
{
	const struct prefix6 fixed = prefix("2001:db8:4abc::/48");
	struct place *place = *state;
	char other[DTCP_USER_MAX + 1];
	struct prefix6 reserved[3] = {prefix("2001:db8:1::77/128")};

	place->options.has_pool = true;
	place->options.pool = prefix("2001:db8:4000::/36");
	place->options.network_length = 48;
	assert_int_equal(users_add(place->owner.users, "bob", PASSWORD, NULL, other), USERS_OK);
	assert_int_equal(users_add(place->owner.users, "carol", PASSWORD, &fixed, other), USERS_OK);
	assert_true(logins_reserve(place->logins, reserved, 1));
	(void)log_in_as(place, 0, "alice", TUNNEL_HOST);
	reserved[1] = (struct prefix6){.addr = answers[0].verdict.me6, .len = 128};
	assert_true(logins_reserve(place->logins, reserved, 1));
	assert_false(revoked[0]);
	/* One that waits for the disk has its answer first. */
	n_answers = 0;
	ask_as(place, 1, "bob", TUNNEL_NETWORK);
	ask_as(place, 2, "carol", TUNNEL_NETWORK);
	revoke_after = 2;
	assert_int_equal(n_answers, 0);
	assert_true(logins_reserve(place->logins, reserved, 2));
	assert_true(revoked[0] && !revoked[1] && !revoked[2]);
	revoke_after = 0;
	/* An address in bob's prefix, and all of the pool. */
	assert_true(prefix6_contains(&place->options.pool, &answers[0].verdict.prefixes.list[0]));
	reserved[2] =
		(struct prefix6){.addr = answers[0].verdict.prefixes.list[0].addr, .len = 128};
	assert_true(logins_reserve(place->logins, reserved, 3));
	assert_true(revoked[1] && !revoked[2]);
	reserved[2] = place->options.pool;
	assert_true(logins_reserve(place->logins, reserved, 3));
	assert_false(revoked[2]);
	end(place, 0, true);
	assert_true(logins_reserve(place->logins, reserved, 0));
	revoked[0] = false;
	assert_int_equal(log_in(place, "alice", TUNNEL_HOST).result, SERVER_GRANTED);
	assert_true(logins_reserve(place->logins, reserved, 2));
	assert_true(revoked[0]);
}

/* A prefix that was fixed for the user is for tunnelonly as well, one that was leased is not. */
static void test_prefix_of_tunnelonly(void **state)
{
	static const char *const prefixes[] = {"2001:db8:77::/48", "2001:db8:4abc::/48"};
	struct place *place = *state;
	struct server_verdict verdict;
	char other[DTCP_USER_MAX + 1];

	place->options.has_pool = true;
	place->options.pool = prefix("2001:db8:4000::/36");
	place->options.network_length = 48;
	assert_int_equal(log_in(place, "alice", TUNNEL_NETWORK).prefixes.n, 1);
	end(place, 0, true);
	verdict = log_in(place, "alice", TUNNEL_ONLY);
	assert_int_equal(verdict.result, SERVER_GRANTED);
	assert_int_equal(verdict.prefixes.n, 0);
	end(place, 0, true);
	/* Outside the pool and in it. */
	for (size_t i = 0; i < 2; i++) {
		const struct prefix6 fixed = prefix(prefixes[i]);
		const char *user = i == 0 ? "bob" : "carol";

		assert_int_equal(users_add(place->owner.users, user, PASSWORD, &fixed, other),
				 USERS_OK);
		verdict = log_in(place, user, TUNNEL_ONLY);
		assert_int_equal(verdict.result, SERVER_GRANTED);
		assert_int_equal(verdict.prefixes.n, 1);
		assert_true(prefix6_equal(&verdict.prefixes.list[0], &fixed));
		end(place, 0, true);
	}
}

/* With several, all are granted, and a session ends if one of them is another one. */
static void test_several_prefixes(void **state)
{
	struct users_record record = {
		.name = "alice",
		.parts = USERS_PREFIX,
		.prefixes = {.n = 2,
			     .list = {prefix("2001:db8:7::/48"), prefix("2001:db8:8::/56")}}};
	struct place *place = *state;
	char other[DTCP_USER_MAX + 1];
	struct users *admin = NULL;
	char error[256];

	assert_int_equal(users_open(place->path, USERS_WRITE, &admin, error, sizeof(error)),
			 USERS_OK);
	assert_int_equal(users_set(admin, &record, other), USERS_OK);
	for (uint32_t id = 0; id < 2; id++) {
		uint32_t type = id == 0 ? TUNNEL_NETWORK : TUNNEL_ONLY;
		struct server_verdict verdict = log_in_as(place, id, "alice", type);

		assert_int_equal(verdict.result, SERVER_GRANTED);
		assert_true(prefix6_set_equal(&verdict.prefixes, &record.prefixes));
	}
	logins_recheck(place->logins);
	assert_true(revoked[0] == 0 && revoked[1] == 0);
	record.prefixes.n = 1;
	assert_int_equal(users_set(admin, &record, other), USERS_OK);
	logins_recheck(place->logins);
	assert_int_equal(revoked[0], SERVER_WHY_ADDRESSES);
	assert_int_equal(revoked[1], SERVER_WHY_ADDRESSES);
	users_close(admin);
}

/* --- what a user is allowed --------------------------------------------------------------- */

/* An administrator elsewhere. */
static void set_limits(struct place *place, const char *user, struct users_limits limits)
{
	const struct users_record record = {
		.name = user,
		.parts = USERS_TYPES | USERS_TRANSPORTS | USERS_EXPIRES | USERS_DISABLED,
		.limits = limits,
	};
	char other[DTCP_USER_MAX + 1];
	struct users *admin = NULL;
	char error[256];

	assert_int_equal(users_open(place->path, USERS_WRITE, &admin, error, sizeof(error)),
			 USERS_OK);
	assert_int_equal(users_set(admin, &record, other), USERS_OK);
	users_close(admin);
}

static const struct {
	struct users_limits limits;
	bool udp;
	enum server_result result; /* of a login */
	enum server_lack lack;
	enum server_why why; /* of the end of a session */
} limited[] = {
	{{.disabled = true}, false, SERVER_DISABLED, 0, SERVER_WHY_DISABLED},
	{{.expires = 1000000}, false, SERVER_EXPIRED, 0, SERVER_WHY_EXPIRED},
	{{.expires = 1}, true, SERVER_EXPIRED, 0, SERVER_WHY_EXPIRED},
	{{.types = 1U << TUNNEL_ONLY | 1U << TUNNEL_NETWORK},
	 false,
	 SERVER_TYPE,
	 SERVER_NOT_ALLOWED,
	 SERVER_WHY_TYPE},
	{{.transports = USERS_UDP},
	 false,
	 SERVER_PROTO41,
	 SERVER_NOT_ALLOWED,
	 SERVER_WHY_TRANSPORT},
	{{.transports = USERS_PROTO41},
	 true,
	 SERVER_TRANSPORT,
	 SERVER_NOT_ALLOWED,
	 SERVER_WHY_TRANSPORT},
};

/* Each limit keeps out whoever knows the password, and is not shown to anybody else. */
static void test_limits(void **state)
{
	struct place *place = *state;

	place->options.udp = true;
	for (size_t i = 0; i < sizeof(limited) / sizeof(limited[0]); i++) {
		struct server_login login = good();
		struct server_verdict verdict;

		login.udp = limited[i].udp;
		set_limits(place, "alice", limited[i].limits);
		verdict = answer_to(place, &login);
		assert_int_equal(verdict.result, limited[i].result);
		assert_int_equal(verdict.lack, limited[i].lack);
		assert_int_equal(verdict.numbered, 0);
		end(place, 0, false);
		login.response[0] ^= 1;
		expect_result(place, &login, SERVER_AUTH);
	}
}

/* What is within the limits is granted. */
static void test_within_limits(void **state)
{
	const struct users_limits wide = {
		.types = 1U << TUNNEL_HOST, .transports = USERS_PROTO41, .expires = 1000001};
	struct place *place = *state;
	struct server_login login = good();

	set_limits(place, "alice", wide);
	expect_result(place, &login, SERVER_GRANTED);
	/* Of a type that is none, the word is what is wrong. */
	login.type = TUNNEL_NONE;
	assert_int_equal(answer_to(place, &login).lack, 0);
	end(place, 0, false);
}

/* A session ends with the next look, and is told why; one that the limit is not about stays. */
static void test_limits_end(void **state)
{
	struct place *place = *state;
	char other[DTCP_USER_MAX + 1];

	place->options.udp = true;
	assert_int_equal(users_add(place->owner.users, "bob", PASSWORD, NULL, other), USERS_OK);
	logins_recheck(place->logins);
	for (size_t i = 0; i < sizeof(limited) / sizeof(limited[0]); i++) {
		struct server_login login = good();

		set_limits(place, "alice", (struct users_limits){0});
		login.udp = limited[i].udp;
		assert_int_equal(answer_to(place, &login).result, SERVER_GRANTED);
		assert_int_equal(log_in_as(place, 1, "bob", TUNNEL_HOST).result, SERVER_GRANTED);
		set_limits(place, "alice", limited[i].limits);
		logins_recheck(place->logins);
		assert_int_equal(revoked[0], limited[i].why);
		assert_int_equal(revoked[1], 0);
		revoked[0] = 0;
		end(place, 0, true);
		end(place, 1, true);
	}
}

static void expect_expired(struct place *place, bool alice, bool bob)
{
	logins_recheck(place->logins);
	assert_int_equal(revoked[0], alice ? SERVER_WHY_EXPIRED : 0);
	assert_int_equal(revoked[1], bob ? SERVER_WHY_EXPIRED : 0);
}

/* Each session ends when the time of its user has come; until then nobody is looked at. */
static void test_expiry(void **state)
{
	struct place *place = *state;
	char other[DTCP_USER_MAX + 1];

	assert_int_equal(users_add(place->owner.users, "bob", PASSWORD, NULL, other), USERS_OK);
	set_limits(place, "alice", (struct users_limits){.expires = 1000100});
	set_limits(place, "bob", (struct users_limits){.expires = 1000200});
	logins_recheck(place->logins);
	assert_int_equal(log_in_as(place, 0, "alice", TUNNEL_HOST).result, SERVER_GRANTED);
	assert_int_equal(log_in_as(place, 1, "bob", TUNNEL_HOST).result, SERVER_GRANTED);
	found = 0;
	wall = 1000099;
	expect_expired(place, false, false);
	assert_int_equal(found, 0);
	wall = 1000100;
	expect_expired(place, true, false);
	assert_int_equal(found, 1);
	/* The next one, too, and not the first one again. */
	wall = 1000300;
	expect_expired(place, true, true);
	assert_int_equal(found, 2);
	expect_expired(place, true, true);
}

/* Somebody sets the clock back, and it comes to the same time again. */
static void test_expiry_clock(void **state)
{
	struct place *place = *state;

	set_limits(place, "alice", (struct users_limits){.expires = 1000100});
	logins_recheck(place->logins);
	wall = 2000000;
	logins_recheck(place->logins);
	wall = 1000050;
	logins_recheck(place->logins);
	assert_int_equal(log_in(place, "alice", TUNNEL_HOST).result, SERVER_GRANTED);
	wall = 1000099;
	expect_expired(place, false, false);
	wall = 1000101;
	expect_expired(place, true, false);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_place, close_place)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_each_field),
		TEST(test_edges),
		TEST(test_refused_until_its_end),
		TEST(test_key),
		TEST(test_longest_texts),
		TEST(test_wrong_password),
		TEST(test_prefix_of_tunnelonly),
		TEST(test_one_look),
		TEST(test_changes),
		TEST(test_noted_together),
		TEST(test_not_noted),
		TEST(test_changed_while_asking),
		TEST(test_drop_while_asking),
		TEST(test_reserved),
		TEST(test_several_prefixes),
		TEST(test_limits),
		TEST(test_within_limits),
		TEST(test_limits_end),
		TEST(test_expiry),
		TEST(test_expiry_clock),
	};

	return cmocka_run_group_tests_name("server logins", tests, NULL, NULL);
}
