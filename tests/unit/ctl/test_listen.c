/* SPDX-License-Identifier: BSD-2-Clause */
/* The control socket in the file system. */
#include "ctl/listen.h"

#include "base/log.h"
#include "tests/unit/base/capture.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

static char folder[] = "/tmp/dtcp-test-listen-XXXXXX";
static char path[64];

/* The group that there is, and what was the group of this process when the socket was made. */
static bool has_group;
static gid_t group_now;
static gid_t bound_as;
static mode_t bound_mask;

struct group *__wrap_getgrnam(const char *name);
int __wrap_setegid(gid_t gid);
int __wrap_bind(int fd, const struct sockaddr *address, socklen_t size);
int __real_bind(int fd, const struct sockaddr *address, socklen_t size);

struct group *__wrap_getgrnam(const char *name)
{
	static struct group group = {.gr_gid = 4711};

	assert_string_equal(name, "dtcp");
	return has_group ? &group : NULL;
}

int __wrap_setegid(gid_t gid)
{
	group_now = gid;
	return 0;
}

int __wrap_bind(int fd, const struct sockaddr *address, socklen_t size)
{
	bound_as = group_now;
	bound_mask = umask(0);
	(void)umask(bound_mask);
	return __real_bind(fd, address, size);
}

static int make_folder(void **state)
{
	(void)state;
	has_group = false;
	group_now = bound_as = 0;
	(void)strlcpy(folder + strlen(folder) - 6, "XXXXXX", 7);
	if (!mkdtemp(folder))
		return -1;
	(void)snprintf(path, sizeof(path), "%s/x.sock", folder);
	log_init("prog", NULL, false);
	return 0;
}

static int drop_folder(void **state)
{
	(void)state;
	(void)unlink(path);
	return rmdir(folder);
}

static bool can_connect(void)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool can;

	(void)strlcpy(address.sun_path, path, sizeof(address.sun_path));
	can = connect(fd, (const struct sockaddr *)&address, sizeof(address)) == 0;
	close(fd);
	return can;
}

static void test_open(void **state)
{
	struct ctl_listen made;
	struct stat there;
	int fd;

	(void)state;
	fd = ctl_listen_open(path, &made);
	assert_true(fd >= 0);
	assert_int_equal(stat(path, &there), 0);
	assert_int_equal(there.st_mode & 07777, 0660);
	assert_int_equal(bound_as, 0);
	assert_true(can_connect());
	ctl_listen_remove(&made);
	assert_int_equal(access(path, F_OK), -1);
	/* Once more is harmless. */
	ctl_listen_remove(&made);
	close(fd);
}

/* The group has it from the start, and nobody else ever. */
static void test_group(void **state)
{
	mode_t before = umask(027);
	struct ctl_listen made;
	int fd;

	(void)state;
	has_group = true;
	fd = ctl_listen_open(path, &made);
	assert_true(fd >= 0);
	assert_int_equal(bound_as, 4711);
	assert_int_equal(bound_mask, 0117);
	assert_int_equal(umask(before), 027);
	ctl_listen_remove(&made);
	close(fd);
}

static void test_stale(void **state)
{
	struct ctl_listen old, made;
	int fd;

	(void)state;
	fd = ctl_listen_open(path, &old);
	assert_true(fd >= 0);
	close(fd);
	assert_false(can_connect());
	fd = ctl_listen_open(path, &made);
	assert_true(fd >= 0);
	/* It is not the old one's any more. */
	ctl_listen_remove(&old);
	assert_true(can_connect());
	ctl_listen_remove(&made);
	close(fd);
}

/* Returns what was logged. */
static const char *open_fails(int expected)
{
	struct ctl_listen made;
	const char *text;
	int result;

	capture_begin(STDERR_FILENO);
	result = ctl_listen_open(path, &made);
	text = capture_end();
	assert_int_equal(result, expected);
	assert_string_equal(made.path, "");
	return text;
}

