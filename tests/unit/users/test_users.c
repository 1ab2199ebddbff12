/* SPDX-License-Identifier: BSD-2-Clause */
/* The user database, each test with one of its own in a temporary directory. */
#include "users/users.h"

#include "users/database.h"

#include "tests/unit/proto/addresses.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

struct place {
	char directory[64];
	char path[96];
	struct users *users;
};

static struct users *open_as(const char *path, enum users_mode mode)
{
	struct users *users = NULL;
	char error[256] = "";
	enum users_result result = users_open(path, mode, &users, error, sizeof(error));

	assert_string_equal(error, "");
	assert_int_equal(result, USERS_OK);
	assert_non_null(users);
	return users;
}

static struct users *open_users(const char *path, bool create)
{
	return open_as(path, create ? USERS_CREATE : USERS_WRITE);
}

/* The open fails with that result and a line that is the path, a colon and the text. */
static void assert_open_fails(const char *path, bool create, enum users_result result,
			      const char *text)
{
	struct users *users = (struct users *)&users;
	char error[512] = "";
	char expected[512];

	assert_int_equal(
		users_open(path, create ? USERS_CREATE : USERS_WRITE, &users, error, sizeof(error)),
		result);
	(void)snprintf(expected, sizeof(expected), "%s: %s", path, text);
	assert_string_equal(error, expected);
	assert_null(users);
}

static void add(struct users *users, const char *name)
{
	char other[DTCP_USER_MAX + 1];

	assert_int_equal(users_add(users, name, "secret", NULL, other), USERS_OK);
}

static void add_fixed(struct users *users, const char *name, const char *fixed)
{
	char other[DTCP_USER_MAX + 1];
	struct prefix6 value = prefix(fixed);

	assert_int_equal(users_add(users, name, "secret", &value, other), USERS_OK);
}

static void assert_add_overlaps(struct users *users, const char *fixed, const char *whose)
{
	char other[DTCP_USER_MAX + 1] = "";
	struct prefix6 value = prefix(fixed);
	struct user user;

	assert_int_equal(users_overlaps(users, &value, other), USERS_OVERLAP);
	assert_string_equal(other, whose);
	other[0] = '\0';
	assert_int_equal(users_add(users, "late", "secret", &value, other), USERS_OVERLAP);
	assert_string_equal(other, whose);
	assert_int_equal(users_find(users, "late", &user), USERS_NOT_FOUND);
}

/* What a login asks for: the user, and then a lease. */
static enum users_result lease_network(struct users *users, const char *name,
				       const struct prefix6 *pool, uint8_t length,
				       struct prefix6 *lease)
{
	struct user user;
	enum users_result result = users_find(users, name, &user);

	if (result == USERS_OK)
		result = users_lease_network(users, &user, pool, length);
	if (result == USERS_OK) {
		assert_true(user.networks.n);
		*lease = user.networks.list[0];
	}
	return result;
}

static enum users_result lease_host(struct users *users, const char *name,
				    const struct prefix6 *host_prefix, struct in6_addr *host)
{
	struct user user;
	enum users_result result = users_find(users, name, &user);

	if (result == USERS_OK)
		result = users_lease_host(users, &user, host_prefix);
	if (result == USERS_OK) {
		assert_true(user.has_host);
		*host = user.host;
	}
	return result;
}

static void assert_network(struct users *users, const char *name, const char *pool, uint8_t length,
			   const char *expected)
{
	struct prefix6 from = prefix(pool), lease;
	char text[PREFIX6_STRLEN];

	assert_int_equal(lease_network(users, name, &from, length, &lease), USERS_OK);
	assert_string_equal(prefix6_format(&lease, text), expected);
}

static void assert_no_network(struct users *users, const char *name, const char *pool,
			      uint8_t length, enum users_result expected)
{
	struct prefix6 from, lease;

	if (pool)
		from = prefix(pool);
	assert_int_equal(lease_network(users, name, pool ? &from : NULL, length, &lease), expected);
}

static void assert_host(struct users *users, const char *name, const char *host_prefix,
			const char *expected)
{
	struct prefix6 from = prefix(host_prefix);
	char text[INET6_ADDRSTRLEN];
	struct in6_addr host;

	assert_int_equal(lease_host(users, name, &from, &host), USERS_OK);
	assert_non_null(inet_ntop(AF_INET6, &host, text, sizeof(text)));
	assert_string_equal(text, expected);
}

/* Runs SQL on the file behind the library's back, as another program could. */
static int run_sql(const char *path, const char *sql)
{
	sqlite3 *db = NULL;
	int code;

	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	(void)sqlite3_busy_timeout(db, 1000);
	code = sqlite3_exec(db, sql, NULL, NULL, NULL);
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
	return code;
}

static int take_number(void *arg, int n, char **values, char **names)
{
	(void)n;
	(void)names;
	*(long *)arg = strtol(values[0], NULL, 10);
	return 0;
}

/* What SQL answers with, in the first column of its last row. */
static long number_of(const char *path, const char *sql)
{
	sqlite3 *db = NULL;
	long number = -1;

	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, sql, take_number, &number, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
	return number;
}

struct told {
	int64_t ids[8];
	size_t count;
	size_t refuse_at; /* the call, from 1 on, that is not taken; 0: none */
};

static bool tell(int64_t id, void *arg)
{
	struct told *told = arg;

	if (told->count + 1 == told->refuse_at)
		return false;
	assert_in_range(told->count, 0, 7);
	told->ids[told->count++] = id;
	return true;
}

/* Exactly these users have changed, in this order; the list ends with -1. */
static void assert_changes(struct users *users, const int64_t *expected)
{
	struct told told = {.count = 0};
	size_t count = 0;

	assert_int_equal(users_changes(users, tell, &told), USERS_OK);
	while (expected[count] != -1)
		count++;
	assert_int_equal(told.count, count);
	for (size_t i = 0; i < count; i++)
		assert_int_equal(told.ids[i], expected[i]);
}

#define IDS(...) ((const int64_t[]){__VA_ARGS__, -1})
#define NOBODY	 ((const int64_t[]){-1})

static int64_t id_of(struct users *users, const char *name)
{
	struct user user;

	assert_int_equal(users_find(users, name, &user), USERS_OK);
	return user.id;
}

static void write_file(const char *path, const char *text, size_t size, mode_t mode)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, mode);

	assert_int_not_equal(fd, -1);
	assert_int_equal(write(fd, text, size), (ssize_t)size);
	assert_int_equal(close(fd), 0);
}

static int set_up_directory(void **state)
{
	struct place *place = calloc(1, sizeof(*place));

	assert_non_null(place);
	/* In memory if that is there: a disk has to be waited for at every change. */
	(void)strcpy(place->directory, "/dev/shm/dtcp-users-XXXXXX");
	if (!mkdtemp(place->directory)) {
		(void)strcpy(place->directory, "/tmp/dtcp-users-XXXXXX");
		assert_non_null(mkdtemp(place->directory));
	}
	(void)snprintf(place->path, sizeof(place->path), "%s/users.db", place->directory);
	*state = place;
	return 0;
}

static int set_up(void **state)
{
	struct place *place;

	(void)set_up_directory(state);
	place = *state;
	place->users = open_users(place->path, true);
	return 0;
}

static void remove_file(const char *directory, const char *name)
{
	char path[160];

	(void)snprintf(path, sizeof(path), "%s/%s", directory, name);
	if (unlink(path) == -1)
		(void)rmdir(path);
}

static int tear_down(void **state)
{
	static const char *const names[] = {"users.db", "users.db-wal", "users.db-shm", "other.db",
					    "users.db-journal"};
	struct place *place = *state;

	users_close(place->users);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		remove_file(place->directory, names[i]);
	/* Fails where anything else was left behind: temporary files, for example. */
	assert_int_equal(rmdir(place->directory), 0);
	free(place);
	return 0;
}

/* --- records ------------------------------------------------------------------------------ */

static void test_add_and_find(void **state)
{
	struct place *place = *state;
	struct user user;
	int64_t now = (int64_t)time(NULL);

	add(place->users, "alice");
	assert_int_equal(users_find(place->users, "alice", &user), USERS_OK);
	assert_string_equal(user.name, "alice");
	assert_string_equal(user.password, "secret");
	assert_true(user.id > 0);
	assert_true(user.created >= now && user.created <= now + 60);
	assert_false(user.has_fixed || user.networks.n || user.has_host);
	assert_int_equal(users_find(place->users, "Alice", &user), USERS_NOT_FOUND);
	assert_int_equal(users_find(place->users, "' OR 1 --", &user), USERS_NOT_FOUND);
}

static void test_add_fixed(void **state)
{
	struct place *place = *state;
	struct prefix6 expected = prefix("2001:db8:7::/48");
	struct user user;

	add_fixed(place->users, "alice", "2001:db8:7::/48");
	assert_int_equal(users_find(place->users, "alice", &user), USERS_OK);
	assert_true(user.has_fixed && user.networks.n);
	assert_false(user.has_host);
	assert_memory_equal(&user.networks.list[0].addr, &expected.addr, sizeof(expected.addr));
	assert_int_equal(user.networks.list[0].len, 48);
}

static void test_add_twice(void **state)
{
	struct place *place = *state;
	struct prefix6 fixed = prefix("2001:db8:7::/48");
	char other[DTCP_USER_MAX + 1] = "";
	struct user user;

	add(place->users, "alice");
	assert_int_equal(users_add(place->users, "alice", "other", NULL, other), USERS_EXISTS);
	assert_int_equal(users_add(place->users, "alice", "other", &fixed, other), USERS_EXISTS);
	assert_int_equal(users_find(place->users, "alice", &user), USERS_OK);
	assert_string_equal(user.password, "secret");
	assert_false(user.has_fixed);
}

static void test_add_impossible(void **state)
{
	struct place *place = *state;
	char other[DTCP_USER_MAX + 1] = "";
	char name[DTCP_USER_MAX + 2];
	char password[DTCP_PASSWORD_MAX + 2];
	struct user user;

	memset(name, 'n', sizeof(name));
	memset(password, 'p', sizeof(password));
	name[DTCP_USER_MAX + 1] = password[DTCP_PASSWORD_MAX + 1] = '\0';
	assert_int_equal(users_add(place->users, name, "secret", NULL, other), USERS_FAILED);
	assert_non_null(strstr(users_error(place->users), "users.db: not a possible user name"));
	assert_int_equal(users_add(place->users, "", "secret", NULL, other), USERS_FAILED);
	assert_int_equal(users_add(place->users, "a b", "secret", NULL, other), USERS_FAILED);
	assert_int_equal(users_add(place->users, "alice", password, NULL, other), USERS_FAILED);
	assert_non_null(strstr(users_error(place->users), "users.db: not a possible password"));

	/* One byte less each is the most that there can be. */
	name[DTCP_USER_MAX] = password[DTCP_PASSWORD_MAX] = '\0';
	assert_int_equal(users_add(place->users, name, password, NULL, other), USERS_OK);
	assert_int_equal(users_find(place->users, name, &user), USERS_OK);
	assert_string_equal(user.name, name);
	assert_string_equal(user.password, password);
}

static void test_set_password(void **state)
{
	struct place *place = *state;
	struct user before, after;

	add(place->users, "alice");
	assert_int_equal(users_find(place->users, "alice", &before), USERS_OK);
	assert_int_equal(users_set_password(place->users, "alice", "p\xc3\xa4ss word"), USERS_OK);
	assert_int_equal(users_find(place->users, "alice", &after), USERS_OK);
	assert_string_equal(after.password, "p\xc3\xa4ss word");
	assert_int_equal(after.id, before.id);
	assert_int_equal(users_set_password(place->users, "bob", "x"), USERS_NOT_FOUND);
	assert_int_equal(users_set_password(place->users, "alice", ""), USERS_FAILED);
}

