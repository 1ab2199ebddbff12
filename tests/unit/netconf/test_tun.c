/* SPDX-License-Identifier: BSD-2-Clause */
/* TUN devices and settings of the kernel, in a network of the test's own. */
#include "netconf/tun.h"

#include "base/log.h"
#include "netconf/netlink.h"
#include "netconf/sysctl.h"
#include "tests/unit/base/capture.h"
#include "tests/unit/base/need.h"
#include "tests/unit/base/network.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cmocka.h>

static struct netlink *netlink;

/* --- somebody who removes the device while it is made ------------------------------------- */

static unsigned long remove_after; /* that question to the kernel about it; 0: never */

int __wrap_ioctl(int fd, unsigned long request, void *arg);
int __real_ioctl(int fd, unsigned long request, ...);

int __wrap_ioctl(int fd, unsigned long request, void *arg)
{
	int result = __real_ioctl(fd, request, arg);

	if (request == remove_after) {
		remove_after = 0;
		assert_int_equal(netlink_link_delete(netlink, if_nametoindex("tun7")), 0);
	}
	return result;
}

static int begin(void **state)
{
	(void)state;
	need(network_make(), "a network namespace");
	assert_int_equal(netlink_open(&netlink), 0);
	return 0;
}

static int end(void **state)
{
	(void)state;
	netlink_close(netlink);
	return 0;
}

/* It cannot be made; nothing is left, and that is what is said. */
static void expect_failure(const char *name, int error, const char *log)
{
	unsigned int fds = capture_count_fds();
	unsigned int index;
	const char *said;
	int result;

	capture_begin(STDERR_FILENO);
	result = tun_open(name, &index);
	said = capture_end();
	assert_int_equal(result, error);
	assert_string_equal(said, log);
	assert_int_equal(capture_count_fds(), fds);
}

/* --- devices ------------------------------------------------------------------------------ */

static void test_device(void **state)
{
	char name[IFNAMSIZ];
	unsigned int index;
	int fd = tun_open("tun7", &index);
	bool up;

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
	assert_true(fcntl(fd, F_GETFL) & O_NONBLOCK);
	assert_int_equal(if_nametoindex("tun7"), index);
	assert_int_equal(tun_look(index, name, &up), 0);
	assert_string_equal(name, "tun7");
	assert_false(up);
	assert_int_equal(netlink_link_set_up(netlink, index, true), 0);
	assert_int_equal(tun_look(index, name, &up), 0);
	assert_true(up);
	/* It goes with its descriptor. */
	assert_int_equal(close(fd), 0);
	assert_int_equal(if_nametoindex("tun7"), 0);
	assert_int_equal(tun_look(index, name, &up), -ENODEV);
}

static void test_never_taken_over(void **state)
{
	unsigned int index;
	int fd = tun_open("tun7", &index);

	(void)state;
	assert_true(fd >= 0);
	expect_failure("tun7", -EEXIST,
		       "test: interface tun7 exists already; if another instance uses it, name "
		       "another one\n");
	assert_int_equal(if_nametoindex("tun7"), index);
	assert_int_equal(close(fd), 0);
	expect_failure("lo", -EEXIST,
		       "test: interface lo exists already; if another instance uses it, name "
		       "another one\n");
}

static void test_name_that_the_kernel_refuses(void **state)
{
	(void)state;
	expect_failure("a/b", -EINVAL, "test: cannot make the interface a/b: Invalid argument\n");
}

/* At whatever moment it is. */
static void test_removed_while_it_is_made(void **state)
{
	static const unsigned long moments[] = {TUNSETIFF, TUNSETVNETHDRSZ, TUNSETOFFLOAD};

	(void)state;
	for (size_t i = 0; i < sizeof(moments) / sizeof(moments[0]); i++) {
		remove_after = moments[i];
		expect_failure("tun7", -ENODEV,
			       "test: interface tun7 was removed by somebody while it was made\n");
		assert_int_equal(remove_after, 0);
	}
}

/* One that was made to stay, as by ip tuntap. */
static int make_lasting(const char *name)
{
	struct ifreq request = {.ifr_flags = (short)(IFF_TUN | IFF_NO_PI | IFF_VNET_HDR)};
	int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC);

	assert_int_not_equal(fd, -1);
	(void)strlcpy(request.ifr_name, name, sizeof(request.ifr_name));
	assert_int_equal(ioctl(fd, TUNSETIFF, &request), 0);
	assert_int_equal(ioctl(fd, TUNSETPERSIST, (void *)1), 0);
	return fd;
}

