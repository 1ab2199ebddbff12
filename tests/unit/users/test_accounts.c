/* SPDX-License-Identifier: BSD-2-Clause */
/* What administrators change of accounts, alone and many together; and files of version 2. */
#include "users/users.h"

#include "tests/unit/proto/addresses.h"
#include "users/database.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

struct place {
	char directory[64];
	char path[96];
	struct users *users;
};

static int set_up(void **state)
{
	struct place *place = calloc(1, sizeof(*place));
	char error[256];

	assert_non_null(place);
	(void)snprintf(place->directory, sizeof(place->directory), "/tmp/dtcp-accounts-XXXXXX");
	assert_non_null(mkdtemp(place->directory));
	(void)snprintf(place->path, sizeof(place->path), "%s/users.db", place->directory);
	assert_int_equal(users_open(place->path, USERS_CREATE, &place->users, error, sizeof(error)),
			 USERS_OK);
	*state = place;
	return 0;
}

static int tear_down(void **state)
{
	struct place *place = *state;

	users_close(place->users);
	assert_int_equal(unlink(place->path), 0);
	assert_int_equal(rmdir(place->directory), 0);
	free(place);
	return 0;
}

static void add(struct users *users, const char *name, const char *fixed)
{
	struct prefix6 value = fixed ? prefix(fixed) : (struct prefix6){.len = 0};
	char other[DTCP_USER_MAX + 1];

	assert_int_equal(users_add(users, name, "secret", fixed ? &value : NULL, other), USERS_OK);
}

static struct user find(struct users *users, const char *name)
{
	struct user user;

	assert_int_equal(users_find(users, name, &user), USERS_OK);
	return user;
}

static struct users_record fixing(const char *name, const char *fixed)
{
	struct users_record record = {.name = name, .parts = USERS_PREFIX};

	if (fixed)
		record.prefixes = (struct prefix6_set){.n = 1, .list = {prefix(fixed)}};
	return record;
}

static void assert_fixed(struct users *users, const char *name, const char *fixed)
{
	char other[DTCP_USER_MAX + 1];
	struct users_record record = fixing(name, fixed);
	struct user user;

	assert_int_equal(users_set(users, &record, other), USERS_OK);
	user = find(users, name);
	assert_true(user.has_fixed == (fixed != NULL));
	if (fixed)
		assert_true(prefix6_set_equal(&user.networks, &record.prefixes));
}

/* What belongs to a user, "active prefix " each. */
static bool see_block(const struct users_block *block, void *arg)
{
	char text[PREFIX6_STRLEN];
	char *seen = arg;
	size_t len = strlen(seen);

	(void)snprintf(seen + len, 256 - len, "%s%s %s", len ? ", " : "",
		       block->fixed    ? "fixed"
		       : block->active ? "active"
				       : "dormant",
		       prefix6_format(&block->prefix, text));
	return true;
}

static void assert_blocks(struct users *users, const char *name, const char *expected)
{
	char seen[256] = "";

	assert_int_equal(users_each_block(users, name, see_block, seen), USERS_OK);
	assert_string_equal(seen, expected);
}

static void lease(struct users *users, const char *name)
{
	const struct prefix6 pool = prefix("2001:db8:100::/40");
	struct user user = find(users, name);

	assert_int_equal(users_lease_network(users, &user, &pool, 56), USERS_OK);
}

/* --- one account -------------------------------------------------------------------------- */

static const struct users_record everything = {
	.name = "alice",
	.parts = USERS_PASSWORD | USERS_TYPES | USERS_TRANSPORTS | USERS_EXPIRES | USERS_DISABLED |
		 USERS_NOTE,
	.password = "another",
	.limits = {.types = 1U << TUNNEL_HOST,
		   .transports = USERS_UDP,
		   .expires = 1830000000,
		   .disabled = true},
	.note = "Z\xc3\xbcrich",
};