static void test_delete(void **state)
{
	struct place *place = *state;
	struct user before, after;

	add_fixed(place->users, "alice", "2001:db8:7::/48");
	assert_host(place->users, "alice", "2001:db8:1::/64", "2001:db8:1::2");
	assert_int_equal(users_find(place->users, "alice", &before), USERS_OK);
	assert_int_equal(users_delete(place->users, "alice"), USERS_OK);
	assert_int_equal(users_delete(place->users, "alice"), USERS_NOT_FOUND);
	assert_int_equal(users_find(place->users, "alice", &after), USERS_NOT_FOUND);

	/* All that belonged to her is free, though not the next address, nor ever her number. */
	add_fixed(place->users, "bob", "2001:db8:7::/48");
	assert_host(place->users, "bob", "2001:db8:1::/64", "2001:db8:1::3");
	assert_int_equal(users_find(place->users, "bob", &after), USERS_OK);
	assert_true(after.id > before.id);
}

struct seen {
	char names[64];
	int limit;
};

static bool see(const struct user *user, void *arg)
{
	struct seen *seen = arg;

	assert_string_equal(user->password, "");
	assert_true(strlen(seen->names) + strlen(user->name) + 2 < sizeof(seen->names));
	strcat(seen->names, user->name);
	strcat(seen->names, user->has_fixed ? "!" : " ");
	return --seen->limit > 0;
}

static void test_each(void **state)
{
	struct place *place = *state;
	struct seen seen = {.limit = 10};

	assert_int_equal(users_each(place->users, see, &seen), USERS_OK);
	assert_string_equal(seen.names, "");
	add(place->users, "carol");
	add(place->users, "Alice");
	add_fixed(place->users, "bob", "2001:db8:7::/48");
	assert_int_equal(users_each(place->users, see, &seen), USERS_OK);
	assert_string_equal(seen.names, "Alice bob!carol ");
	seen = (struct seen){.limit = 2};
	assert_int_equal(users_each(place->users, see, &seen), USERS_OK);
	assert_string_equal(seen.names, "Alice bob!");
}

/* --- overlap ------------------------------------------------------------------------------ */

static void test_overlap_fixed(void **state)
{
	struct place *place = *state;

	add_fixed(place->users, "alice", "2001:db8:100::/48");
	add_fixed(place->users, "bob", "2001:db8:200::/48");
	assert_add_overlaps(place->users, "2001:db8:100::/48", "alice");
	assert_add_overlaps(place->users, "2001:db8:100:ff00::/56", "alice");
	assert_add_overlaps(place->users, "2001:db8:100:ffff:ffff:ffff:ffff:ffff/128", "alice");
	assert_add_overlaps(place->users, "2001:db8:100::/128", "alice");
	assert_add_overlaps(place->users, "2001:db8:100::/40", "alice");
	assert_add_overlaps(place->users, "2001:db8:200::/39", "bob");
	/* The neighbours on either side are free. */
	add_fixed(place->users, "below", "2001:db8:ff::/48");
	add_fixed(place->users, "above", "2001:db8:101::/48");
	add_fixed(place->users, "far", "fd00::/8");
	assert_add_overlaps(place->users, "2001:db8:100:5::/64", "alice");
	assert_add_overlaps(place->users, "fdff::/16", "far");
}

static void test_overlap_leases(void **state)
{
	struct place *place = *state;

	add(place->users, "alice");
	add(place->users, "bob");
	assert_network(place->users, "alice", "2001:db8:100::/40", 56, "2001:db8:100:100::/56");
	assert_host(place->users, "bob", "2001:db8:1::/64", "2001:db8:1::2");
	assert_add_overlaps(place->users, "2001:db8:100:100::/56", "alice");
	assert_add_overlaps(place->users, "2001:db8:100:180::/64", "alice");
	assert_add_overlaps(place->users, "2001:db8:100::/48", "alice");
	assert_add_overlaps(place->users, "2001:db8:1::/64", "bob");
	assert_add_overlaps(place->users, "2001:db8:1::2/128", "bob");
}

/* 2001:db8:300::/56 */
#define SPARE " x'20010db8030000000000000000000000', x'20010db8030000ffffffffffffffffff', 56"

static void test_overlap_other_program(void **state)
{
	struct place *place = *state;

	/* The file itself refuses an overlap, whoever writes it. */
	add_fixed(place->users, "alice", "2001:db8:100::/48");
	add(place->users, "bob");
	assert_int_equal(run_sql(place->path, "INSERT INTO block VALUES (2, 1, 1,"
					      " x'20010db8010000000000000000000000',"
					      " x'20010db8010000ffffffffffffffffff', 56, 1)"),
			 SQLITE_CONSTRAINT);
	/* Nor does it take two active ones of a kind, or a dormant one that was fixed. */
	assert_network(place->users, "bob", "2001:db8:200::/40", 56, "2001:db8:200:100::/56");
	assert_int_equal(run_sql(place->path, "INSERT INTO block VALUES (2, 1, 0," SPARE ", 1)"),
			 SQLITE_CONSTRAINT);
	assert_int_equal(run_sql(place->path, "INSERT INTO block VALUES (2, 1, 1," SPARE ", 0)"),
			 SQLITE_CONSTRAINT);
	assert_int_equal(run_sql(place->path, "INSERT INTO block VALUES (2, 1, 0," SPARE ", 0)"),
			 SQLITE_OK);
}

/* --- network leases ----------------------------------------------------------------------- */

static void test_network_sticky(void **state)
{
	struct place *place = *state;
	struct user user;

	add(place->users, "alice");
	add(place->users, "bob");
	add(place->users, "carol");
	assert_network(place->users, "bob", "2001:db8:100::/40", 56, "2001:db8:100:100::/56");
	assert_network(place->users, "alice", "2001:db8:100::/40", 56, "2001:db8:100:200::/56");
	assert_network(place->users, "bob", "2001:db8:100::/40", 56, "2001:db8:100:100::/56");
	users_close(place->users);
	place->users = open_users(place->path, false);
	assert_network(place->users, "alice", "2001:db8:100::/40", 56, "2001:db8:100:200::/56");
	assert_int_equal(users_find(place->users, "alice", &user), USERS_OK);
	assert_true(user.networks.n);
	assert_false(user.has_fixed);
	assert_int_equal(user.networks.list[0].len, 56);
	/* What a deleted user had is not given out again while there is something else. */
	assert_int_equal(users_delete(place->users, "bob"), USERS_OK);
	assert_network(place->users, "carol", "2001:db8:100::/40", 56, "2001:db8:100:300::/56");
	assert_no_network(place->users, "bob", "2001:db8:100::/40", 56, USERS_NOT_FOUND);
}

static void test_network_exhausted(void **state)
{
	struct place *place = *state;
	char name[16];

	/* A /60 has sixteen /64, of which the first is the server's own. */
	for (int i = 1; i <= 15; i++) {
		char expected[PREFIX6_STRLEN];

		(void)snprintf(name, sizeof(name), "user%d", i);
		add(place->users, name);
		(void)snprintf(expected, sizeof(expected), "2001:db8:0:%x::/64", 0x10 + i);
		assert_network(place->users, name, "2001:db8:0:10::/60", 64, expected);
	}
	add(place->users, "late");
	assert_no_network(place->users, "late", "2001:db8:0:10::/60", 64, USERS_FULL);
	assert_network(place->users, "user15", "2001:db8:0:10::/60", 64, "2001:db8:0:1f::/64");
	assert_int_equal(users_delete(place->users, "user7"), USERS_OK);
	assert_network(place->users, "late", "2001:db8:0:10::/60", 64, "2001:db8:0:17::/64");
}

/* What became free comes last, and what became free first comes first. */
static void test_freed_comes_late(void **state)
{
	struct place *place = *state;
	char name[16];

	for (int i = 1; i <= 20; i++) {
		(void)snprintf(name, sizeof(name), "user%d", i);
		add(place->users, name);
		if (i <= 10)
			assert_no_network(place->users, name, "2001:db8:0:10::/60", 64, USERS_OK);
	}
	assert_int_equal(users_delete(place->users, "user7"), USERS_OK);
	assert_int_equal(users_delete(place->users, "user2"), USERS_OK);
	assert_int_equal(users_delete(place->users, "user9"), USERS_OK);
	/* It has not been thought of yet, so it is given out on the way. */
	add_fixed(place->users, "ahead", "2001:db8:0:1d::/64");
	assert_int_equal(users_delete(place->users, "ahead"), USERS_OK);
	/* Nor does that depend on who is running. */
	users_close(place->users);
	place->users = open_users(place->path, false);
	assert_network(place->users, "user11", "2001:db8:0:10::/60", 64, "2001:db8:0:1b::/64");
	assert_network(place->users, "user12", "2001:db8:0:10::/60", 64, "2001:db8:0:1c::/64");
	assert_network(place->users, "user13", "2001:db8:0:10::/60", 64, "2001:db8:0:1d::/64");
	assert_network(place->users, "user14", "2001:db8:0:10::/60", 64, "2001:db8:0:1e::/64");
	assert_network(place->users, "user15", "2001:db8:0:10::/60", 64, "2001:db8:0:1f::/64");
	assert_network(place->users, "user16", "2001:db8:0:10::/60", 64, "2001:db8:0:17::/64");
	/* What the administrator gives to somebody is no more to be had. */
	add_fixed(place->users, "fixed", "2001:db8:0:12::/64");
	assert_network(place->users, "user17", "2001:db8:0:10::/60", 64, "2001:db8:0:19::/64");
	assert_no_network(place->users, "user18", "2001:db8:0:10::/60", 64, USERS_FULL);
	assert_int_equal(users_delete(place->users, "fixed"), USERS_OK);
	assert_network(place->users, "user18", "2001:db8:0:10::/60", 64, "2001:db8:0:12::/64");
	assert_no_network(place->users, "user19", "2001:db8:0:10::/60", 64, USERS_FULL);
}

/* One that was larger than a lease makes several; parts of one make one when all are free. */
static void test_freed_of_other_lengths(void **state)
{
	struct place *place = *state;

	add_fixed(place->users, "large", "2001:db8:0:14::/62");
	add_fixed(place->users, "small", "2001:db8:0:18:8000::/65");
	add_fixed(place->users, "tiny", "2001:db8:0:18::7/128");
	add_fixed(place->users, "rest", "2001:db8:0:1a::/63");
	add_fixed(place->users, "own", "2001:db8:0:10::/64");
	add_fixed(place->users, "end", "2001:db8:0:1c::/62");
	for (int i = 0; i < 12; i++) {
		char name[16];

		(void)snprintf(name, sizeof(name), "user%d", i);
		add(place->users, name);
	}
	assert_network(place->users, "user0", "2001:db8:0:10::/60", 64, "2001:db8:0:11::/64");
	assert_network(place->users, "user1", "2001:db8:0:10::/60", 64, "2001:db8:0:12::/64");
	assert_network(place->users, "user2", "2001:db8:0:10::/60", 64, "2001:db8:0:13::/64");
	assert_network(place->users, "user3", "2001:db8:0:10::/60", 64, "2001:db8:0:19::/64");
	assert_no_network(place->users, "user4", "2001:db8:0:10::/60", 64, USERS_FULL);
	/* The pool's first is the server's. */
	assert_int_equal(users_delete(place->users, "own"), USERS_OK);
	assert_no_network(place->users, "user4", "2001:db8:0:10::/60", 64, USERS_FULL);
	assert_int_equal(users_delete(place->users, "small"), USERS_OK);
	assert_no_network(place->users, "user4", "2001:db8:0:10::/60", 64, USERS_FULL);
	assert_int_equal(users_delete(place->users, "tiny"), USERS_OK);
	assert_int_equal(users_delete(place->users, "large"), USERS_OK);
	assert_int_equal(users_delete(place->users, "end"), USERS_OK);
	assert_network(place->users, "user4", "2001:db8:0:10::/60", 64, "2001:db8:0:18::/64");
	assert_network(place->users, "user5", "2001:db8:0:10::/60", 64, "2001:db8:0:14::/64");
	add_fixed(place->users, "again", "2001:db8:0:15::/64");
	assert_network(place->users, "user6", "2001:db8:0:10::/60", 64, "2001:db8:0:16::/64");
	assert_network(place->users, "user7", "2001:db8:0:10::/60", 64, "2001:db8:0:17::/64");
	assert_network(place->users, "user8", "2001:db8:0:10::/60", 64, "2001:db8:0:1c::/64");
}