static void test_orphan(void **state)
{
	unsigned int index;
	int fd = make_lasting("tun8");

	(void)state;
	assert_false(tun_is_orphan("tun8"));
	assert_int_equal(close(fd), 0);
	assert_true(tun_is_orphan("tun8"));
	/* It is none of those that go by themselves. */
	assert_int_not_equal(if_nametoindex("tun8"), 0);
	fd = tun_open("tun7", &index);
	assert_true(fd >= 0);
	assert_false(tun_is_orphan("tun7"));
	assert_false(tun_is_orphan("lo"));
	assert_int_equal(close(fd), 0);
}

static void test_names(void **state)
{
	static const char *const good[] = {"a", "dtcp0", "a.b_c-d", "fifteen-letters", "..."};
	static const char *const bad[] = {
		"",   "sixteen-letters-", "-a",	  ".",	"..", "a b", "a/b", "a%d",
		"a*", "\xc3\xa4",	  "a\nb", "a:b"};

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		assert_true(tun_name_valid(good[i]));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(tun_name_valid(bad[i]));
}

/* --- settings ----------------------------------------------------------------------------- */

static void test_settings_of_a_device(void **state)
{
	unsigned int index;
	int fd = tun_open("tun7", &index);
	int value = -1;

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(tun_accept_ra("tun7", true), 0);
	assert_int_equal(sysctl_read("net/ipv6/conf/tun7/accept_ra", &value), 0);
	assert_int_equal(value, 2);
	assert_int_equal(tun_accept_ra("tun7", false), 0);
	assert_int_equal(sysctl_read("net/ipv6/conf/tun7/accept_ra", &value), 0);
	assert_int_equal(value, 0);
	assert_false(tun_ipv6_is_off("tun7"));
	assert_int_equal(sysctl_write("net/ipv6/conf/tun7/disable_ipv6", 1), 0);
	assert_true(tun_ipv6_is_off("tun7"));
	assert_int_equal(tun_ipv6_on("tun7"), 0);
	assert_false(tun_ipv6_is_off("tun7"));
	assert_int_equal(tun_ipv6_on("tun7"), 0);
	assert_int_equal(close(fd), 0);
	/* Of one that is gone nothing is known, and nothing can be set. */
	assert_false(tun_ipv6_is_off("tun7"));
	assert_int_equal(tun_accept_ra("tun7", true), -ENOENT);
}

static void test_settings_that_cannot_be(void **state)
{
	unsigned int fds = capture_count_fds();
	char longest[300];
	int value = 4711;

	(void)state;
	memset(longest, 'a', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	assert_int_equal(sysctl_read(longest, &value), -ENAMETOOLONG);
	assert_int_equal(sysctl_write(longest, 1), -ENAMETOOLONG);
	assert_int_equal(sysctl_read("net/ipv6/no-such-thing", &value), -ENOENT);
	assert_int_equal(sysctl_write("net/ipv6/no-such-thing", 1), -ENOENT);
	assert_int_equal(value, 4711);
	/* No number, and more than one. */
	assert_int_equal(sysctl_read("net/ipv4/tcp_congestion_control", &value), -EINVAL);
	assert_int_equal(sysctl_read("net/ipv4/ip_local_port_range", &value), -EINVAL);
	/* A folder; and a value that the kernel does not take. */
	assert_int_equal(sysctl_read("net/ipv6", &value), -EISDIR);
	assert_int_equal(sysctl_write("net/ipv6/conf/lo/hop_limit", 999), -EINVAL);
	assert_int_equal(capture_count_fds(), fds);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_device),
		TEST(test_never_taken_over),
		TEST(test_name_that_the_kernel_refuses),
		TEST(test_removed_while_it_is_made),
		TEST(test_orphan),
		TEST(test_names),
		TEST(test_settings_of_a_device),
		TEST(test_settings_that_cannot_be),
	};

	log_init("test", NULL, false);
	return cmocka_run_group_tests_name("netconf tun", tests, NULL, NULL);
}