static void test_set(void **state)
{
	const struct place *place = *state;
	struct users_record record = everything;
	char other[DTCP_USER_MAX + 1];
	struct user user;

	assert_int_equal(users_set(place->users, &record, other), USERS_NOT_FOUND);
	assert_int_equal(users_find(place->users, "alice", &user), USERS_NOT_FOUND);
	add(place->users, "alice", NULL);
	add(place->users, "bob", NULL);
	user = find(place->users, "alice");
	assert_memory_equal(&user.limits, &(struct users_limits){0}, sizeof(user.limits));
	assert_string_equal(user.note, "");
	assert_int_equal(users_set(place->users, &record, other), USERS_OK);
	user = find(place->users, "alice");
	assert_string_equal(user.password, "another");
	assert_string_equal(user.note, "Z\xc3\xbcrich");
	assert_int_equal(user.limits.types, 1U << TUNNEL_HOST);
	assert_int_equal(user.limits.transports, USERS_UDP);
	assert_int_equal(user.limits.expires, 1830000000);
	assert_true(user.limits.disabled);
	/* One part alone leaves the others. */
	record = (struct users_record){.name = "alice", .parts = USERS_DISABLED};
	assert_int_equal(users_set(place->users, &record, other), USERS_OK);
	user = find(place->users, "alice");
	assert_false(user.limits.disabled);
	assert_int_equal(user.limits.expires, 1830000000);
	assert_string_equal(user.password, "another");
	user = find(place->users, "bob");
	assert_string_equal(user.password, "secret");
	assert_int_equal(user.limits.expires, 0);
}

/* What could not be read again is not stored. */
static void test_set_impossible(void **state)
{
	const struct place *place = *state;
	char note[USERS_NOTE_MAX + 2] = "";
	struct users_record record = {.name = "alice", .parts = USERS_NOTE, .note = note};
	char other[DTCP_USER_MAX + 1];

	add(place->users, "alice", NULL);
	memset(note, 'x', sizeof(note) - 1);
	assert_int_equal(users_set(place->users, &record, other), USERS_FAILED);
	assert_string_equal(find(place->users, "alice").note, "");
	note[USERS_NOTE_MAX] = '\0';
	assert_int_equal(users_set(place->users, &record, other), USERS_OK);
	assert_string_equal(find(place->users, "alice").note, note);
	record = (struct users_record){.name = "alice", .parts = USERS_PASSWORD, .password = ""};
	assert_int_equal(users_set(place->users, &record, other), USERS_FAILED);
	record.name = "a b";
	assert_int_equal(users_set(place->users, &record, other), USERS_FAILED);
}

/* The lease waits while there is a prefix, and what is in the way of it goes. */
static void test_prefix(void **state)
{
	const struct place *place = *state;
	struct users *users = place->users;

	add(users, "alice", NULL);
	lease(users, "alice");
	assert_blocks(users, "alice", "active 2001:db8:100:100::/56");
	assert_fixed(users, "alice", "2001:db8:7::/48");
	assert_blocks(users, "alice", "fixed 2001:db8:7::/48, dormant 2001:db8:100:100::/56");
	assert_fixed(users, "alice", "2001:db8:8::/48");
	assert_blocks(users, "alice", "fixed 2001:db8:8::/48, dormant 2001:db8:100:100::/56");
	/* It overlaps the one before. */
	assert_fixed(users, "alice", "2001:db8:8::/47");
	assert_fixed(users, "alice", NULL);
	assert_blocks(users, "alice", "dormant 2001:db8:100:100::/56");
	lease(users, "alice");
	assert_blocks(users, "alice", "active 2001:db8:100:100::/56");
	/* The user's own lease becomes the prefix. */
	assert_fixed(users, "alice", "2001:db8:100::/48");
	assert_blocks(users, "alice", "fixed 2001:db8:100::/48");
}

static struct users_record fixing_both(const char *name, const char *one, const char *two)
{
	struct users_record record = fixing(name, one);

	record.prefixes.list[record.prefixes.n++] = prefix(two);
	return record;
}