/* A prefix that was fixed in the way of the other kind of lease. */
static void test_freed_is_for_all_pools(void **state)
{
	const struct prefix6 pool = prefix("2001:db8:1::/125");
	struct place *place = *state;
	struct in6_addr host;

	add_fixed(place->users, "fixed", "2001:db8:1::4/127");
	for (int i = 0; i < 5; i++) {
		char name[16];

		(void)snprintf(name, sizeof(name), "user%d", i);
		add(place->users, name);
	}
	assert_host(place->users, "user0", "2001:db8:1::/125", "2001:db8:1::2");
	assert_host(place->users, "user1", "2001:db8:1::/125", "2001:db8:1::3");
	assert_host(place->users, "user2", "2001:db8:1::/125", "2001:db8:1::6");
	assert_host(place->users, "user3", "2001:db8:1::/125", "2001:db8:1::7");
	assert_int_equal(lease_host(place->users, "user4", &pool, &host), USERS_FULL);
	assert_int_equal(users_delete(place->users, "fixed"), USERS_OK);
	assert_host(place->users, "user4", "2001:db8:1::/125", "2001:db8:1::4");
}

/* What is reserved is stepped over, and whoever has a part of it is moved. */
static void test_reserved(void **state)
{
	const struct prefix6 hosts[] = {prefix("2001:db8:1::3/128"), prefix("2001:db8:1::4/126")};
	const struct prefix6 networks[] = {prefix("2001:db8:0:22::/63"),
					   prefix("2001:db8:0:26::1/128")};
	struct place *place = *state;

	for (int i = 0; i < 4; i++) {
		char name[16];

		(void)snprintf(name, sizeof(name), "user%d", i);
		add(place->users, name);
	}
	add_fixed(place->users, "fixed", "2001:db8:0:23::/64");
	assert_host(place->users, "user0", "2001:db8:1::/64", "2001:db8:1::2");
	assert_host(place->users, "user1", "2001:db8:1::/64", "2001:db8:1::3");
	assert_network(place->users, "user0", "2001:db8:0:20::/60", 64, "2001:db8:0:21::/64");
	assert_network(place->users, "user1", "2001:db8:0:20::/60", 64, "2001:db8:0:22::/64");
	assert_true(users_reserve(place->users, hosts, 2));
	assert_host(place->users, "user0", "2001:db8:1::/64", "2001:db8:1::2");
	assert_host(place->users, "user1", "2001:db8:1::/64", "2001:db8:1::8");
	assert_host(place->users, "user2", "2001:db8:1::/64", "2001:db8:1::9");
	assert_true(users_reserve(place->users, networks, 2));
	assert_network(place->users, "user0", "2001:db8:0:20::/60", 64, "2001:db8:0:21::/64");
	assert_network(place->users, "user1", "2001:db8:0:20::/60", 64, "2001:db8:0:24::/64");
	assert_network(place->users, "user2", "2001:db8:0:20::/60", 64, "2001:db8:0:25::/64");
	assert_network(place->users, "user3", "2001:db8:0:20::/60", 64, "2001:db8:0:27::/64");
	/* An administrator knows better. */
	assert_network(place->users, "fixed", "2001:db8:0:20::/60", 64, "2001:db8:0:23::/64");
	assert_true(users_reserve(place->users, NULL, 0));
	assert_host(place->users, "user3", "2001:db8:1::/64", "2001:db8:1::a");
	/* As large as the pool. */
	assert_true(users_reserve(place->users,
				  &(const struct prefix6){.addr = {{{0x20}}}, .len = 3}, 1));
	assert_no_network(place->users, "user0", "2001:db8:0:20::/60", 64, USERS_FULL);
}

static void test_network_no_room(void **state)
{
	struct place *place = *state;

	add(place->users, "alice");
	assert_no_network(place->users, "alice", NULL, 56, USERS_FULL);
	assert_no_network(place->users, "nobody", NULL, 56, USERS_NOT_FOUND);
	/* A pool as long as a lease has only the server's own; a longer one has not even that. */
	assert_no_network(place->users, "alice", "2001:db8::/56", 56, USERS_FULL);
	assert_no_network(place->users, "alice", "2001:db8::/64", 56, USERS_FULL);
	assert_no_network(place->users, "alice", "2001:db8::/56", 129, USERS_FULL);
	/* The end of all addresses is no wall to run through. */
	assert_network(place->users, "alice", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe/127", 128,
		       "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff/128");
	add(place->users, "bob");
	assert_no_network(place->users, "bob", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe/127", 128,
			  USERS_FULL);
}

static void test_network_odd_lengths(void **state)
{
	struct place *place = *state;

	/* Steps within a byte and with a carry into the next: 0xfe00 + 0x0200, bit 55. */
	for (int i = 1; i <= 129; i++) {
		char name[16];

		(void)snprintf(name, sizeof(name), "user%d", i);
		add(place->users, name);
		if (i == 127)
			assert_network(place->users, name, "2001:db8:40::/42", 55,
				       "2001:db8:40:fe00::/55");
		else if (i == 128)
			assert_network(place->users, name, "2001:db8:40::/42", 55,
				       "2001:db8:41::/55");
		else
			assert_no_network(place->users, name, "2001:db8:40::/42", 55, USERS_OK);
	}
	assert_network(place->users, "user129", "2001:db8:40::/42", 55, "2001:db8:41:200::/55");
}

static void test_network_fixed_in_pool(void **state)
{
	struct place *place = *state;

	add_fixed(place->users, "small", "2001:db8:100:140::/64");
	add_fixed(place->users, "large", "2001:db8:100:200::/55");
	add_fixed(place->users, "first", "2001:db8:100::/64");
	add(place->users, "alice");
	add(place->users, "bob");
	/* 0100 has small's, 0200 and 0300 are large's. */
	assert_network(place->users, "alice", "2001:db8:100::/40", 56, "2001:db8:100:400::/56");
	assert_network(place->users, "bob", "2001:db8:100::/40", 56, "2001:db8:100:500::/56");
	/* A fixed prefix is what its user gets, also of another length or without a pool. */
	assert_network(place->users, "small", "2001:db8:100::/40", 56, "2001:db8:100:140::/64");
	assert_no_network(place->users, "large", NULL, 56, USERS_OK);
	/* A fixed prefix that covers the whole pool from before its start. */
	add_fixed(place->users, "huge", "2001:db9::/32");
	add(place->users, "carol");
	assert_no_network(place->users, "carol", "2001:db9:7000::/40", 56, USERS_FULL);
}

static void test_network_reaches_into_pool(void **state)
{
	struct place *place = *state;

	/* It begins before the pool's first lease and ends in the third. */
	add_fixed(place->users, "wide", "2001:db8:100::/54");
	add_fixed(place->users, "before", "2001:db8:ff::/48");
	add(place->users, "alice");
	assert_network(place->users, "alice", "2001:db8:100::/40", 56, "2001:db8:100:400::/56");
}

static void test_network_pool_changed(void **state)
{
	struct place *place = *state;

	add(place->users, "alice");
	add(place->users, "bob");
	assert_network(place->users, "alice", "2001:db8:100::/40", 56, "2001:db8:100:100::/56");
	assert_network(place->users, "bob", "2001:db8:100::/40", 56, "2001:db8:100:200::/56");
	/* Another length, another pool: a new lease, and each of them is there when it fits again.
	 */
	assert_network(place->users, "alice", "2001:db8:100::/40", 60, "2001:db8:100:10::/60");
	assert_network(place->users, "alice", "2001:db8:300::/40", 60, "2001:db8:300:10::/60");
	assert_network(place->users, "alice", "2001:db8:100::/40", 56, "2001:db8:100:100::/56");
	assert_network(place->users, "alice", "2001:db8:100::/40", 60, "2001:db8:100:10::/60");
	/* A smaller pool around the lease keeps it, but not as its first prefix. */
	assert_network(place->users, "bob", "2001:db8:100::/48", 56, "2001:db8:100:200::/56");
	assert_network(place->users, "bob", "2001:db8:100:200::/55", 56, "2001:db8:100:300::/56");
	/* Nothing new to be had: the old lease is kept for when the pool comes back. */
	assert_no_network(place->users, "bob", "2001:db8::/56", 56, USERS_FULL);
	assert_no_network(place->users, "bob", "2001:db8:100::/55", 56, USERS_FULL);
	assert_no_network(place->users, "bob", NULL, 56, USERS_FULL);
	assert_network(place->users, "bob", "2001:db8:100::/40", 56, "2001:db8:100:300::/56");
}

static void test_network_fixed_later(void **state)
{
	struct place *place = *state;

	add(place->users, "alice");
	add(place->users, "bob");
	assert_network(place->users, "alice", "2001:db8:100::/40", 56, "2001:db8:100:100::/56");
	assert_int_equal(run_sql(place->path, "REPLACE INTO block VALUES (1, 1, 1,"
					      " x'20010db8070000000000000000000000',"
					      " x'20010db80700ffffffffffffffffffff', 48, 1)"),
			 SQLITE_OK);
	assert_network(place->users, "alice", "2001:db8:100::/40", 56, "2001:db8:700::/48");
	assert_network(place->users, "bob", "2001:db8:100::/40", 56, "2001:db8:100:200::/56");
}

/* --- host leases -------------------------------------------------------------------------- */

static void test_host(void **state)
{
	struct place *place = *state;
	struct prefix6 host_prefix = prefix("2001:db8:1::/64");
	struct in6_addr host;
	struct user user;

	add_fixed(place->users, "alice", "2001:db8:1::4/126");
	add(place->users, "bob");
	add(place->users, "carol");
	add(place->users, "dave");
	assert_host(place->users, "bob", "2001:db8:1::/64", "2001:db8:1::2");
	assert_host(place->users, "carol", "2001:db8:1::/64", "2001:db8:1::3");
	assert_host(place->users, "dave", "2001:db8:1::/64", "2001:db8:1::8");
	assert_host(place->users, "carol", "2001:db8:1::/64", "2001:db8:1::3");
	assert_int_equal(users_find(place->users, "dave", &user), USERS_OK);
	assert_true(user.has_host);
	assert_false(user.networks.n);
	assert_int_equal(user.host.s6_addr[15], 8);
	/* Another /64: a new address, and the old one is still nobody else's. */
	assert_host(place->users, "bob", "2001:db8:2::/64", "2001:db8:2::2");
	assert_host(place->users, "alice", "2001:db8:1::/64", "2001:db8:1::9");
	assert_int_equal(lease_host(place->users, "nobody", &host_prefix, &host), USERS_NOT_FOUND);
}

static void test_host_carry(void **state)
{
	struct place *place = *state;

	add_fixed(place->users, "alice", "2001:db8:1::/112");
	add_fixed(place->users, "bob", "2001:db8:2::/64");
	add(place->users, "carol");
	assert_host(place->users, "carol", "2001:db8:1::/64", "2001:db8:1::1:0");

	struct prefix6 taken = prefix("2001:db8:2::/64");
	struct in6_addr host;

	assert_int_equal(lease_host(place->users, "alice", &taken, &host), USERS_FULL);
	/* Both kinds of lease live side by side. */
	assert_network(place->users, "carol", "2001:db8:100::/40", 56, "2001:db8:100:100::/56");
	assert_host(place->users, "carol", "2001:db8:1::/64", "2001:db8:1::1:0");
}

static void test_pools_that_overlap(void **state)
{
	struct place *place = *state;

	/* host.prefix inside the pool is not wise, but nobody gets anything twice. */
	add(place->users, "alice");
	add(place->users, "bob");
	assert_host(place->users, "alice", "2001:db8:100:100::/64", "2001:db8:100:100::2");
	assert_network(place->users, "alice", "2001:db8:100::/40", 56, "2001:db8:100:200::/56");
	assert_network(place->users, "bob", "2001:db8:100::/40", 56, "2001:db8:100:300::/56");
}

/* --- leases that do not fit --------------------------------------------------------------- */

static void assert_outside(struct users *users, const char *pool, uint8_t length,
			   const char *host_prefix, size_t expected)
{
	struct prefix6 network, host;
	size_t count = SIZE_MAX;

	if (pool)
		network = prefix(pool);
	if (host_prefix)
		host = prefix(host_prefix);
	assert_int_equal(users_count_outside(users, pool ? &network : NULL, length,
					     host_prefix ? &host : NULL, &count),
			 USERS_OK);
	assert_int_equal(count, expected);
}

