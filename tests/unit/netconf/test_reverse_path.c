/* SPDX-License-Identifier: BSD-2-Clause */
/* What the kernel says of routes, in a network of the test's own. */
#include "netconf/reverse_path.h"

#include "netconf/netlink.h"
#include "netconf/tun.h"
#include "tests/unit/base/need.h"
#include "tests/unit/base/network.h"
#include "tests/unit/proto/addresses.h"

#include <cap-ng.h>
#include <errno.h>
#include <linux/rtnetlink.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

struct rig {
	struct netlink *netlink;
	int fd;
	int tun[2];
	unsigned int index[2];
};

static int open_rig(void **state)
{
	static const char *const names[2] = {"one", "two"};
	struct rig *rig = calloc(1, sizeof(*rig));

	assert_non_null(rig);
	need(network_make(), "a network namespace");
	assert_int_equal(netlink_open(&rig->netlink), 0);
	rig->fd = reverse_path_open();
	assert_true(rig->fd >= 0);
	for (int i = 0; i < 2; i++) {
		rig->tun[i] = tun_open(names[i], &rig->index[i]);
		assert_true(rig->tun[i] >= 0);
		assert_int_equal(netlink_link_setup(rig->netlink, rig->index[i], "test", 1280), 0);
	}
	*state = rig;
	return 0;
}

static int close_rig(void **state)
{
	struct rig *rig = *state;

	close(rig->fd);
	close(rig->tun[0]);
	close(rig->tun[1]);
	netlink_close(rig->netlink);
	free(rig);
	return 0;
}

static void add_route(struct rig *rig, int device, const char *text)
{
	const struct prefix6 route = prefix(text);

	assert_int_equal(netlink_route_add(rig->netlink, rig->index[device], &route, 1024), 0);
}

/* Which of the two devices leads there: 0, 1, or -1; 2 for both. */
static int way(const struct rig *rig, const char *text)
{
	const struct in6_addr addr = addr6(text);
	bool one = reverse_path_leads(rig->fd, &addr, rig->index[0]);
	bool two = reverse_path_leads(rig->fd, &addr, rig->index[1]);

	assert_false(reverse_path_leads(rig->fd, &addr, 0));
	if (one && two)
		return 2;
	return one ? 0 : two ? 1 : -1;
}

/* The kernel may come to the routes of an address a moment after it has taken that. */
static void expect(const struct rig *rig, const char *text, int want)
{
	for (int ms = 0; way(rig, text) != want && ms < 5000; ms++)
		usleep(1000);
	assert_int_equal(way(rig, text), want);
}

static void test_addresses(void **state)
{
	struct rig *rig = *state;
	const struct in6_addr here = addr6("2001:db8:77::1");
	const struct in6_addr there = addr6("2001:db8:78::2");
	const struct in6_addr our = addr6("2001:db8:78::1");

	expect(rig, "2001:db8:77::2", -1);
	assert_int_equal(netlink_address_ensure(rig->netlink, rig->index[0], &here, 64, NULL), 1);
	assert_int_equal(netlink_address_ensure(rig->netlink, rig->index[1], &our, 128, &there), 1);
	expect(rig, "2001:db8:77::2", 0);
	expect(rig, "2001:db8:77:1::2", -1);
	expect(rig, "2001:db8:78::2", 1);
	/* Whoever claims to be this machine is not. */
	expect(rig, "2001:db8:77::1", -1);
	expect(rig, "2001:db8:78::1", -1);
	expect(rig, "::1", -1);
	expect(rig, "ff02::1", -1);
}

static void test_longest_match(void **state)
{
	struct rig *rig = *state;
	const struct prefix6 inside = prefix("2001:db8:77:5::/64");
	const struct prefix6 rejected = prefix("2001:db8:77:6::/64");

	add_route(rig, 0, "2001:db8:77::/48");
	add_route(rig, 1, "2001:db8:77:5::/64");
	expect(rig, "2001:db8:77:4::1", 0);
	expect(rig, "2001:db8:77:5::1", 1);
	assert_int_equal(netlink_reject_add(rig->netlink, &rejected), 0);
	expect(rig, "2001:db8:77:6::1", -1);
	assert_int_equal(netlink_route_delete(rig->netlink, rig->index[1], &inside), 0);
	expect(rig, "2001:db8:77:5::1", 0);
}

/* The better one, by its metric. */
static void test_two_default_routes(void **state)
{
	struct rig *rig = *state;
	const struct prefix6 everything = {.len = 0};

	assert_int_equal(netlink_route_add(rig->netlink, rig->index[0], &everything, 100), 0);
	assert_int_equal(netlink_route_add(rig->netlink, rig->index[1], &everything, 200), 0);
	expect(rig, "2001:db8:99::1", 0);
	assert_int_equal(netlink_route_delete(rig->netlink, rig->index[0], &everything), 0);
	expect(rig, "2001:db8:99::1", 1);
}

/* What is no routing socket gives no answer, and an answer that is waiting is not taken for ours.
 */
static void test_no_answer(void **state)
{
	struct rig *rig = *state;
	const struct in6_addr addr = addr6("2001:db8:77::1");
	int pipes[2];

	add_route(rig, 0, "2001:db8:77::/48");
	assert_false(reverse_path_leads(-1, &addr, rig->index[0]));
	assert_int_equal(pipe(pipes), 0);
	assert_false(reverse_path_leads(pipes[1], &addr, rig->index[0]));
	close(pipes[0]);
	close(pipes[1]);
	expect(rig, "2001:db8:77::1", 0);
}

/* With all capabilities given up, in a process of its own: 0 where that is so. */
static int without_privileges(const struct rig *rig)
{
	const struct in6_addr addr = addr6("2001:db8:77::1");
	struct {
		struct nlmsghdr header;
		struct ifinfomsg link;
	} removal = {
		.header = {.nlmsg_len = sizeof(removal),
			   .nlmsg_type = RTM_DELLINK,
			   .nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK},
		.link = {.ifi_index = (int)rig->index[0]},
	};
	struct {
		struct nlmsghdr header;
		struct nlmsgerr error;
		char rest[1024];
	} answer;

	capng_clear(CAPNG_SELECT_CAPS);
	if (capng_apply(CAPNG_SELECT_CAPS) != 0)
		return 1;
	if (!reverse_path_leads(rig->fd, &addr, rig->index[0]))
		return 2;
	if (write(rig->fd, &removal, sizeof(removal)) != sizeof(removal) ||
	    read(rig->fd, &answer, sizeof(answer)) < (ssize_t)sizeof(answer.header))
		return 3;
	return answer.header.nlmsg_type == NLMSG_ERROR && answer.error.error == -EPERM ? 0 : 4;
}

/* Root's socket in the hands of a process without privileges answers, and does nothing else. */
static void test_handed_over(void **state)
{
	struct rig *rig = *state;
	int status;
	pid_t pid;

	add_route(rig, 0, "2001:db8:77::/48");
	pid = fork();
	assert_int_not_equal(pid, -1);
	if (pid == 0)
		_exit(without_privileges(rig));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
	expect(rig, "2001:db8:77::1", 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_rig, close_rig)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_addresses), TEST(test_longest_match), TEST(test_two_default_routes),
		TEST(test_no_answer), TEST(test_handed_over),
	};

	return cmocka_run_group_tests_name("reverse path", tests, NULL, NULL);
}
