/* SPDX-License-Identifier: BSD-2-Clause */
/* Whom the unprivileged processes run as, by a name or a number. The machine's users are a model.
 */
#include "process/user.h"

#include "base/log.h"
#include "tests/unit/base/capture.h"

#include <pwd.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static struct passwd users[] = {
	{.pw_name = (char[]){"nobody"}, .pw_uid = 65534, .pw_gid = 65533},
	{.pw_name = (char[]){"other"}, .pw_uid = 999, .pw_gid = 998},
	{.pw_name = (char[]){USER_OWN}, .pw_uid = 777, .pw_gid = 776},
};

static size_t n_users; /* that there are */

struct passwd *__wrap_getpwnam(const char *name);
struct passwd *__wrap_getpwuid(uid_t uid);

struct passwd *__wrap_getpwnam(const char *name)
{
	for (size_t i = 0; i < n_users; i++) {
		if (strcmp(users[i].pw_name, name) == 0)
			return &users[i];
	}
	return NULL;
}

struct passwd *__wrap_getpwuid(uid_t uid)
{
	for (size_t i = 0; i < n_users; i++) {
		if (users[i].pw_uid == uid)
			return &users[i];
	}
	return NULL;
}

static int without_own(void **state)
{
	(void)state;
	n_users = 2;
	return 0;
}

static int with_own(void **state)
{
	(void)state;
	n_users = 3;
	return 0;
}

static void found(const char *name, bool owns_files, uid_t uid, gid_t gid)
{
	struct user_ids ids;

	assert_true(user_find(name, owns_files, &ids));
	assert_int_equal(ids.uid, uid);
	assert_int_equal(ids.gid, gid);
	if (name)
		assert_string_equal(ids.name, name);
}

static void not_found(const char *name, bool owns_files)
{
	struct user_ids ids;

	assert_false(user_find(name, owns_files, &ids));
}

static void test_names(void **state)
{
	(void)state;
	for (int owns_files = 0; owns_files <= 1; owns_files++) {
		found(NULL, owns_files, 777, 776);
		found("other", owns_files, 999, 998);
		not_found("no-such-user-here", owns_files);
	}
}

/* The group is the user's, unless it is named too. */
static void test_numbers(void **state)
{
	static const char *const bad[] = {"",	  "-1",	  "4294967295", "99999999999999999999",
					  "7 ",	  " 7",	  "+7",		"0x7",
					  "7:",	  ":7",	  "7:x",	"7:-1",
					  "7:7:", "7:+7", "7.0",	"7:4294967295"};

	(void)state;
	found("999", true, 999, 998);
	found("4711", true, 4711, 4711);
	found("4711:4712", true, 4711, 4712);
	found("999:4712", true, 999, 4712);
	found("4294967294", true, 4294967294, 4294967294);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		not_found(bad[i], true);
}

/* What belongs to nobody belongs to every program that has no user of its own. */
static void test_nobody(void **state)
{
	(void)state;
	found(NULL, false, 65534, 65533);
	found("nobody", false, 65534, 65533);
	not_found(NULL, true);
	not_found("nobody", true);
	not_found("65534", true);
	not_found("65534:7", true);
}

static void expect_said(const char *name, bool owns_files, const char *text)
{
	struct user_ids ids;
	const char *said;

	capture_begin(STDERR_FILENO);
	assert_false(user_check(name, owns_files, &ids));
	said = capture_end();
	assert_string_equal(said, text);
}

#define COMMAND "useradd --system --no-create-home --shell /usr/sbin/nologin "

/* One command mends it. */
static void test_said(void **state)
{
	(void)state;
	expect_said(NULL, true,
		    "test: no user _dtcp to run as, to whom the database is to belong; make one "
		    "with: " COMMAND "_dtcp\n");
	expect_said("own", true,
		    "test: no user own to run as, to whom the database is to belong; make one "
		    "with: " COMMAND "own\n");
	expect_said("nobody", true,
		    "test: user nobody is for programs that own no file, and the database is to "
		    "belong to the user of --user; make one with: " COMMAND "_dtcp\n");
	n_users = 0;
	expect_said(NULL, false, "test: no user _dtcp or nobody to run as; name one with --user\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_names, with_own),
		cmocka_unit_test_setup(test_numbers, without_own),
		cmocka_unit_test_setup(test_nobody, without_own),
		cmocka_unit_test_setup(test_said, without_own),
	};

	log_init("test", NULL, false);
	return cmocka_run_group_tests_name("process user", tests, NULL, NULL);
}