/* Counts to the end, and returns in how many pieces. */
static unsigned int count_usage(struct users *users, const char *pool, const char *host_prefix,
				struct users_usage *usage)
{
	struct prefix6 network, host;
	unsigned int pieces = 0;
	bool done = false;

	if (pool)
		network = prefix(pool);
	if (host_prefix)
		host = prefix(host_prefix);
	users_usage_begin(usage);
	for (; !done; pieces++)
		assert_int_equal(users_usage_go_on(users, usage, pool ? &network : NULL,
						   host_prefix ? &host : NULL, &done),
				 USERS_OK);
	return pieces;
}

static void test_usage(void **state)
{
	struct place *place = *state;
	struct users_usage usage;
	char name[16];

	(void)count_usage(place->users, "2001:db8:100::/40", "2001:db8:1::/64", &usage);
	assert_int_equal(usage.users + usage.network + usage.host, 0);
	/* More than a piece. */
	users_gather(place->users);
	for (int i = 0; i < 1200; i++) {
		(void)snprintf(name, sizeof(name), "user%d", i);
		add(place->users, name);
	}
	for (int i = 0; i < 1100; i++) {
		struct prefix6 pool = prefix("2001:db8:100::/40"), host = prefix("2001:db8:1::/64");
		struct user user;

		(void)snprintf(name, sizeof(name), "user%d", i);
		assert_int_equal(users_find(place->users, name, &user), USERS_OK);
		assert_int_equal(users_lease_network(place->users, &user, &pool, 56), USERS_OK);
		if (i < 3)
			assert_int_equal(users_lease_host(place->users, &user, &host), USERS_OK);
	}
	assert_int_equal(users_flush(place->users), USERS_OK);
	assert_true(count_usage(place->users, "2001:db8:100::/40", "2001:db8:1::/64", &usage) >= 6);
	assert_int_equal(usage.users, 1200);
	assert_int_equal(usage.network, 1100);
	assert_int_equal(usage.host, 3);
	/* What is elsewhere is not of these pools; dormant ones are. */
	(void)count_usage(place->users, "2001:db8:200::/40", NULL, &usage);
	assert_int_equal(usage.network + usage.host, 0);
	assert_network(place->users, "user0", "2001:db8:200::/40", 56, "2001:db8:200:100::/56");
	(void)count_usage(place->users, "2001:db8:100::/40", NULL, &usage);
	assert_int_equal(usage.network, 1100);
}

/* A mistyped pool, in which users come in another order: nothing is lost, and nothing swapped. */
static void test_pool_comes_back(void **state)
{
	struct place *place = *state;
	struct user user;

	add(place->users, "alice");
	add(place->users, "bob");
	assert_network(place->users, "alice", "2001:db8:100::/40", 56, "2001:db8:100:100::/56");
	assert_network(place->users, "bob", "2001:db8:100::/40", 56, "2001:db8:100:200::/56");
	assert_host(place->users, "alice", "2001:db8:1::/64", "2001:db8:1::2");
	assert_host(place->users, "bob", "2001:db8:1::/64", "2001:db8:1::3");
	for (int i = 0; i < 2; i++) {
		assert_network(place->users, "bob", "2001:db8:200::/40", 56,
			       "2001:db8:200:100::/56");
		assert_network(place->users, "alice", "2001:db8:200::/40", 56,
			       "2001:db8:200:200::/56");
		assert_host(place->users, "bob", "2001:db8:2::/64", "2001:db8:2::2");
		assert_host(place->users, "alice", "2001:db8:2::/64", "2001:db8:2::3");
		assert_int_equal(users_find(place->users, "bob", &user), USERS_OK);
		assert_int_equal(user.networks.list[0].addr.s6_addr[4], 2);
		users_close(place->users);
		place->users = open_users(place->path, false);
		assert_network(place->users, "bob", "2001:db8:100::/40", 56,
			       "2001:db8:100:200::/56");
		assert_network(place->users, "alice", "2001:db8:100::/40", 56,
			       "2001:db8:100:100::/56");
		assert_host(place->users, "bob", "2001:db8:1::/64", "2001:db8:1::3");
		assert_host(place->users, "alice", "2001:db8:1::/64", "2001:db8:1::2");
	}
	/* Nobody has more than the two of each kind. */
	assert_outside(place->users, NULL, 56, NULL, 8);
}

/* Nobody else can get any part of it meanwhile, nor can an administrator give it away. */
static void test_dormant_is_not_assigned(void **state)
{
	const struct prefix6 alices = prefix("2001:db8:0:11::/64");
	struct place *place = *state;
	struct in6_addr host;

	add(place->users, "alice");
	add(place->users, "bob");
	add(place->users, "carol");
	add(place->users, "dave");
	assert_network(place->users, "alice", "2001:db8:0:10::/60", 64, "2001:db8:0:11::/64");
	assert_network(place->users, "bob", "2001:db8:0:10::/60", 64, "2001:db8:0:12::/64");
	/* Half as long each: the first half of the first is the server's own. */
	assert_network(place->users, "carol", "2001:db8:0:10::/60", 65, "2001:db8:0:10:8000::/65");
	assert_network(place->users, "alice", "2001:db8:0:10::/60", 65, "2001:db8:0:13::/65");
	assert_network(place->users, "dave", "2001:db8:0:10::/60", 65, "2001:db8:0:13:8000::/65");
	assert_add_overlaps(place->users, "2001:db8:0:11::/64", "alice");
	assert_add_overlaps(place->users, "2001:db8:0:13::/64", "dave");
	assert_int_equal(lease_host(place->users, "dave", &alices, &host), USERS_FULL);
}

/* Who was moved off a reserved one stays where they are, until that is not to be had. */
static void test_dormant_and_reserved(void **state)
{
	const struct prefix6 first = prefix("2001:db8:1::2/128");
	const struct prefix6 second = prefix("2001:db8:1::3/128");
	struct place *place = *state;

	add(place->users, "alice");
	add(place->users, "bob");
	assert_host(place->users, "alice", "2001:db8:1::/64", "2001:db8:1::2");
	assert_true(users_reserve(place->users, &first, 1));
	assert_host(place->users, "alice", "2001:db8:1::/64", "2001:db8:1::3");
	assert_true(users_reserve(place->users, NULL, 0));
	assert_host(place->users, "alice", "2001:db8:1::/64", "2001:db8:1::3");
	assert_host(place->users, "bob", "2001:db8:1::/64", "2001:db8:1::4");
	assert_true(users_reserve(place->users, &second, 1));
	assert_host(place->users, "alice", "2001:db8:1::/64", "2001:db8:1::2");
	/* That is not what a mistaken pool does. */
	assert_outside(place->users, NULL, 56, "2001:db8:1::/64", 0);
}

static void test_count_outside(void **state)
{
	struct place *place = *state;

	assert_outside(place->users, NULL, 56, NULL, 0);
	add(place->users, "alice");
	add(place->users, "bob");
	add_fixed(place->users, "office", "2001:db8:7::/48");
	assert_network(place->users, "alice", "2001:db8:100::/40", 56, "2001:db8:100:100::/56");
	assert_network(place->users, "bob", "2001:db8:100::/40", 56, "2001:db8:100:200::/56");
	assert_host(place->users, "bob", "2001:db8:1::/64", "2001:db8:1::2");
	assert_outside(place->users, "2001:db8:100::/40", 56, "2001:db8:1::/64", 0);
	assert_outside(place->users, "2001:db8:100::/40", 60, "2001:db8:1::/64", 2);
	assert_outside(place->users, "2001:db8:100:200::/55", 56, "2001:db8:1::/64", 2);
	assert_outside(place->users, "2001:db8:100::/40", 56, "2001:db8:2::/64", 1);
	assert_outside(place->users, "2001:db8:100::/40", 56, NULL, 1);
	assert_outside(place->users, NULL, 56, "2001:db8:1::/64", 2);
	assert_outside(place->users, NULL, 56, NULL, 3);
}

struct blocks {
	char text[512];
	int limit;
};

static bool see_block(const struct users_block *block, void *arg)
{
	char prefix_text[PREFIX6_STRLEN];
	struct blocks *blocks = arg;
	size_t len = strlen(blocks->text);

	(void)snprintf(blocks->text + len, sizeof(blocks->text) - len, "%s%s %s%s%s %s",
		       len ? ", " : "", block->user, block->host ? "host" : "network",
		       block->fixed ? " fixed" : "", block->active ? "" : " dormant",
		       prefix6_format(&block->prefix, prefix_text));
	return --blocks->limit > 0;
}

static void assert_blocks(struct users *users, const char *name, int limit, const char *expected)
{
	struct blocks blocks = {.limit = limit};

	assert_int_equal(users_each_block(users, name, see_block, &blocks), USERS_OK);
	assert_string_equal(blocks.text, expected);
}

static void test_each_block(void **state)
{
	struct place *place = *state;

	assert_blocks(place->users, NULL, 9, "");
	add(place->users, "bob");
	add(place->users, "alice");
	add_fixed(place->users, "office", "2001:db8:7::/48");
	assert_network(place->users, "bob", "2001:db8:100::/40", 56, "2001:db8:100:100::/56");
	assert_network(place->users, "bob", "2001:db8:300::/40", 56, "2001:db8:300:100::/56");
	assert_network(place->users, "bob", "2001:db8:200::/40", 56, "2001:db8:200:100::/56");
	assert_host(place->users, "bob", "2001:db8:1::/64", "2001:db8:1::2");
	assert_host(place->users, "alice", "2001:db8:1::/64", "2001:db8:1::3");
	assert_blocks(place->users, NULL, 9,
		      "alice host 2001:db8:1::3/128, bob network 2001:db8:200:100::/56, "
		      "bob network dormant 2001:db8:100:100::/56, "
		      "bob network dormant 2001:db8:300:100::/56, bob host 2001:db8:1::2/128, "
		      "office network fixed 2001:db8:7::/48");
	assert_blocks(place->users, NULL, 1, "alice host 2001:db8:1::3/128");
	assert_blocks(place->users, "alice", 9, "alice host 2001:db8:1::3/128");
	assert_blocks(place->users, "nobody", 9, "");
}

static void test_drop_lease(void **state)
{
	const struct prefix6 dormant = prefix("2001:db8:0:11::/64");
	const struct prefix6 longer = prefix("2001:db8:0:11::/65");
	const struct prefix6 fixed = prefix("2001:db8:7::/48");
	struct place *place = *state;

	add(place->users, "alice");
	add(place->users, "bob");
	add_fixed(place->users, "office", "2001:db8:7::/48");
	assert_changes(place->users, IDS(USERS_EVERYBODY));
	assert_network(place->users, "alice", "2001:db8:0:10::/63", 64, "2001:db8:0:11::/64");
	assert_network(place->users, "alice", "2001:db8:0:20::/63", 64, "2001:db8:0:21::/64");
	assert_host(place->users, "alice", "2001:db8:1::/64", "2001:db8:1::2");
	assert_no_network(place->users, "bob", "2001:db8:0:10::/63", 64, USERS_FULL);
	assert_int_equal(users_drop_lease(place->users, "nobody", NULL), USERS_NOT_FOUND);
	assert_int_equal(users_drop_lease(place->users, "bob", NULL), USERS_NO_LEASE);
	assert_int_equal(users_drop_lease(place->users, "bob", &dormant), USERS_NO_LEASE);
	assert_int_equal(users_drop_lease(place->users, "alice", &longer), USERS_NO_LEASE);
	assert_int_equal(users_drop_lease(place->users, "office", NULL), USERS_NO_LEASE);
	assert_int_equal(users_drop_lease(place->users, "office", &fixed), USERS_NO_LEASE);
	/* One of them, which is then somebody else's for good. */
	assert_int_equal(users_drop_lease(place->users, "alice", &dormant), USERS_OK);
	assert_blocks(place->users, "alice", 9,
		      "alice network 2001:db8:0:21::/64, alice host 2001:db8:1::2/128");
	assert_network(place->users, "bob", "2001:db8:0:10::/63", 64, "2001:db8:0:11::/64");
	assert_no_network(place->users, "alice", "2001:db8:0:10::/63", 64, USERS_FULL);
	/* All of them: whoever has a session with one is told. */
	assert_int_equal(users_drop_lease(place->users, "alice", NULL), USERS_OK);
	assert_blocks(place->users, "alice", 9, "");
	assert_network(place->users, "alice", "2001:db8:0:20::/63", 64, "2001:db8:0:21::/64");
}