/* Several together, which change and go as one. */
static void test_prefixes(void **state)
{
	const struct place *place = *state;
	struct users_record record = fixing_both("alice", "2001:db8:9::/56", "2001:db8:7::/48");
	char other[DTCP_USER_MAX + 1] = "";
	struct user user;

	add(place->users, "alice", NULL);
	add(place->users, "bob", "2001:db8:8::/48");
	lease(place->users, "alice");
	assert_int_equal(users_set(place->users, &record, other), USERS_OK);
	user = find(place->users, "alice");
	assert_true(user.has_fixed && prefix6_set_equal(&user.networks, &record.prefixes));
	assert_blocks(place->users, "alice",
		      "fixed 2001:db8:7::/48, fixed 2001:db8:9::/56, "
		      "dormant 2001:db8:100:100::/56");
	lease(place->users, "alice");
	/* One of them is another user's. */
	record = fixing_both("alice", "2001:db8:7::/48", "2001:db8:8:1::/64");
	assert_int_equal(users_set(place->users, &record, other), USERS_OVERLAP);
	assert_string_equal(other, "bob");
	record = fixing_both("alice", "2001:db8:7:1::/64", "2001:db8:9::/56");
	assert_int_equal(users_set(place->users, &record, other), USERS_OK);
	assert_fixed(place->users, "bob", "2001:db8:7::/64");
	assert_blocks(place->users, "alice",
		      "fixed 2001:db8:7:1::/64, fixed 2001:db8:9::/56, "
		      "dormant 2001:db8:100:100::/56");
	assert_fixed(place->users, "alice", NULL);
	lease(place->users, "alice");
	assert_blocks(place->users, "alice", "active 2001:db8:100:100::/56");
}

static bool see_user(const struct user *user, void *arg)
{
	char *seen = arg;
	size_t len = strlen(seen);

	(void)snprintf(seen + len, 256 - len, "%s %u, ", user->name, user->networks.n);
	return user->name[0] != 'c';
}

/* Each user once, however many prefixes there are. */
static void test_each(void **state)
{
	const struct place *place = *state;
	struct users_record record = fixing_both("b", "2001:db8:9::/56", "2001:db8:7::/48");
	char other[DTCP_USER_MAX + 1] = "";
	char seen[256] = "";

	for (const char *name = "dabc"; *name; name++)
		add(place->users, (const char[]){*name, '\0'}, NULL);
	assert_int_equal(users_set(place->users, &record, other), USERS_OK);
	assert_fixed(place->users, "c", "2001:db8:1::/48");
	assert_int_equal(users_each(place->users, see_user, seen), USERS_OK);
	assert_string_equal(seen, "a 0, b 2, c 1, ");
	seen[0] = '\0';
	assert_int_equal(users_delete(place->users, "c"), USERS_OK);
	assert_int_equal(users_each(place->users, see_user, seen), USERS_OK);
	assert_string_equal(seen, "a 0, b 2, d 0, ");
}

static void test_prefix_of_others(void **state)
{
	const struct place *place = *state;
	struct users_record record = fixing("alice", "2001:db8::/40");
	char other[DTCP_USER_MAX + 1] = "";

	add(place->users, "alice", "2001:db8:7::/48");
	add(place->users, "bob", "2001:db8:8::/48");
	record.parts |= USERS_NOTE;
	record.note = "nothing of it";
	assert_int_equal(users_set(place->users, &record, other), USERS_OVERLAP);
	assert_string_equal(other, "bob");
	assert_blocks(place->users, "alice", "fixed 2001:db8:7::/48");
	assert_string_equal(find(place->users, "alice").note, "");
}

/* --- many together ------------------------------------------------------------------------ */

static void assert_put(struct users *users, const struct users_record *record, enum users_put want)
{
	char other[DTCP_USER_MAX + 1];
	enum users_put did;

	assert_int_equal(users_put(users, record, &did, other), USERS_OK);
	assert_int_equal(did, want);
}

