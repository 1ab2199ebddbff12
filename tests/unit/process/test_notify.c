/* SPDX-License-Identifier: BSD-2-Clause */
/* What a service manager hears from us, at a socket of the test's own. */
#include "process/notify.h"

#include "base/log.h"
#include "tests/unit/base/capture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

static char path[64];
static int manager = -1;

static int make_manager(void **state)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};

	(void)state;
	(void)snprintf(path, sizeof(path), "/tmp/dtcp-test-notify-%d", (int)getpid());
	(void)strlcpy(addr.sun_path, path, sizeof(addr.sun_path));
	manager = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	log_init("prog", NULL, false);
	(void)setenv("NOTIFY_SOCKET", path, 1);
	return bind(manager, (const struct sockaddr *)&addr, sizeof(addr));
}

static int drop_manager(void **state)
{
	(void)state;
	close(manager);
	(void)unlink(path);
	return 0;
}

static void expect_heard(const char *expected)
{
	char text[2000] = "";
	ssize_t n = recv(manager, text, sizeof(text) - 1, 0);

	if (expected)
		assert_string_equal(text, expected);
	else
		assert_int_equal(n, -1);
}

/* Opens with the environment as it is, and returns what was logged. */
static const char *open_logged(struct notify *notify)
{
	capture_begin(STDERR_FILENO);
	notify_open(notify);
	return capture_end();
}

static void test_path(void **state)
{
	struct notify notify;

	(void)state;
	assert_string_equal(open_logged(&notify), "");
	notify_must(&notify, "READY=1\nSTATUS=%d up", 3);
	expect_heard("READY=1\nSTATUS=3 up");
	assert_true(notify_try(&notify, "WATCHDOG=1"));
	expect_heard("WATCHDOG=1");
	assert_int_equal(notify.watchdog_us, 0);
	assert_int_equal(notify.pid, getpid());
	notify_close(&notify);
}

/* "@" stands for the NUL that an abstract name begins with; its end is where its length says. */
static void test_abstract(void **state)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	struct notify notify;
	char name[64];
	int len;

	(void)state;
	len = snprintf(name, sizeof(name), "@dtcp-test-notify-%d", (int)getpid());
	memcpy(addr.sun_path + 1, name + 1, (size_t)len - 1);
	close(manager);
	manager = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(manager, (const struct sockaddr *)&addr,
			      (socklen_t)(offsetof(struct sockaddr_un, sun_path) + (size_t)len)),
			 0);
	(void)setenv("NOTIFY_SOCKET", name, 1);
	assert_string_equal(open_logged(&notify), "");
	notify_must(&notify, "STOPPING=1");
	expect_heard("STOPPING=1");
	notify_close(&notify);
}

/* Nobody asks: nothing is opened, and saying something is no failure. */
static void test_nobody(void **state)
{
	struct notify notify;

	(void)state;
	(void)unsetenv("NOTIFY_SOCKET");
	(void)setenv("WATCHDOG_USEC", "1000000", 1);
	assert_string_equal(open_logged(&notify), "");
	assert_int_equal(notify.socket, -1);
	assert_int_equal(notify.watchdog_us, 0);
	notify_must(&notify, "READY=1");
	assert_true(notify_try(&notify, "WATCHDOG=1"));
	expect_heard(NULL);
	notify_close(&notify);
	(void)setenv("NOTIFY_SOCKET", "", 1);
	assert_string_equal(open_logged(&notify), "");
	assert_int_equal(notify.socket, -1);
}

static void test_environment_is_cleared(void **state)
{
	struct notify notify;

	(void)state;
	(void)setenv("WATCHDOG_USEC", "1000000", 1);
	(void)setenv("WATCHDOG_PID", "1", 1);
	notify_open(&notify);
	assert_null(getenv("NOTIFY_SOCKET"));
	assert_null(getenv("WATCHDOG_USEC"));
	assert_null(getenv("WATCHDOG_PID"));
	notify_close(&notify);
}