static void test_drop_lease_is_reported(void **state)
{
	struct place *place = *state;
	struct users *second = open_users(place->path, false);

	add(place->users, "alice");
	assert_network(place->users, "alice", "2001:db8:100::/40", 56, "2001:db8:100:100::/56");
	assert_changes(place->users, IDS(USERS_EVERYBODY));
	assert_int_equal(users_drop_lease(second, "alice", NULL), USERS_OK);
	assert_changes(place->users, IDS(id_of(second, "alice")));
	users_close(second);
}

/* --- files of version 1 ------------------------------------------------------------------- */

/* As it was made at first, and what was added without another number. */
#define VERSION_1                                                                                  \
	"CREATE TABLE user (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE,"      \
	" password TEXT NOT NULL, created INTEGER NOT NULL) STRICT;"                               \
	"CREATE TABLE block (user INTEGER NOT NULL REFERENCES user (id) ON DELETE CASCADE,"        \
	" kind INTEGER NOT NULL CHECK (kind IN (1, 2)),"                                           \
	" fixed INTEGER NOT NULL CHECK (fixed IN (0, 1)),"                                         \
	" first BLOB NOT NULL CHECK (length(first) = 16),"                                         \
	" last BLOB NOT NULL CHECK (length(last) = 16 AND last >= first),"                         \
	" bits INTEGER NOT NULL CHECK (bits BETWEEN 1 AND 128), PRIMARY KEY (user, kind)"          \
	") STRICT, WITHOUT ROWID;"                                                                 \
	"CREATE UNIQUE INDEX block_range ON block (first, last);"                                  \
	"CREATE TRIGGER block_overlap BEFORE INSERT ON block WHEN (SELECT last FROM block"         \
	" WHERE first <= NEW.last ORDER BY first DESC LIMIT 1) >= NEW.first"                       \
	" BEGIN SELECT RAISE(ABORT, 'prefixes overlap'); END;"                                     \
	"PRAGMA application_id = 0x64746370; PRAGMA user_version = 1; PRAGMA journal_mode = WAL;"
#define VERSION_1_LATER                                                                            \
	"CREATE TABLE pool (kind INTEGER PRIMARY KEY CHECK (kind IN (1, 2)),"                      \
	" first BLOB NOT NULL CHECK (length(first) = 16),"                                         \
	" last BLOB NOT NULL CHECK (length(last) = 16),"                                           \
	" bits INTEGER NOT NULL CHECK (bits BETWEEN 1 AND 128),"                                   \
	" next BLOB CHECK (length(next) = 16)) STRICT;"                                            \
	"CREATE TABLE freed (number INTEGER PRIMARY KEY,"                                          \
	" kind INTEGER NOT NULL REFERENCES pool (kind),"                                           \
	" first BLOB NOT NULL CHECK (length(first) = 16),"                                         \
	" last BLOB NOT NULL CHECK (length(last) = 16)) STRICT;"                                   \
	"CREATE INDEX freed_kind ON freed (kind, number);"                                         \
	"CREATE TRIGGER block_freed AFTER DELETE ON block"                                         \
	" BEGIN INSERT INTO freed (kind, first, last) SELECT kind, OLD.first, OLD.last FROM pool"  \
	" WHERE OLD.first <= last AND OLD.last >= first AND (next IS NULL OR OLD.first < next);"   \
	" END;"                                                                                    \
	"CREATE TABLE change (number INTEGER PRIMARY KEY AUTOINCREMENT,"                           \
	" user INTEGER NOT NULL UNIQUE) STRICT;"                                                   \
	"CREATE TRIGGER user_changed AFTER UPDATE ON user"                                         \
	" BEGIN REPLACE INTO change (user) VALUES (OLD.id); END;"                                  \
	"CREATE TRIGGER user_gone AFTER DELETE ON user"                                            \
	" BEGIN REPLACE INTO change (user) VALUES (OLD.id); END;"                                  \
	"CREATE TRIGGER block_changed AFTER UPDATE ON block"                                       \
	" BEGIN REPLACE INTO change (user) VALUES (OLD.user); END;"                                \
	"CREATE TRIGGER block_gone AFTER DELETE ON block"                                          \
	" BEGIN REPLACE INTO change (user) VALUES (OLD.user); END;"                                \
	"CREATE TRIGGER block_fixed AFTER INSERT ON block WHEN NEW.fixed"                          \
	" BEGIN REPLACE INTO change (user) VALUES (NEW.user); END;"                                \
	"CREATE TRIGGER change_trim AFTER INSERT ON change"                                        \
	" BEGIN DELETE FROM change WHERE number <= NEW.number - 10000; END;"
/* 2001:db8:100:100::/56, and so on, and one that belongs to nobody. */
#define BLOCK_1 "x'20010db8010001000000000000000000', x'20010db8010001ffffffffffffffffff', 56"
#define BLOCK_2 "x'20010db8010002000000000000000000', x'20010db8010002ffffffffffffffffff', 56"
#define BLOCK_3 "x'20010db8010003000000000000000000', x'20010db8010003ffffffffffffffffff', 56"
#define HOST_1	"x'20010db8000100000000000000000002', x'20010db8000100000000000000000002', 128"
#define FIXED_1 "x'20010db8000700000000000000000000', x'20010db80007ffffffffffffffffffff', 48"
#define CONTENT_1                                                                                  \
	"INSERT INTO user (name, password, created) VALUES"                                        \
	" ('alice', 'secret', 7), ('bob', 'secret', 8), ('office', 'secret', 9);"                  \
	"INSERT INTO block VALUES (1, 1, 0, " BLOCK_1 "), (1, 2, 0, " HOST_1                       \
	"), (2, 1, 0, " BLOCK_2 "), (3, 1, 1, " FIXED_1 "), (9, 1, 0, " BLOCK_3 ");"
#define POOL_1                                                                                     \
	"INSERT INTO pool VALUES (1, x'20010db8010000000000000000000000',"                         \
	" x'20010db801ffffffffffffffffffffff', 56, x'20010db8010003000000000000000000');"

static void assert_taken_over(struct users *users)
{
	struct user user;

	assert_blocks(users, NULL, 9,
		      "alice network 2001:db8:100:100::/56, alice host 2001:db8:1::2/128, "
		      "bob network 2001:db8:100:200::/56, office network fixed 2001:db8:7::/48");
	assert_int_equal(users_find(users, "alice", &user), USERS_OK);
	assert_string_equal(user.password, "secret");
	assert_int_equal(user.id, 1);
	assert_int_equal(user.created, 7);
	assert_true(user.networks.n && user.has_host && !user.has_fixed);
	assert_int_equal(users_verify(users), USERS_OK);
	/* It does what a new one does. */
	assert_changes(users, IDS(USERS_EVERYBODY));
	add(users, "carol");
	assert_network(users, "carol", "2001:db8:100::/40", 56, "2001:db8:100:300::/56");
	assert_network(users, "bob", "2001:db8:200::/40", 56, "2001:db8:200:100::/56");
	assert_network(users, "bob", "2001:db8:100::/40", 56, "2001:db8:100:200::/56");
	assert_add_overlaps(users, "2001:db8:200::/40", "bob");
}

/* Every table, index and trigger is that of a new file; of blocks, by its definition. */
static void assert_like_new(struct place *place)
{
	static const char compare[] =
		"ATTACH '%s' AS fresh;"
		"WITH here AS (SELECT type, name, CASE tbl_name WHEN 'block' THEN sql END"
		"  FROM main.sqlite_schema),"
		" there AS (SELECT type, name, CASE tbl_name WHEN 'block' THEN sql END"
		"  FROM fresh.sqlite_schema)"
		"SELECT count(*) FROM (SELECT * FROM (SELECT * FROM here EXCEPT SELECT * FROM "
		"there)"
		" UNION ALL SELECT * FROM (SELECT * FROM there EXCEPT SELECT * FROM here))";
	char other[128];
	char sql[1024];

	(void)snprintf(other, sizeof(other), "%s/other.db", place->directory);
	users_close(open_users(other, true));
	(void)snprintf(sql, sizeof(sql), compare, other);
	assert_int_equal(number_of(place->path, sql), 0);
}

static void test_version_1(void **state)
{
	static const char *const files[] = {VERSION_1 CONTENT_1,
					    VERSION_1 VERSION_1_LATER CONTENT_1 POOL_1};
	struct place *place = *state;

	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		write_file(place->path, "", 0, 0600);
		assert_int_equal(run_sql(place->path, files[i]), SQLITE_OK);
		place->users = open_users(place->path, false);
		assert_taken_over(place->users);
		users_close(place->users);
		place->users = open_users(place->path, false);
		assert_blocks(place->users, "bob", 9,
			      "bob network 2001:db8:100:200::/56, "
			      "bob network dormant 2001:db8:200:100::/56");
		assert_like_new(place);
		users_close(place->users);
		place->users = NULL;
		assert_int_equal(unlink(place->path), 0);
	}
}

/* Nothing is written, and the user cannot be told from one of a file of today. */
static void assert_read_only(struct place *place, bool old)
{
	char other[DTCP_USER_MAX + 1] = "";
	const struct prefix6 part = prefix("2001:db8:100:200::/64");
	struct user user;
	size_t outside;

	place->users = open_as(place->path, USERS_READ);
	assert_int_equal(users_is_old(place->users), old);
	assert_blocks(place->users, NULL, 9,
		      "alice network 2001:db8:100:100::/56, alice host 2001:db8:1::2/128, "
		      "bob network 2001:db8:100:200::/56, office network fixed 2001:db8:7::/48");
	assert_int_equal(users_find(place->users, "alice", &user), USERS_OK);
	assert_true(user.networks.n && user.has_host && !user.has_fixed);
	assert_int_equal(users_overlaps(place->users, &part, other), USERS_OVERLAP);
	assert_string_equal(other, "bob");
	assert_int_equal(users_count_outside(place->users, NULL, 56, NULL, &outside), USERS_OK);
	assert_int_equal(outside, 3);
	assert_int_equal(users_verify(place->users), USERS_OK);
	assert_int_equal(users_add(place->users, "carol", "secret", NULL, other), USERS_FAILED);
	assert_non_null(strstr(users_error(place->users), ": cannot be written"));
	assert_int_equal(users_drop_lease(place->users, "bob", NULL), USERS_FAILED);
	users_close(place->users);
	place->users = NULL;
	assert_int_equal(number_of(place->path, "PRAGMA user_version"), old ? 1 : 3);
	assert_int_equal(number_of(place->path, "SELECT count(*) FROM user"), 3);
}

static void test_read_only(void **state)
{
	static const char *const files[] = {VERSION_1 CONTENT_1,
					    VERSION_1 VERSION_1_LATER CONTENT_1 POOL_1};
	struct place *place = *state;

	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		write_file(place->path, "", 0, 0600);
		assert_int_equal(run_sql(place->path, files[i]), SQLITE_OK);
		assert_read_only(place, true);
		/* Whoever writes makes it one of today. */
		users_close(open_users(place->path, false));
		assert_read_only(place, false);
		assert_int_equal(unlink(place->path), 0);
	}
	assert_open_fails(place->path, false, USERS_NOT_FOUND,
			  "no such database; add a user with dtcpauth first");
}