static void test_put(void **state)
{
	const struct place *place = *state;
	struct users_record fixed = fixing("alice", "2001:db8:7::/48");
	const struct users_record nothing = {.name = "alice"};
	char other[DTCP_USER_MAX + 1];
	enum users_put did;
	struct user user;

	assert_int_equal(users_together(place->users), USERS_OK);
	assert_int_equal(users_put(place->users, &fixed, &did, other), USERS_NOT_FOUND);
	assert_put(place->users, &everything, USERS_ADDED);
	assert_put(place->users, &everything, USERS_UNCHANGED);
	assert_put(place->users, &fixed, USERS_CHANGED);
	assert_put(place->users, &fixed, USERS_UNCHANGED);
	assert_put(place->users, &nothing, USERS_UNCHANGED);
	assert_int_equal(users_together_end(place->users, false), USERS_OK);
	assert_int_equal(users_find(place->users, "alice", &user), USERS_NOT_FOUND);
	assert_int_equal(users_together(place->users), USERS_OK);
	assert_put(place->users, &everything, USERS_ADDED);
	assert_int_equal(users_together_end(place->users, true), USERS_OK);
	assert_int_equal(find(place->users, "alice").limits.expires, 1830000000);
}

static void test_memory(void **state)
{
	const struct place *place = *state;
	struct users *memory = NULL;
	char error[256];
	struct user user;

	assert_int_equal(users_open_memory(&memory, error, sizeof(error)), USERS_OK);
	add(memory, "alice", "2001:db8:7::/48");
	assert_true(find(memory, "alice").has_fixed);
	assert_int_equal(users_find(place->users, "alice", &user), USERS_NOT_FOUND);
	users_close(memory);
}

/* --- limits ------------------------------------------------------------------------------- */

static void test_allows(void **state)
{
	const struct users_limits none = {0};
	const struct users_limits some = {
		.types = 1U << TUNNEL_ONLY, .transports = USERS_UDP, .expires = 100};

	(void)state;
	for (enum tunnel_type type = TUNNEL_ONLY; type <= TUNNEL_NETWORK; type++) {
		assert_true(users_allows_type(&none, type));
		assert_true(users_allows_type(&some, type) == (type == TUNNEL_ONLY));
	}
	assert_true(users_allows_transport(&none, USERS_PROTO41));
	assert_false(users_allows_transport(&some, USERS_PROTO41));
	assert_true(users_allows_transport(&some, USERS_UDP));
	assert_false(users_is_expired(&none, INT64_MAX));
	assert_false(users_is_expired(&some, 99));
	assert_true(users_is_expired(&some, 100));
}

static bool count(int64_t id, void *arg)
{
	(void)id;
	return ++*(unsigned int *)arg < 2;
}

static void assert_expiring(struct users *users, int64_t first, int64_t last, unsigned int want)
{
	unsigned int seen = 0;

	assert_int_equal(users_each_expiring(users, first, last, count, &seen), USERS_OK);
	assert_int_equal(seen, want);
}

static void test_expiry(void **state)
{
	static const char *const names[] = {"a", "b", "c", "d"};
	static const int64_t times[] = {0, 300, 100, 300};
	const struct place *place = *state;
	char other[DTCP_USER_MAX + 1];
	int64_t when = -1;

	assert_int_equal(users_next_expiry(place->users, 0, &when), USERS_OK);
	assert_int_equal(when, 0);
	for (size_t i = 0; i < 4; i++) {
		const struct users_record record = {
			.name = names[i], .parts = USERS_EXPIRES, .limits = {.expires = times[i]}};

		add(place->users, names[i], NULL);
		assert_int_equal(users_set(place->users, &record, other), USERS_OK);
	}
	assert_int_equal(users_next_expiry(place->users, -1, &when), USERS_OK);
	assert_int_equal(when, 100);
	assert_int_equal(users_next_expiry(place->users, 100, &when), USERS_OK);
	assert_int_equal(when, 300);
	assert_int_equal(users_next_expiry(place->users, 300, &when), USERS_OK);
	assert_int_equal(when, 0);
	assert_expiring(place->users, 0, 99, 0);
	assert_expiring(place->users, 100, 299, 1);
	assert_expiring(place->users, 101, 300, 2);
	/* It ends when that is enough. */
	assert_expiring(place->users, 0, 300, 2);
}