static void test_in_use(void **state)
{
	struct ctl_listen made;
	int fd;

	(void)state;
	fd = ctl_listen_open(path, &made);
	assert_true(fd >= 0);
	assert_non_null(strstr(open_fails(-EADDRINUSE), "another program answers there"));
	assert_true(can_connect());
	ctl_listen_remove(&made);
	close(fd);
}

static void test_no_socket(void **state)
{
	FILE *file = fopen(path, "w");

	(void)state;
	assert_non_null(file);
	(void)fclose(file);
	assert_non_null(strstr(open_fails(-EEXIST), "no socket"));
	assert_int_equal(access(path, F_OK), 0);
}

static void test_no_folder(void **state)
{
	(void)state;
	(void)snprintf(path, sizeof(path), "%s/none/x.sock", folder);
	assert_non_null(strstr(open_fails(-ENOENT), "cannot make the control socket"));
}

/* A guard knows what root's process has made, and nothing else. */
static void test_take(void **state)
{
	struct ctl_listen made, taken;
	int other, fd;

	(void)state;
	ctl_listen_take(path, -1, &taken);
	assert_string_equal(taken.path, "");
	ctl_listen_take(path, open("/dev/null", O_PATH | O_CLOEXEC), &taken);
	assert_string_equal(taken.path, "");
	ctl_listen_remove(&taken);
	fd = ctl_listen_open(path, &made);
	assert_true(fd >= 0);
	ctl_listen_take(path, dup(made.file), &taken);
	ctl_listen_remove(&taken);
	assert_int_equal(access(path, F_OK), -1);
	/* Another program has made one there since. */
	ctl_listen_take(path, dup(made.file), &taken);
	ctl_listen_remove(&made);
	other = ctl_listen_open(path, &made);
	assert_true(other >= 0);
	ctl_listen_remove(&taken);
	assert_true(can_connect());
	ctl_listen_remove(&made);
	close(other);
	close(fd);
}

static void test_paths(void **state)
{
	char at[CTL_PATH_SIZE];

	(void)state;
	assert_true(ctl_listen_path(NULL, "dtcps", NULL, at));
	assert_string_equal(at, DTCP_RUNDIR "/dtcp/dtcps.sock");
	assert_true(ctl_listen_path(NULL, "dtcpclient", "gif0", at));
	assert_string_equal(at, DTCP_RUNDIR "/dtcp/dtcpclient-gif0.sock");
	assert_true(ctl_listen_path("/x/y", "dtcps", "dtcps7", at));
	assert_string_equal(at, "/x/y");
	assert_false(ctl_listen_path("off", "dtcps", NULL, at));
	assert_string_equal(at, "");
}

static bool accepts(const char *value)
{
	bool good;

	capture_begin(STDERR_FILENO);
	good = ctl_listen_check("-o control.socket", value);
	(void)capture_end();
	return good;
}

static void test_check(void **state)
{
	char value[CTL_PATH_SIZE + 1];

	(void)state;
	memset(value, 'x', sizeof(value));
	value[0] = '/';
	value[CTL_PATH_SIZE] = '\0';
	assert_false(accepts(value));
	value[CTL_PATH_SIZE - 1] = '\0';
	assert_true(accepts(value));
	assert_true(accepts("off"));
	assert_false(accepts("on"));
	assert_false(accepts("dtcps.sock"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_open, make_folder, drop_folder),
		cmocka_unit_test_setup_teardown(test_group, make_folder, drop_folder),
		cmocka_unit_test_setup_teardown(test_stale, make_folder, drop_folder),
		cmocka_unit_test_setup_teardown(test_in_use, make_folder, drop_folder),
		cmocka_unit_test_setup_teardown(test_no_socket, make_folder, drop_folder),
		cmocka_unit_test_setup_teardown(test_no_folder, make_folder, drop_folder),
		cmocka_unit_test_setup_teardown(test_take, make_folder, drop_folder),
		cmocka_unit_test(test_paths),
		cmocka_unit_test(test_check),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