/* A server of that version runs on: what it has prepared, and what it prepares, still works. */
static void test_version_1_in_use(void **state)
{
	struct place *place = *state;
	sqlite3 *old = NULL;
	sqlite3_stmt *insert = NULL;

	write_file(place->path, "", 0, 0600);
	assert_int_equal(run_sql(place->path, VERSION_1 VERSION_1_LATER CONTENT_1 POOL_1),
			 SQLITE_OK);
	assert_int_equal(sqlite3_open(place->path, &old), SQLITE_OK);
	assert_int_equal(sqlite3_prepare_v2(old,
					    "INSERT INTO block (user, kind, fixed, first, last,"
					    " bits) VALUES (3, 2, 0,"
					    " x'20010db8000100000000000000000003',"
					    " x'20010db8000100000000000000000003', 128)",
					    -1, &insert, NULL),
			 SQLITE_OK);
	place->users = open_users(place->path, false);
	assert_int_equal(sqlite3_step(insert), SQLITE_DONE);
	(void)sqlite3_finalize(insert);
	assert_int_equal(sqlite3_close(old), SQLITE_OK);
	assert_blocks(place->users, "office", 9,
		      "office network fixed 2001:db8:7::/48, office host 2001:db8:1::3/128");
}

/* Several programs open it at the same moment. */
static void test_version_1_many(void **state)
{
	enum { PROCESSES = 8 };
	struct place *place = *state;

	write_file(place->path, "", 0, 0600);
	assert_int_equal(run_sql(place->path, VERSION_1 VERSION_1_LATER CONTENT_1 POOL_1),
			 SQLITE_OK);
	for (int i = 0; i < PROCESSES; i++) {
		pid_t pid = fork();

		assert_int_not_equal(pid, -1);
		if (pid == 0) {
			struct users *users;
			char error[256] = "";
			bool good = users_open(place->path, USERS_WRITE, &users, error,
					       sizeof(error)) == USERS_OK;

			(void)fputs(error, stderr);
			_exit(!good);
		}
	}
	for (int i = 0; i < PROCESSES; i++) {
		int status = -1;

		assert_true(wait(&status) > 0);
		assert_int_equal(status, 0);
	}
	place->users = open_users(place->path, false);
	assert_taken_over(place->users);
}

/* --- two programs ------------------------------------------------------------------------- */

static void test_two_handles(void **state)
{
	struct place *place = *state;
	struct users *second = open_users(place->path, false);
	struct user user;

	add(place->users, "alice");
	assert_int_equal(users_find(second, "alice", &user), USERS_OK);
	assert_int_equal(users_set_password(second, "alice", "new"), USERS_OK);
	assert_int_equal(users_find(place->users, "alice", &user), USERS_OK);
	assert_string_equal(user.password, "new");
	assert_network(second, "alice", "2001:db8:100::/40", 56, "2001:db8:100:100::/56");
	add(place->users, "bob");
	assert_network(place->users, "bob", "2001:db8:100::/40", 56, "2001:db8:100:200::/56");
	assert_int_equal(users_delete(second, "alice"), USERS_OK);
	assert_int_equal(users_find(place->users, "alice", &user), USERS_NOT_FOUND);
	users_close(second);
}

static void test_changes(void **state)
{
	struct place *place = *state;
	struct users *second = open_users(place->path, false);
	struct prefix6 lease, pool = prefix("2001:db8:100::/40");
	int64_t alice, bob;

	assert_changes(place->users, IDS(USERS_EVERYBODY));
	assert_changes(place->users, NOBODY);
	/* A new user is nobody who could have had a session. */
	add(second, "alice");
	add(place->users, "bob");
	alice = id_of(second, "alice");
	bob = id_of(second, "bob");
	assert_changes(place->users, NOBODY);
	assert_int_equal(users_set_password(second, "bob", "new"), USERS_OK);
	assert_changes(place->users, IDS(bob));
	assert_changes(place->users, NOBODY);
	/* Each once, the one that was changed last at the end. */
	assert_int_equal(users_set_password(second, "bob", "newer"), USERS_OK);
	assert_int_equal(users_set_password(second, "alice", "new"), USERS_OK);
	assert_int_equal(users_set_password(second, "bob", "newest"), USERS_OK);
	assert_changes(place->users, IDS(alice, bob));
	/* A first lease takes nothing from anybody. */
	assert_int_equal(lease_network(second, "alice", &pool, 56, &lease), USERS_OK);
	assert_changes(place->users, NOBODY);
	/* A change that was taken back is none. */
	assert_int_equal(users_delete(second, "nobody"), USERS_NOT_FOUND);
	assert_changes(place->users, NOBODY);
	assert_int_equal(users_delete(second, "alice"), USERS_OK);
	assert_changes(place->users, IDS(alice));
	users_close(second);
}

/* Each kind of change by whoever edits the file. */
static void test_changes_by_hand(void **state)
{
	static const char *const changes[] = {
		"UPDATE user SET password = 'x' WHERE name = 'bob'",
		"UPDATE user SET name = 'robert' WHERE name = 'bob'",
		"UPDATE block SET last = x'20010db80010ffffffffffffffffffff', bits = 48",
		"REPLACE INTO block VALUES (2, 1, 1, x'20010db8070000000000000000000000',"
		" x'20010db80700ffffffffffffffffffff', 48, 1)",
		"DELETE FROM block",
		"DELETE FROM user WHERE id = 2",
	};
	struct place *place = *state;

	add(place->users, "alice");
	add_fixed(place->users, "bob", "2001:db8:10::/56");
	assert_changes(place->users, IDS(USERS_EVERYBODY));
	for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
		assert_int_equal(run_sql(place->path, changes[i]), SQLITE_OK);
		assert_changes(place->users, IDS(2));
	}
}

/* What could not be acted upon is told again. */
static void test_changes_again(void **state)
{
	struct place *place = *state;
	struct users *second = open_users(place->path, false);
	struct told told = {.refuse_at = 1};

	assert_int_equal(users_changes(place->users, tell, &told), USERS_OK);
	assert_int_equal(users_changes(place->users, tell, &told), USERS_OK);
	assert_int_equal(told.count, 0);
	assert_changes(place->users, IDS(USERS_EVERYBODY));
	add(second, "alice");
	add(second, "bob");
	assert_int_equal(users_set_password(second, "alice", "new"), USERS_OK);
	assert_int_equal(users_set_password(second, "bob", "new"), USERS_OK);
	told.refuse_at = 2;
	assert_int_equal(users_changes(place->users, tell, &told), USERS_OK);
	assert_int_equal(told.count, 1);
	assert_changes(place->users, IDS(1, 2));
	assert_changes(place->users, NOBODY);
	users_close(second);
}

static bool count_change(int64_t id, void *arg)
{
	size_t *counts = arg;

	counts[id == USERS_EVERYBODY]++;
	return true;
}

/* Some thousands at a time are told one by one; what is more than is noted concerns everybody. */
static void test_many_changes(void **state)
{
	struct place *place = *state;
	size_t counts[2] = {0};
	char sql[200];

	assert_changes(place->users, IDS(USERS_EVERYBODY));
	(void)snprintf(sql, sizeof(sql),
		       "INSERT INTO user (name, password, created) WITH RECURSIVE n (i) AS"
		       " (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %d)"
		       " SELECT 'user' || i, 'x', 0 FROM n",
		       USERS_CHANGES_MAX + 1);
	assert_int_equal(run_sql(place->path, sql), SQLITE_OK);
	assert_int_equal(run_sql(place->path, "UPDATE user SET password = 'y' WHERE id <= 1000"),
			 SQLITE_OK);
	assert_int_equal(users_changes(place->users, count_change, counts), USERS_OK);
	assert_int_equal(counts[false], 1000);
	assert_int_equal(counts[true], 0);
	assert_int_equal(run_sql(place->path, "UPDATE user SET password = 'z'"), SQLITE_OK);
	assert_changes(place->users, IDS(USERS_EVERYBODY));
	assert_changes(place->users, NOBODY);
	/* The notes do not grow without end. */
	assert_in_range(number_of(place->path, "SELECT count(*) FROM change"), 1,
			USERS_CHANGES_MAX);
}

static void test_snapshot(void **state)
{
	struct place *place = *state;
	struct users *second = open_users(place->path, false);
	struct user user;

	add(place->users, "alice");
	assert_changes(place->users, IDS(USERS_EVERYBODY));
	assert_true(users_snapshot_begin(place->users));
	assert_false(users_snapshot_begin(place->users));
	assert_int_equal(users_find(place->users, "alice", &user), USERS_OK);
	/* Nobody else is kept waiting. */
	assert_int_equal(users_set_password(second, "alice", "new"), USERS_OK);
	assert_int_equal(users_find(place->users, "alice", &user), USERS_OK);
	assert_string_not_equal(user.password, "new");
	assert_changes(place->users, NOBODY);
	users_snapshot_end(place->users);
	users_snapshot_end(place->users);
	assert_int_equal(users_find(place->users, "alice", &user), USERS_OK);
	assert_string_equal(user.password, "new");
	assert_changes(place->users, IDS(user.id));
	/* Who writes does so into the database as it is, and sees all from there on. */
	users_snapshot_begin(place->users);
	assert_int_equal(users_find(place->users, "alice", &user), USERS_OK);
	add(second, "carol");
	assert_network(place->users, "alice", "2001:db8:100::/40", 56, "2001:db8:100:100::/56");
	assert_int_equal(users_find(second, "alice", &user), USERS_OK);
	assert_true(user.networks.n);
	assert_int_equal(users_find(place->users, "carol", &user), USERS_OK);
	users_close(second);
}

/* One that is open when the file is replaced ends with the old file. */
static void test_snapshot_of_another_file(void **state)
{
	struct place *place = *state;
	struct users *second;
	struct user user;

	add(place->users, "alice");
	users_snapshot_begin(place->users);
	assert_int_equal(users_find(place->users, "alice", &user), USERS_OK);
	assert_int_equal(unlink(place->path), 0);
	second = open_users(place->path, true);
	add(second, "bob");
	users_snapshot_end(place->users);
	users_snapshot_begin(place->users);
	assert_int_equal(users_find(place->users, "bob", &user), USERS_OK);
	users_snapshot_end(place->users);
	users_close(second);
}

/* Leases that are noted together: all at once, and none for others before. */
static void test_gathered(void **state)
{
	struct place *place = *state;
	struct users *second = open_users(place->path, false);
	struct user user;

	users_set_patience(second, 10);
	add(place->users, "alice");
	add(place->users, "bob");
	add(place->users, "carol");
	assert_int_equal(users_flush(place->users), USERS_OK);
	users_gather(place->users);
	assert_false(users_gathered(place->users));
	assert_network(place->users, "alice", "2001:db8:0:10::/62", 64, "2001:db8:0:11::/64");
	assert_network(place->users, "bob", "2001:db8:0:10::/62", 64, "2001:db8:0:12::/64");
	assert_true(users_gathered(place->users));
	assert_int_equal(users_find(second, "alice", &user), USERS_OK);
	assert_false(user.networks.n);
	assert_int_equal(users_set_password(second, "alice", "new"), USERS_FAILED);
	assert_int_equal(users_flush(place->users), USERS_OK);
	assert_false(users_gathered(place->users));
	assert_int_equal(users_find(second, "bob", &user), USERS_OK);
	assert_true(user.networks.n);
	/* One that finds nothing takes nothing from the others. */
	add(second, "dave");
	assert_network(place->users, "carol", "2001:db8:0:10::/62", 64, "2001:db8:0:13::/64");
	assert_no_network(place->users, "dave", "2001:db8:0:10::/62", 64, USERS_FULL);
	assert_int_equal(users_flush(place->users), USERS_OK);
	assert_int_equal(users_find(second, "carol", &user), USERS_OK);
	assert_true(user.networks.n);
	users_close(second);
}

/* If one cannot be noted, none is. */
static void test_gathered_in_vain(void **state)
{
	struct place *place = *state;
	struct user user;

	add(place->users, "alice");
	add(place->users, "bob");
	add(place->users, "carol");
	users_gather(place->users);
	assert_network(place->users, "alice", "2001:db8:100::/40", 56, "2001:db8:100:100::/56");
	/* The next one's place is damaged, which only this connection knows yet. */
	assert_int_equal(sqlite3_exec(place->users->db,
				      "CREATE TEMP TRIGGER no BEFORE INSERT ON block"
				      " BEGIN SELECT RAISE(ABORT, 'no'); END",
				      NULL, NULL, NULL),
			 SQLITE_OK);
	assert_no_network(place->users, "bob", "2001:db8:100::/40", 56, USERS_FAILED);
	assert_int_equal(sqlite3_exec(place->users->db, "DROP TRIGGER no", NULL, NULL, NULL),
			 SQLITE_OK);
	assert_no_network(place->users, "carol", "2001:db8:100::/40", 56, USERS_FAILED);
	assert_int_equal(users_flush(place->users), USERS_FAILED);
	assert_int_equal(users_find(place->users, "alice", &user), USERS_OK);
	assert_false(user.networks.n);
	assert_network(place->users, "carol", "2001:db8:100::/40", 56, "2001:db8:100:100::/56");
	assert_int_equal(users_flush(place->users), USERS_OK);
	assert_int_equal(users_find(place->users, "carol", &user), USERS_OK);
	assert_true(user.networks.n);
}

