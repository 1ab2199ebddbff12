/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The user database without memory: SQLite or we say so, what was to be changed is changed as a
 * whole or not at all, and the next call goes on.
 */
#include "alloc.h"

#include "users/users.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

/* In memory, where there is such a place: each change waits for the disk else. */
static char shm[] = "/dev/shm/dtcp-alloc-XXXXXX", tmp[] = "/tmp/dtcp-alloc-XXXXXX";
static const char *folder;
static char path[64];

static const struct prefix6 pool = {{.s6_addr = {0x20, 0x01, 0x0d, 0xb8, 1}}, 40};
static const struct prefix6 elsewhere = {{.s6_addr = {0x20, 0x01, 0x0d, 0xb8, 3}}, 40};
static const struct prefix6 host = {{.s6_addr = {0x20, 0x01, 0x0d, 0xb8, 2}}, 64};

/* Good, or for want of memory not, which is said. */
static bool good(struct users *users, enum users_result result)
{
	if (result == USERS_OK)
		return true;
	assert_int_equal(result, USERS_FAILED);
	assert_true(alloc_failed());
	assert_non_null(strstr(users_error(users), path));
	return false;
}

static bool go_on(int64_t id, void *arg)
{
	(void)id;
	(void)arg;
	return true;
}

static void change(struct users *users)
{
	char other[DTCP_USER_MAX + 1];
	struct user user, again;

	if (good(users, users_add(users, "foo", "bar", NULL, other)))
		assert_int_equal(users_find(users, "foo", &user) == USERS_OK || alloc_failed(), 1);
	else
		assert_int_equal(users_find(users, "foo", &user), USERS_NOT_FOUND);
	/* Whatever came of that: now there is one. */
	if ((!alloc_failed() || users_find(users, "foo", &user) == USERS_OK ||
	     good(users, users_add(users, "foo", "bar", NULL, other))) &&
	    good(users, users_find(users, "foo", &user))) {
		if (good(users, users_lease_network(users, &user, &pool, 56)) &&
		    good(users, users_find(users, "foo", &again)))
			assert_true(again.networks.n &&
				    prefix6_equal(&user.networks.list[0], &again.networks.list[0]));
		(void)good(users, users_lease_host(users, &user, &host));
		(void)good(users, users_lease_network(users, &user, &elsewhere, 56));
		(void)good(users, users_lease_network(users, &user, &pool, 56));
		(void)good(users, users_set_password(users, "foo", "other"));
	}
	(void)good(users, users_changes(users, go_on, NULL));
}

static bool run(unsigned long n)
{
	struct users *users = NULL;
	char error[512] = "";
	enum users_result result;
	struct user user;
	bool failed;

	alloc_fail(n);
	result = users_open(path, USERS_WRITE, &users, error, sizeof(error));
	if (result == USERS_OK) {
		change(users);
	} else {
		assert_true(alloc_failed());
		assert_null(users);
		assert_non_null(strstr(error, path));
	}
	failed = alloc_failed();
	alloc_fail(0);
	/* Nothing is left half done, and nothing is locked. */
	if (users) {
		assert_int_equal(users_find(users, "foo", &user), USERS_OK);
		assert_int_equal(users_lease_network(users, &user, &pool, 56), USERS_OK);
		assert_int_equal(users_find(users, "foo", &user), USERS_OK);
		assert_true(user.networks.n);
		assert_int_equal(users_delete(users, "foo"), USERS_OK);
	}
	users_close(users);
	return failed;
}

static void a_change_is_whole_or_not_made(void **state)
{
	struct users *users = NULL;
	char error[512];

	(void)state;
	assert_int_equal(users_open(path, USERS_CREATE, &users, error, sizeof(error)), USERS_OK);
	users_close(users);
	alloc_each(run);
}

static int make_folder(void **state)
{
	(void)state;
	folder = mkdtemp(shm);
	if (!folder)
		folder = mkdtemp(tmp);
	if (!folder)
		return -1;
	(void)snprintf(path, sizeof(path), "%s/users.db", folder);
	return 0;
}

static int remove_folder(void **state)
{
	(void)state;
	(void)unlink(path);
	return rmdir(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_change_is_whole_or_not_made),
	};

	alloc_install(false);
	return cmocka_run_group_tests_name("allocation failures, users", tests, make_folder,
					   remove_folder);
}