/* --- files of version 2 ------------------------------------------------------------------- */

/* As that version has made it, with what it had of two users. */
#define VERSION_2                                                                                  \
	"CREATE TABLE user (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE,"      \
	" password TEXT NOT NULL, created INTEGER NOT NULL) STRICT;"                               \
	"PRAGMA application_id = 0x64746370;"                                                      \
	"CREATE TABLE block ("                                                                     \
	" user INTEGER NOT NULL REFERENCES user (id) ON DELETE CASCADE,"                           \
	" kind INTEGER NOT NULL CHECK (kind IN (1, 2)),"                                           \
	" fixed INTEGER NOT NULL CHECK (fixed IN (0, 1)),"                                         \
	" first BLOB NOT NULL CHECK (length(first) = 16),"                                         \
	" last BLOB NOT NULL CHECK (length(last) = 16 AND last >= first),"                         \
	" bits INTEGER NOT NULL CHECK (bits BETWEEN 1 AND 128),"                                   \
	" active INTEGER NOT NULL DEFAULT 1 CHECK (active IN (0, 1) AND active >= fixed),"         \
	" PRIMARY KEY (user, kind, first)) STRICT, WITHOUT ROWID;"                                 \
	"CREATE UNIQUE INDEX block_range ON block (first, last);"                                  \
	"CREATE UNIQUE INDEX block_active ON block (user, kind) WHERE active;"                     \
	"CREATE TRIGGER block_overlap BEFORE INSERT ON block"                                      \
	" WHEN (SELECT last FROM block WHERE first <= NEW.last ORDER BY first DESC LIMIT 1)"       \
	"  >= NEW.first BEGIN SELECT RAISE(ABORT, 'prefixes overlap'); END;"                       \
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
	"CREATE TRIGGER block_freed AFTER DELETE ON block "                                        \
	"BEGIN INSERT INTO freed (kind, first, last) SELECT kind, OLD.first, OLD.last FROM pool"   \
	" WHERE OLD.first <= last AND OLD.last >= first AND (next IS NULL OR OLD.first < next);"   \
	" END;"                                                                                    \
	"CREATE TABLE change (number INTEGER PRIMARY KEY AUTOINCREMENT,"                           \
	" user INTEGER NOT NULL UNIQUE) STRICT;"                                                   \
	"CREATE TRIGGER user_changed AFTER UPDATE ON user "                                        \
	"BEGIN REPLACE INTO change (user) VALUES (OLD.id); END;"                                   \
	"CREATE TRIGGER user_gone AFTER DELETE ON user "                                           \
	"BEGIN REPLACE INTO change (user) VALUES (OLD.id); END;"                                   \
	"CREATE TRIGGER block_changed AFTER UPDATE ON block "                                      \
	"BEGIN REPLACE INTO change (user) VALUES (OLD.user); END;"                                 \
	"CREATE TRIGGER block_gone AFTER DELETE ON block "                                         \
	"BEGIN REPLACE INTO change (user) VALUES (OLD.user); END;"                                 \
	"CREATE TRIGGER block_fixed AFTER INSERT ON block WHEN NEW.fixed "                         \
	"BEGIN REPLACE INTO change (user) VALUES (NEW.user); END;"                                 \
	"CREATE TRIGGER change_trim AFTER INSERT ON change "                                       \
	"BEGIN DELETE FROM change WHERE number <= NEW.number - 10000; END;"                        \
	"PRAGMA user_version = 2; PRAGMA journal_mode = WAL;"                                      \
	"INSERT INTO user (name, password, created) VALUES ('old', 'secret', 7), ('o2', 's', 8);"  \
	"INSERT INTO block (user, kind, fixed, first, last, bits) VALUES"                          \
	" (1, 1, 1, x'20010db8000700000000000000000000',"                                          \
	" x'20010db80007ffffffffffffffffffff', 48),"                                               \
	" (2, 1, 0, x'20010db8010001000000000000000000',"                                          \
	" x'20010db8010001ffffffffffffffffff', 56);"