/* Eight processes want a lease for each of their users, from a database that none of them finds. */
static void test_many_processes(void **state)
{
	enum { PROCESSES = 8, EACH = 10 };
	struct place *place = *state;
	struct prefix6 pool = prefix("2001:db8:100::/40");
	bool taken[PROCESSES * EACH + 1] = {false};
	struct user user;
	char name[16];

	for (int i = 0; i < PROCESSES; i++) {
		pid_t pid = fork();

		assert_int_not_equal(pid, -1);
		if (pid != 0)
			continue;

		/* Nothing of cmocka's in here: a failing assertion would run the test again. */
		char error[256], other[DTCP_USER_MAX + 1];
		struct users *users;
		struct user found;

		if (users_open(place->path, USERS_CREATE, &users, error, sizeof(error)) !=
		    USERS_OK) {
			(void)fprintf(stderr, "%s\n", error);
			_exit(1);
		}
		for (int j = 0; j < EACH; j++) {
			(void)snprintf(name, sizeof(name), "user%d.%d", i, j);
			if (users_add(users, name, "secret", NULL, other) != USERS_OK ||
			    users_find(users, name, &found) != USERS_OK ||
			    users_lease_network(users, &found, &pool, 56) != USERS_OK) {
				(void)fprintf(stderr, "%s\n", users_error(users));
				_exit(1);
			}
		}
		users_close(users);
		_exit(0);
	}
	for (int i = 0; i < PROCESSES; i++) {
		int status = -1;

		assert_int_not_equal(wait(&status), -1);
		assert_int_equal(status, 0);
	}
	place->users = open_users(place->path, false);
	for (int i = 0; i < PROCESSES * EACH; i++) {
		(void)snprintf(name, sizeof(name), "user%d.%d", i / EACH, i % EACH);
		assert_int_equal(users_find(place->users, name, &user), USERS_OK);
		assert_true(user.networks.n);

		/* The third group counts the /56 of the pool: 0100, 0200 and so on. */
		int number = user.networks.list[0].addr.s6_addr[6];

		assert_in_range(number, 1, PROCESSES * EACH);
		assert_false(taken[number]);
		taken[number] = true;
	}
}

/* --- the file ----------------------------------------------------------------------------- */

static void assert_mode(const char *path, const char *suffix, mode_t mode)
{
	char name[128];
	struct stat st;

	(void)snprintf(name, sizeof(name), "%s%s", path, suffix);
	assert_int_equal(stat(name, &st), 0);
	assert_int_equal(st.st_mode & 07777, mode);
}

static void test_mode(void **state)
{
	static const mode_t masks[] = {0, 022, 077};
	struct place *place = *state;

	for (size_t i = 0; i < sizeof(masks) / sizeof(masks[0]); i++) {
		mode_t old = umask(masks[i]);
		char path[128];

		(void)snprintf(path, sizeof(path), "%s/other.db", place->directory);
		assert_int_equal(mkdir(path, 0700), 0);
		assert_int_equal(rmdir(path), 0);
		(void)snprintf(path, sizeof(path), "%s/other.db/users.db", place->directory);
		place->users = open_users(path, true);
		add(place->users, "alice");
		(void)umask(old);
		assert_mode(place->directory, "/other.db", 0755);
		assert_mode(path, "", 0600);
		assert_mode(path, "-wal", 0600);
		assert_mode(path, "-shm", 0600);
		users_close(place->users);
		place->users = NULL;
		assert_int_equal(unlink(path), 0);
		(void)snprintf(path, sizeof(path), "%s/other.db", place->directory);
		assert_int_equal(rmdir(path), 0);
	}
}

static void test_missing(void **state)
{
	struct place *place = *state;
	char path[128];

	assert_open_fails(place->path, false, USERS_NOT_FOUND,
			  "no such database; add a user with dtcpauth first");
	assert_int_equal(access(place->path, F_OK), -1);
	(void)snprintf(path, sizeof(path), "%s/no/users.db", place->directory);
	assert_open_fails(path, false, USERS_NOT_FOUND,
			  "no such database; add a user with dtcpauth first");
	(void)snprintf(path, sizeof(path), "%s/no/such/users.db", place->directory);
	assert_open_fails(path, true, USERS_FAILED, "No such file or directory");
	(void)snprintf(path, sizeof(path), "%s/", place->directory);
	assert_open_fails(path, true, USERS_FAILED, "not the name of a file");
	assert_open_fails(place->directory, true, USERS_FAILED, "not a regular file");
}

static void test_symlink(void **state)
{
	struct place *place = *state;
	char target[128], link[128];

	/* To a file that is not there, and to one that is: neither is touched. */
	(void)snprintf(target, sizeof(target), "%s/other.db", place->directory);
	assert_int_equal(symlink(target, place->path), 0);
	assert_open_fails(place->path, true, USERS_FAILED, "a symbolic link; name the file itself");
	assert_int_equal(access(target, F_OK), -1);
	users_close(open_users(target, true));
	assert_open_fails(place->path, false, USERS_FAILED,
			  "a symbolic link; name the file itself");
	assert_int_equal(unlink(place->path), 0);

	/* Links on the way are the administrator's business (/var/run is one). */
	assert_int_equal(symlink(".", place->path), 0);
	(void)snprintf(link, sizeof(link), "%s/other.db", place->path);
	place->users = open_users(link, false);
	add(place->users, "alice");
}

static void test_not_a_database(void **state)
{
	static const char text[] = "alice:secret\nbob:secret\n";
	struct place *place = *state;
	char page[8192];

	write_file(place->path, text, sizeof(text), 0600);
	assert_open_fails(place->path, false, USERS_FAILED, "not a user database");
	memset(page, 'x', sizeof(page));
	write_file(place->path, page, sizeof(page), 0600);
	assert_open_fails(place->path, true, USERS_FAILED, "not a user database");
	write_file(place->path, "", 0, 0600);
	assert_open_fails(place->path, true, USERS_FAILED, "not a user database");
	/* A database, but of another program. */
	assert_int_equal(run_sql(place->path, "CREATE TABLE user (name TEXT)"), SQLITE_OK);
	assert_open_fails(place->path, true, USERS_FAILED, "not a user database");
}

static void test_schema_version(void **state)
{
	struct place *place = *state;

	users_close(place->users);
	place->users = NULL;
	assert_int_equal(run_sql(place->path, "PRAGMA user_version = 4"), SQLITE_OK);
	assert_open_fails(place->path, false, USERS_FAILED,
			  "made by a newer version of dtcp (schema 4; this program knows 3)");
	assert_int_equal(run_sql(place->path, "PRAGMA user_version = 0"), SQLITE_OK);
	assert_open_fails(place->path, true, USERS_FAILED,
			  "made by another version of dtcp (schema 0; this program knows 3)");
}

/* Says what is wrong, and is well again once the file is, which somebody put right in its place. */
static void test_damaged(void **state)
{
	struct place *place = *state;
	static char good[1 << 18];
	char garbage[4096];
	struct user user;
	struct stat st;
	int fd;

	for (int i = 0; i < 100; i++) {
		char name[16];

		(void)snprintf(name, sizeof(name), "user%d", i);
		add(place->users, name);
	}
	users_close(place->users);
	place->users = NULL;
	/* Every page that has something of this user, but not of the schema. */
	memset(garbage, 0xa5, sizeof(garbage));
	fd = open(place->path, O_RDWR);
	assert_int_not_equal(fd, -1);
	assert_int_equal(fstat(fd, &st), 0);
	assert_in_range(st.st_size, 2 * 4096, sizeof(good));
	assert_int_equal(read(fd, good, sizeof(good)), st.st_size);
	for (off_t at = 4096; at < st.st_size; at += 4096) {
		if (memmem(good + at, 4096, "user50", 6))
			assert_int_equal(pwrite(fd, garbage, sizeof(garbage), at), sizeof(garbage));
	}
	place->users = open_users(place->path, false);
	assert_int_equal(users_find(place->users, "user50", &user), USERS_FAILED);
	assert_non_null(strstr(users_error(place->users), "users.db: the database is damaged"));
	assert_null(strchr(users_error(place->users), '\n'));
	assert_int_equal(pwrite(fd, good, (size_t)st.st_size, 0), st.st_size);
	assert_int_equal(close(fd), 0);
	assert_int_equal(users_find(place->users, "user50", &user), USERS_OK);
	assert_string_equal(user.password, "secret");
}

static void test_damaged_values(void **state)
{
	struct place *place = *state;
	struct seen seen = {.limit = 10};
	struct user user;

	/* A name longer than any that we store. */
	assert_int_equal(run_sql(place->path, "INSERT INTO user (name, password, created)"
					      " VALUES (hex(zeroblob(40)), 'x', 0),"
					      " ('alice', hex(zeroblob(200)), 0)"),
			 SQLITE_OK);
	assert_int_equal(users_each(place->users, see, &seen), USERS_FAILED);
	assert_non_null(strstr(users_error(place->users), "users.db: the database is damaged"));
	assert_int_equal(users_find(place->users, "alice", &user), USERS_FAILED);
	assert_string_equal(user.password, "");
}