static void expect_watchdog(const char *period, const char *pid, uint64_t expected,
			    const char *logged)
{
	struct notify notify;

	(void)setenv("NOTIFY_SOCKET", path, 1);
	(void)setenv("WATCHDOG_USEC", period, 1);
	if (pid)
		(void)setenv("WATCHDOG_PID", pid, 1);
	assert_string_equal(open_logged(&notify), logged);
	assert_true(notify.watchdog_us == expected);
	notify_close(&notify);
}

static void test_watchdog(void **state)
{
	char own[16];

	(void)state;
	(void)snprintf(own, sizeof(own), "%d", (int)getpid());
	expect_watchdog("30000000", NULL, 30000000, "");
	expect_watchdog("30000000", own, 30000000, "");
	/* Meant for the shell, say, that has started us. */
	expect_watchdog("30000000", "1", 0, "");
	expect_watchdog("30000000", "x", 0, "");
	expect_watchdog("soon", NULL, 0,
			"prog: WATCHDOG_USEC=soon: invalid; the service manager will not hear "
			"from us\n");
	expect_watchdog("0", NULL, 0,
			"prog: WATCHDOG_USEC=0: too small; the service manager will not hear "
			"from us\n");
}

static void test_bad_sockets(void **state)
{
	static const char *const names[] = {"relative", "/", "@", "vsock:2:1",
					    "/nonexistent/notify",
					    /* 108 octets, one too many for an address */
					    "/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
					    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
					    "aaaaaaaaaaaaaaaaaaaaa"};

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct notify notify;
		char begin[200];
		const char *logged;

		(void)setenv("NOTIFY_SOCKET", names[i], 1);
		(void)snprintf(begin, sizeof(begin), "prog: NOTIFY_SOCKET=%s: ", names[i]);
		logged = open_logged(&notify);
		assert_int_equal(strncmp(logged, begin, strlen(begin)), 0);
		assert_int_equal(notify.socket, -1);
		assert_null(getenv("NOTIFY_SOCKET"));
	}
}

/* The manager's queue is full: what can wait is refused at once. */
static void test_full(void **state)
{
	struct notify notify;
	int sent = 0;

	(void)state;
	notify_open(&notify);
	while (sent < 100000 && notify_try(&notify, "WATCHDOG=1"))
		sent++;
	assert_in_range(sent, 1, 99999);
	expect_heard("WATCHDOG=1");
	notify_must(&notify, "READY=1");
	while (sent-- > 1)
		expect_heard("WATCHDOG=1");
	expect_heard("READY=1");
	notify_close(&notify);
}

/* Said in vain, which is logged where it was important. */
static void test_gone(void **state)
{
	struct notify notify;

	(void)state;
	notify_open(&notify);
	close(manager);
	manager = -1;
	capture_begin(STDERR_FILENO);
	notify_must(&notify, "READY=1");
	assert_false(notify_try(&notify, "WATCHDOG=1"));
	assert_string_equal(capture_end(),
			    "prog: cannot tell the service manager: Connection refused\n");
	notify_close(&notify);
}

/* What is too long is cut, and is still one datagram. */
static void test_long(void **state)
{
	struct notify notify;
	char text[2000];
	char expected[1200];

	(void)state;
	memset(text, 'a', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	(void)strlcpy(expected, text, sizeof(expected));
	notify_open(&notify);
	notify_must(&notify, "%s", text);
	expect_heard(expected);
	notify_close(&notify);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_manager, drop_manager)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_path),     TEST(test_abstract),
		TEST(test_nobody),   TEST(test_environment_is_cleared),
		TEST(test_watchdog), TEST(test_bad_sockets),
		TEST(test_full),     TEST(test_gone),
		TEST(test_long),
	};

	return cmocka_run_group_tests_name("base notify", tests, NULL, NULL);
}
