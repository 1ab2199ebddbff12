/* SPDX-License-Identifier: BSD-2-Clause */
/* Which of several addresses a connection is made to. */
#include "client/control/dialer.h"

#include "tests/unit/base/need.h"
#include "tests/unit/base/network.h"

#include <arpa/inet.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

/* Addresses of the network that network_make() makes: 192.0.2.number. */
static struct in_addr here(unsigned int number)
{
	return (struct in_addr){htonl(0xc0000200 + number)};
}

struct scene {
	struct event_base *base;
	struct dialer *dialer;
	uint16_t port;
	int listener; /* at here(9) */
	int full;     /* at here(5): what comes there is left unanswered */
	int filler[4];
	unsigned int done;
	int fd;
	struct in_addr remote;
	int error;
};

static void on_done(int fd, struct in_addr remote, int error, void *arg)
{
	struct scene *scene = arg;

	scene->done++;
	scene->fd = fd;
	scene->remote = remote;
	scene->error = error;
	(void)event_base_loopbreak(scene->base);
}

static struct sockaddr_in address_of(const struct scene *scene, unsigned int number)
{
	return (struct sockaddr_in){
		.sin_family = AF_INET, .sin_port = htons(scene->port), .sin_addr = here(number)};
}

static int listen_at(struct scene *scene, unsigned int number, int backlog)
{
	struct sockaddr_in address = address_of(scene, number);
	socklen_t len = sizeof(address);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_not_equal(fd, -1);
	assert_int_equal(bind(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(fd, backlog), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &len), 0);
	scene->port = ntohs(address.sin_port);
	return fd;
}

/* The kernel answers nobody more once those who wait to be accepted are as many as may. */
static void fill(struct scene *scene)
{
	const struct sockaddr_in address = address_of(scene, 5);

	for (size_t i = 0; i < sizeof(scene->filler) / sizeof(scene->filler[0]); i++) {
		scene->filler[i] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
		assert_int_not_equal(scene->filler[i], -1);
		(void)connect(scene->filler[i], (const struct sockaddr *)&address, sizeof(address));
	}
}

static int set_up(void **state)
{
	static struct scene scene;

	scene = (struct scene){.fd = -1};
	scene.base = event_base_new();
	scene.dialer = dialer_new(scene.base, on_done, &scene);
	assert_non_null(scene.dialer);
	scene.listener = listen_at(&scene, 9, 8);
	scene.full = listen_at(&scene, 5, 0);
	fill(&scene);
	dialer_reset(scene.dialer, scene.port, DIALER_DELAY_MS);
	*state = &scene;
	return 0;
}

static int tear_down(void **state)
{
	struct scene *scene = *state;

	dialer_free(scene->dialer);
	event_base_free(scene->base);
	for (size_t i = 0; i < sizeof(scene->filler) / sizeof(scene->filler[0]); i++)
		close(scene->filler[i]);
	close(scene->listener);
	close(scene->full);
	if (scene->fd != -1)
		close(scene->fd);
	return 0;
}

static bool add(struct scene *scene, const unsigned int *numbers, size_t count)
{
	struct in_addr list[40];

	for (size_t i = 0; i < count; i++)
		list[i] = here(numbers[i]);
	return dialer_add(scene->dialer, list, count);
}

#define ADD(scene, ...)                                                                            \
	add(scene, (const unsigned int[]){__VA_ARGS__},                                            \
	    sizeof((const unsigned int[]){__VA_ARGS__}) / sizeof(unsigned int))

static void expect(struct scene *scene, unsigned int number, int error)
{
	assert_int_equal(event_base_dispatch(scene->base), 0);
	assert_int_equal(scene->done, 1);
	assert_int_equal(scene->remote.s_addr, here(number).s_addr);
	assert_int_equal(scene->error, error);
	assert_int_equal(scene->fd == -1, error != 0);
}

/* The first one that answers, behind any number that refuse. */
static void test_the_last_of_ten(void **state)
{
	struct scene *scene = *state;
	struct sockaddr_in peer;
	socklen_t len = sizeof(peer);

	assert_true(ADD(scene, 11, 12, 13, 14, 15, 16, 17, 18, 19, 9));
	expect(scene, 9, 0);
	assert_int_equal(getpeername(scene->fd, (struct sockaddr *)&peer, &len), 0);
	assert_int_equal(peer.sin_addr.s_addr, here(9).s_addr);
}

/* One that says nothing holds up nobody. */
static void test_behind_a_silent_one(void **state)
{
	struct scene *scene = *state;

	assert_true(ADD(scene, 5, 9));
	expect(scene, 9, 0);
}

static void test_all_refuse(void **state)
{
	struct scene *scene = *state;
	struct in_addr failed;

	assert_true(ADD(scene, 11, 12, 13));
	expect(scene, 13, ECONNREFUSED);
	assert_int_equal(dialer_error(scene->dialer, &failed), ECONNREFUSED);
	assert_int_equal(failed.s_addr, here(13).s_addr);
	/* None of them again; but others. */
	assert_false(ADD(scene, 12, 11));
	scene->done = 0;
	assert_true(ADD(scene, 11, 9));
	expect(scene, 9, 0);
}

/* What cannot be sent at all fails in the call; the others have their turn. */
static void test_no_route(void **state)
{
	struct scene *scene = *state;
	const struct in_addr away[] = {{htonl(0xc6336402)}, {htonl(0xc6336403)}};
	struct in_addr failed;

	assert_false(dialer_add(scene->dialer, away, 2));
	assert_int_equal(dialer_error(scene->dialer, &failed), ENETUNREACH);
	assert_int_equal(failed.s_addr, away[1].s_addr);
	assert_int_equal(scene->done, 0);
	assert_true(ADD(scene, 9));
	expect(scene, 9, 0);
}

/* News comes before what waits; what is being tried goes on. */
static void test_news_first(void **state)
{
	struct scene *scene = *state;

	assert_true(ADD(scene, 5, 11, 12));
	assert_true(ADD(scene, 5, 9, 12));
	expect(scene, 9, 0);
	/* The two that waited were not tried, so they can be. */
	dialer_reset(scene->dialer, scene->port, DIALER_DELAY_MS);
	scene->done = 0;
	close(scene->fd);
	scene->fd = -1;
	assert_true(ADD(scene, 12, 11));
	expect(scene, 11, ECONNREFUSED);
}

/* More than there is place for are left out. */
static void test_too_many(void **state)
{
	struct scene *scene = *state;
	unsigned int numbers[40];

	for (unsigned int i = 0; i < 40; i++)
		numbers[i] = 100 + i;
	assert_true(add(scene, numbers, 40));
	expect(scene, 100 + DIALER_ADDRESSES_MAX - 1, ECONNREFUSED);
}

/* Nothing is heard of what was given up. */
static void test_reset(void **state)
{
	struct scene *scene = *state;

	assert_true(ADD(scene, 11, 9));
	dialer_reset(scene->dialer, scene->port, DIALER_DELAY_MS);
	/* No event is left to wait for. */
	assert_int_equal(event_base_dispatch(scene->base), 1);
	assert_int_equal(scene->done, 0);
}

static int make_network(void **state)
{
	(void)state;
	need(network_make(), "network namespace");
	return 0;
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(test_the_last_of_ten), TEST(test_behind_a_silent_one), TEST(test_all_refuse),
		TEST(test_no_route),	    TEST(test_news_first),	    TEST(test_too_many),
		TEST(test_reset),
	};

	return cmocka_run_group_tests_name("client dialer", tests, make_network, NULL);
}
