/* SPDX-License-Identifier: BSD-2-Clause */
/* Who is accepted, and when. */
#include "server/control/listener.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

struct rig {
	struct event_base *base;
	struct listener_owner owner;
	struct listener *listener;
	struct sockaddr_in address;
	unsigned int accepted;
	unsigned int asked; /* how long to wait */
	unsigned int waits; /* so often the answer is to wait */
};

static int64_t on_wait(void *arg)
{
	struct rig *rig = arg;

	rig->asked++;
	if (rig->waits == 0)
		return 0;
	rig->waits--;
	return 1;
}

static void on_accepted(int fd, struct in_addr peer, void *arg)
{
	struct rig *rig = arg;

	assert_int_equal(peer.s_addr, htonl(INADDR_LOOPBACK));
	assert_int_equal(close(fd), 0);
	rig->accepted++;
	(void)event_base_loopbreak(rig->base);
}

static bool on_exhausted(void *arg)
{
	(void)arg;
	fail();
	return false;
}

static int begin(void **state)
{
	struct rig *rig = calloc(1, sizeof(*rig));
	socklen_t size = sizeof(rig->address);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	assert_non_null(rig);
	rig->address = (struct sockaddr_in){
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	assert_int_equal(bind(fd, (struct sockaddr *)&rig->address, size), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&rig->address, &size), 0);
	assert_int_equal(listen(fd, 100), 0);
	rig->base = event_base_new();
	assert_non_null(rig->base);
	rig->owner = (struct listener_owner){
		.wait = on_wait,
		.accepted = on_accepted,
		.exhausted = on_exhausted,
		.arg = rig,
	};
	rig->listener = listener_new(rig->base, fd, &rig->owner);
	assert_non_null(rig->listener);
	*state = rig;
	return 0;
}

static int end(void **state)
{
	struct rig *rig = *state;

	listener_free(rig->listener);
	event_base_free(rig->base);
	free(rig);
	return 0;
}

static int come(const struct rig *rig)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(connect(fd, (const struct sockaddr *)&rig->address, sizeof(rig->address)),
			 0);
	return fd;
}

static void come_and_reset(const struct rig *rig)
{
	const struct linger reset = {.l_onoff = 1, .l_linger = 0};
	int fd = come(rig);

	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset)), 0);
	assert_int_equal(close(fd), 0);
}

/* Nothing is done for those who have left while they waited in the kernel. */
static void test_gone(void **state)
{
	struct rig *rig = *state;
	int fd;

	for (int i = 0; i < 10; i++) {
		assert_int_equal(close(come(rig)), 0);
		come_and_reset(rig);
	}
	fd = come(rig);
	assert_int_equal(event_base_dispatch(rig->base), 0);
	assert_int_equal(rig->accepted, 1);
	assert_int_equal(close(fd), 0);
}

/* While there is to be waited, nobody is accepted, and nobody lost. */
static void test_wait(void **state)
{
	struct rig *rig = *state;
	int first = come(rig), second = come(rig);

	rig->waits = 3;
	assert_int_equal(event_base_loop(rig->base, EVLOOP_NONBLOCK), 0);
	assert_int_equal(rig->accepted, 0);
	assert_true(rig->asked >= 1);
	while (rig->accepted < 2)
		assert_int_equal(event_base_loop(rig->base, EVLOOP_ONCE), 0);
	assert_int_equal(rig->waits, 0);
	assert_int_equal(close(first), 0);
	assert_int_equal(close(second), 0);
}

/* Stopped while it waits, it stays so. */
static void test_stopped(void **state)
{
	struct rig *rig = *state;
	int fd = come(rig);

	rig->waits = 1;
	assert_int_equal(event_base_loop(rig->base, EVLOOP_NONBLOCK), 0);
	listener_stop(rig->listener);
	/* The timer is the last event that there is. */
	assert_int_equal(event_base_dispatch(rig->base), 1);
	assert_int_equal(rig->accepted, 0);
	assert_int_equal(close(fd), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {TEST(test_gone), TEST(test_wait), TEST(test_stopped)};

	return cmocka_run_group_tests_name("server listener", tests, NULL, NULL);
}