static void test_not_permitted(void **state)
{
	struct place *place = *state;
	int status = -1;
	pid_t pid;

	users_close(place->users);
	place->users = NULL;
	assert_int_equal(chmod(place->directory, 0755), 0);
	assert_int_equal(chmod(place->path, 0), 0);
	pid = fork();
	assert_int_not_equal(pid, -1);
	if (pid == 0) {
		/* Somebody who may not read it; then one who may not write it. */
		char error[256];
		struct users *users;
		const uid_t user = geteuid();
		const uid_t other = user == 0 ? 65534 : user;
		int bad = 0;

		bad |= seteuid(other) != 0;
		bad |= users_open(place->path, USERS_WRITE, &users, error, sizeof(error)) !=
		       USERS_FAILED;
		bad |= !strstr(error, "users.db: Permission denied");
		bad |= seteuid(user) != 0;
		bad |= chmod(place->path, 0444) != 0;
		bad |= seteuid(other) != 0;
		bad |= users_open(place->path, USERS_WRITE, &users, error, sizeof(error)) !=
		       USERS_FAILED;
		bad |= !strstr(error, "users.db: cannot be written");
		_exit(bad);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static double seconds(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static void test_locked(void **state)
{
	struct place *place = *state;
	char other[DTCP_USER_MAX + 1];
	sqlite3 *db = NULL;
	struct user user;

	add(place->users, "alice");
	assert_int_equal(sqlite3_open(place->path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
	/* Reading goes on beside a writer; writing waits, and then says why it cannot. */
	assert_int_equal(users_find(place->users, "alice", &user), USERS_OK);
	assert_int_equal(users_add(place->users, "bob", "secret", NULL, other), USERS_FAILED);
	assert_non_null(strstr(users_error(place->users), "users.db: locked by another program"));
	assert_int_equal(sqlite3_exec(db, "COMMIT", NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
	add(place->users, "bob");
}

/* A server has others to serve: it waits as long as it was told, and then not at all for a while.
 */
static void test_locked_patience(void **state)
{
	struct place *place = *state;
	char other[DTCP_USER_MAX + 1];
	sqlite3 *db = NULL;
	double start, first, second;

	add(place->users, "alice");
	users_set_patience(place->users, 1000);
	assert_int_equal(sqlite3_open(place->path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
	start = seconds();
	assert_int_equal(users_add(place->users, "bob", "secret", NULL, other), USERS_FAILED);
	first = seconds();
	assert_int_equal(users_add(place->users, "bob", "secret", NULL, other), USERS_FAILED);
	second = seconds();
	assert_non_null(strstr(users_error(place->users), "users.db: locked by another program"));
	/* Its clock counts whole milliseconds. */
	assert_true(first - start > 0.99);
	assert_true(second - first < 1);
	assert_int_equal(sqlite3_exec(db, "COMMIT", NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
	add(place->users, "bob");
}

/* Deleted by hand and made anew: a program that runs on sees it at once. */
static void test_deleted_while_open(void **state)
{
	struct place *place = *state;
	char other[DTCP_USER_MAX + 1];
	struct users *second;
	struct user user;

	add(place->users, "alice");
	assert_changes(place->users, IDS(USERS_EVERYBODY));
	assert_changes(place->users, NOBODY);
	assert_int_equal(unlink(place->path), 0);
	assert_int_equal(users_changes(place->users, tell, NULL), USERS_FAILED);
	assert_int_equal(users_find(place->users, "alice", &user), USERS_FAILED);
	assert_non_null(
		strstr(users_error(place->users), "users.db: no such database; add a user"));
	assert_int_equal(users_add(place->users, "bob", "secret", NULL, other), USERS_FAILED);
	assert_int_equal(users_delete(place->users, "alice"), USERS_FAILED);

	second = open_users(place->path, true);
	assert_int_equal(users_find(second, "alice", &user), USERS_NOT_FOUND);
	add(second, "carol");
	assert_changes(place->users, IDS(USERS_EVERYBODY));
	assert_changes(place->users, NOBODY);
	assert_int_equal(users_find(place->users, "alice", &user), USERS_NOT_FOUND);
	assert_int_equal(users_find(place->users, "carol", &user), USERS_OK);
	add(place->users, "dave");
	assert_int_equal(users_find(second, "dave", &user), USERS_OK);
	users_close(second);
}

/* No old password stays behind in the file. */
static void test_password_overwritten(void **state)
{
	struct place *place = *state;
	char other[DTCP_USER_MAX + 1];
	static char content[1 << 18];
	ssize_t size;
	int fd;

	assert_int_equal(users_add(place->users, "alice", "FirstSecret", NULL, other), USERS_OK);
	assert_int_equal(users_add(place->users, "bob", "SecondSecret", NULL, other), USERS_OK);
	assert_int_equal(users_set_password(place->users, "alice", "Third"), USERS_OK);
	assert_int_equal(users_delete(place->users, "bob"), USERS_OK);
	users_close(place->users);
	place->users = NULL;
	fd = open(place->path, O_RDONLY);
	assert_int_not_equal(fd, -1);
	size = read(fd, content, sizeof(content));
	assert_true(size > 0 && size < (ssize_t)sizeof(content));
	assert_int_equal(close(fd), 0);
	assert_non_null(memmem(content, (size_t)size, "Third", 5));
	assert_null(memmem(content, (size_t)size, "FirstSecret", 11));
	assert_null(memmem(content, (size_t)size, "SecondSecret", 12));
}

/* --- many --------------------------------------------------------------------------------- */

/* Under a checker that makes everything fifty times slower, a tenth has to do. */
static bool small(void)
{
	return getenv("DTCP_TESTS_SMALL") != NULL;
}

static void test_many_leases(void **state)
{
	const int many = small() ? 300 : 3000;
	struct place *place = *state;
	struct prefix6 pool = prefix("2001:db8:100::/40"), lease;
	double start;
	char name[16];

	for (int i = 1; i <= many; i++) {
		(void)snprintf(name, sizeof(name), "user%d", i);
		add(place->users, name);
	}
	start = seconds();
	for (int i = 1; i <= many; i++) {
		(void)snprintf(name, sizeof(name), "user%d", i);
		assert_int_equal(lease_network(place->users, name, &pool, 56, &lease), USERS_OK);
		/* 2001:db8:1xx:yy00::/56, where xxyy counts. */
		assert_int_equal(lease.addr.s6_addr[5] << 8 | lease.addr.s6_addr[6], i);
	}
	print_message("%d leases in %.2f s\n", many, seconds() - start);
	start = seconds();
	for (int i = 1; i <= many; i++) {
		(void)snprintf(name, sizeof(name), "user%d", i);
		assert_int_equal(lease_network(place->users, name, &pool, 56, &lease), USERS_OK);
	}
	print_message("%d leases again in %.2f s\n", many, seconds() - start);
}

/* A pool of which every lease but the last is taken: one walk over all rows. */
static void test_full_pool(void **state)
{
	const char *pool = small() ? "2001:db8:100::/46" : "2001:db8:100::/40";
	const char *last_lease = small() ? "2001:db8:103:ff00::/56" : "2001:db8:1ff:ff00::/56";
	const int taken = (small() ? 1 << 10 : 1 << 16) - 2;
	struct place *place = *state;
	char sql[240];
	double start;

	add(place->users, "alice");
	add(place->users, "bob");
	(void)snprintf(sql, sizeof(sql),
		       "INSERT INTO user (name, password, created)"
		       " WITH RECURSIVE n (i) AS"
		       "  (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %d)"
		       " SELECT 'user' || i, 'x', 0 FROM n",
		       taken);
	assert_int_equal(run_sql(place->path, sql), SQLITE_OK);

	sqlite3 *db = NULL;
	sqlite3_stmt *stmt = NULL;

	assert_int_equal(sqlite3_open(place->path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, "BEGIN", NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_prepare_v2(db,
					    "INSERT INTO block SELECT id, 1, 0, ?1, ?2, 56, 1"
					    " FROM user WHERE name = 'user' || ?3",
					    -1, &stmt, NULL),
			 SQLITE_OK);
	for (int i = 1; i <= taken; i++) {
		struct prefix6 block = prefix("2001:db8:100::/56");
		struct in6_addr last;

		block.addr.s6_addr[5] = (uint8_t)(i >> 8);
		block.addr.s6_addr[6] = (uint8_t)i;
		last = prefix6_last(&block);
		assert_int_equal(sqlite3_bind_blob(stmt, 1, &block.addr, 16, SQLITE_TRANSIENT), 0);
		assert_int_equal(sqlite3_bind_blob(stmt, 2, &last, 16, SQLITE_TRANSIENT), 0);
		assert_int_equal(sqlite3_bind_int(stmt, 3, i), 0);
		assert_int_equal(sqlite3_step(stmt), SQLITE_DONE);
		assert_int_equal(sqlite3_reset(stmt), SQLITE_OK);
	}
	(void)sqlite3_finalize(stmt);
	assert_int_equal(sqlite3_exec(db, "COMMIT", NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_close(db), SQLITE_OK);

	start = seconds();
	assert_network(place->users, "alice", pool, 56, last_lease);
	print_message("the last of %d leases in %.3f s\n", taken + 1, seconds() - start);
	assert_no_network(place->users, "bob", pool, 56, USERS_FULL);
}

static int count_step(void *arg)
{
	(*(uint64_t *)arg)++;
	return 0;
}

/* How many instructions SQLite's machine has for a new lease. */
static uint64_t cost_of_lease(struct users *users, const char *name, const char *pool,
			      enum users_result expected)
{
	uint64_t steps = 0;

	sqlite3_progress_handler(users->db, 1, count_step, &steps);
	assert_no_network(users, name, pool, 64, expected);
	sqlite3_progress_handler(users->db, 0, NULL, NULL);
	return steps;
}

/* A new lease costs the same however many there are, in a pool that is full as well. */
static void test_cost_of_lease(void **state)
{
	enum { FEW = 20, MANY = 255 };
	struct place *place = *state;
	const char *pool = "2001:db8:0:100::/56";
	uint64_t few = 0, cost;
	char name[16];

	for (int i = 1; i <= MANY; i++) {
		(void)snprintf(name, sizeof(name), "user%d", i);
		add(place->users, name);
		cost = cost_of_lease(place->users, name, pool, USERS_OK);
		if (i == FEW)
			few = cost;
		assert_true(i <= FEW || cost < 2 * few);
	}
	add(place->users, "late");
	add(place->users, "later");
	/* The first time is another thing: everything is looked through once. */
	assert_no_network(place->users, "late", pool, 64, USERS_FULL);
	assert_true(cost_of_lease(place->users, "late", pool, USERS_FULL) < 2 * few);
	assert_int_equal(users_delete(place->users, "user100"), USERS_OK);
	assert_int_equal(users_delete(place->users, "user7"), USERS_OK);
	assert_true(cost_of_lease(place->users, "late", pool, USERS_OK) < 2 * few);
	assert_true(cost_of_lease(place->users, "later", pool, USERS_OK) < 2 * few);
}

/* Nor does one that comes back cost more, or the way to and fro. */
static void test_cost_of_pools(void **state)
{
	static const char *const pools[] = {"2001:db8:0:100::/56", "2001:db8:0:200::/56",
					    "2001:db8:0:100::/56", "2001:db8:0:200::/56"};
	enum { FEW = 20, MANY = 250 };
	struct place *place = *state;
	uint64_t few = 0, cost;
	char name[16];

	for (size_t pool = 0; pool < sizeof(pools) / sizeof(pools[0]); pool++) {
		for (int i = 1; i <= MANY; i++) {
			(void)snprintf(name, sizeof(name), "user%d", i);
			if (pool == 0)
				add(place->users, name);
			cost = cost_of_lease(place->users, name, pools[pool], USERS_OK);
			if (i == FEW)
				few = cost;
			assert_true(i <= FEW || cost < 2 * few);
		}
	}
	assert_outside(place->users, pools[0], 64, NULL, MANY);
}

int main(void)
{
#define TEST(name)	 cmocka_unit_test_setup_teardown(name, set_up, tear_down)
#define TEST_EMPTY(name) cmocka_unit_test_setup_teardown(name, set_up_directory, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(test_add_and_find),
		TEST(test_add_fixed),
		TEST(test_add_twice),
		TEST(test_add_impossible),
		TEST(test_set_password),
		TEST(test_delete),
		TEST(test_each),
		TEST(test_overlap_fixed),
		TEST(test_overlap_leases),
		TEST(test_overlap_other_program),
		TEST(test_network_sticky),
		TEST(test_network_exhausted),
		TEST(test_freed_comes_late),
		TEST(test_freed_of_other_lengths),
		TEST(test_freed_is_for_all_pools),
		TEST(test_network_no_room),
		TEST(test_network_odd_lengths),
		TEST(test_network_fixed_in_pool),
		TEST(test_network_reaches_into_pool),
		TEST(test_network_pool_changed),
		TEST(test_network_fixed_later),
		TEST(test_host),
		TEST(test_host_carry),
		TEST(test_pools_that_overlap),
		TEST(test_usage),
		TEST(test_pool_comes_back),
		TEST(test_dormant_is_not_assigned),
		TEST(test_dormant_and_reserved),
		TEST(test_count_outside),
		TEST(test_each_block),
		TEST(test_drop_lease),
		TEST(test_drop_lease_is_reported),
		TEST_EMPTY(test_version_1),
		TEST_EMPTY(test_read_only),
		TEST_EMPTY(test_version_1_in_use),
		TEST_EMPTY(test_version_1_many),
		TEST(test_two_handles),
		TEST(test_changes),
		TEST(test_changes_by_hand),
		TEST(test_changes_again),
		TEST(test_many_changes),
		TEST(test_snapshot),
		TEST(test_snapshot_of_another_file),
		TEST(test_gathered),
		TEST(test_gathered_in_vain),
		TEST_EMPTY(test_many_processes),
		TEST_EMPTY(test_mode),
		TEST_EMPTY(test_missing),
		TEST_EMPTY(test_symlink),
		TEST_EMPTY(test_not_a_database),
		TEST(test_schema_version),
		TEST(test_damaged),
		TEST(test_damaged_values),
		TEST(test_not_permitted),
		TEST(test_locked),
		TEST(test_locked_patience),
		TEST(test_deleted_while_open),
		TEST(test_password_overwritten),
		TEST(test_many_leases),
		TEST(test_full_pool),
		TEST(test_reserved),
		TEST(test_cost_of_lease),
		TEST(test_cost_of_pools),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