static void run_sql(const char *path, const char *sql)
{
	sqlite3 *db = NULL;

	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

static void test_version_2(void **state)
{
	/* Whoever reads sees the same before and after it was made one of today. */
	static const enum users_mode modes[] = {USERS_READ, USERS_READ, USERS_WRITE, USERS_READ};
	struct place *place = *state;
	char error[256] = "";
	struct user user;

	users_close(place->users);
	assert_int_equal(unlink(place->path), 0);
	run_sql(place->path, VERSION_2);
	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
		assert_int_equal(
			users_open(place->path, modes[i], &place->users, error, sizeof(error)),
			USERS_OK);
		assert_true(users_is_old(place->users) == (i < 2));
		user = find(place->users, "old");
		assert_string_equal(user.password, "secret");
		assert_int_equal(user.created, 7);
		assert_true(user.has_fixed);
		assert_memory_equal(&user.limits, &(struct users_limits){0}, sizeof(user.limits));
		assert_string_equal(user.note, "");
		assert_blocks(place->users, "o2", "active 2001:db8:100:100::/56");
		users_close(place->users);
	}
	assert_int_equal(users_open(place->path, USERS_WRITE, &place->users, error, sizeof(error)),
			 USERS_OK);
	/* It does what a new one does. */
	assert_fixed(place->users, "o2", "2001:db8:8::/48");
	test_set(state);
}

/* Which version the file is of. */
static int version_of(const char *path)
{
	sqlite3 *db = NULL;
	sqlite3_stmt *stmt = NULL;
	int version;

	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_prepare_v2(db, "PRAGMA user_version", -1, &stmt, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_step(stmt), SQLITE_ROW);
	version = sqlite3_column_int(stmt, 0);
	assert_int_equal(sqlite3_finalize(stmt), SQLITE_OK);
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
	return version;
}

/* What is only tried leaves a file of an earlier version what it was; what is kept does not. */
static void test_try(void **state)
{
	const struct users_record record = {.name = "o2", .parts = USERS_NOTE, .note = "new"};
	struct place *place = *state;
	char other[DTCP_USER_MAX + 1];
	char error[256] = "";
	enum users_put did;

	users_close(place->users);
	assert_int_equal(unlink(place->path), 0);
	run_sql(place->path, VERSION_2);
	assert_int_equal(users_open(place->path, USERS_TRY, &place->users, error, sizeof(error)),
			 USERS_OK);
	for (int keep = 0; keep < 2; keep++) {
		assert_true(users_is_old(place->users));
		assert_int_equal(users_together(place->users), USERS_OK);
		assert_int_equal(users_put(place->users, &record, &did, other), USERS_OK);
		assert_int_equal(did, USERS_CHANGED);
		assert_string_equal(find(place->users, "o2").note, "new");
		assert_int_equal(users_together_end(place->users, keep), USERS_OK);
		assert_int_equal(version_of(place->path), keep ? 3 : 2);
	}
	assert_false(users_is_old(place->users));
	assert_string_equal(find(place->users, "o2").note, "new");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_set),	     TEST(test_set_impossible), TEST(test_prefix),
		TEST(test_prefixes), TEST(test_each),		TEST(test_prefix_of_others),
		TEST(test_put),	     TEST(test_memory),		TEST(test_allows),
		TEST(test_expiry),   TEST(test_version_2),	TEST(test_try),
	};

	return cmocka_run_group_tests_name("accounts", tests, NULL, NULL);
}
