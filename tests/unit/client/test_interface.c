/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The client's interface, in a network of the test's own: each of the requests that make it fails
 * once, or somebody removes it before that one; then nothing may be left behind.
 */
#include "client/root/interface.h"

#include "base/log.h"
#include "netconf/reverse_path.h"
#include "netconf/rules.h"
#include "netconf/tun.h"
#include "tests/unit/base/capture.h"
#include "tests/unit/base/need.h"
#include "tests/unit/base/network.h"
#include "tests/unit/netconf/failing.h"
#include "tests/unit/proto/addresses.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

/* Fewer requests than that can make none of it. */
enum { REQUESTS = 15 };

struct rig {
	struct client_options options;
	struct interface interface;
	struct client_tunnel tunnel;
	struct netlink *other; /* somebody else's */
	unsigned int fds;
};

static int open_rig(void **state)
{
	struct rig *rig = calloc(1, sizeof(*rig));

	assert_non_null(rig);
	need(network_make(), "a network namespace");
	rig->options = (struct client_options){.servers = {"broker.example"},
					       .n_servers = 1,
					       .interface = "dtcp0",
					       .type = TUNNEL_NETWORK,
					       .mtu = 1280,
					       .metric = 1024,
					       .n_routes = 1};
	rig->tunnel.reply.me = rig->tunnel.myaddr = addr4("198.51.100.2");
	rig->tunnel.reply.her = rig->tunnel.server = addr4("192.0.2.1");
	rig->tunnel.reply.n_prefixes = 2;
	rig->tunnel.reply.prefixes[0] = prefix("2001:db8:100::/56");
	rig->tunnel.reply.prefixes[1] = prefix("fd00:1::/48");
	rig->interface = (struct interface){.options = &rig->options, .user = "alice"};
	assert_int_equal(netlink_open(&rig->interface.netlink), 0);
	assert_int_equal(netlink_open(&rig->other), 0);
	rig->fds = capture_count_fds();
	*state = rig;
	return 0;
}

static int close_rig(void **state)
{
	struct rig *rig = *state;

	failing_at(0, FAILING_REQUEST);
	assert_int_equal(capture_count_fds(), rig->fds);
	netlink_close(rig->interface.netlink);
	netlink_close(rig->other);
	free(rig);
	return 0;
}

/* --- what is there ------------------------------------------------------------------------ */

/* Whether packets to that address go to the interface. */
static bool leads(const char *name, const char *text)
{
	const struct in6_addr addr = addr6(text);
	int fd = reverse_path_open();
	bool found = reverse_path_leads(fd, &addr, if_nametoindex(name));

	assert_int_equal(close(fd), 0);
	return found;
}

/* All that the tunnel should have is there; ensuring it once more changes nothing. */
static void expect_whole(struct rig *rig)
{
	const struct interface *interface = &rig->interface;
	const struct prefix6 everything = {.len = 0};
	const struct in6_addr link_local = addr6("fe80::c633:6402");
	const struct in6_addr own = addr6("2001:db8:100:ff::1");
	unsigned int index = if_nametoindex("dtcp0");

	assert_int_not_equal(index, 0);
	assert_int_equal(interface->known.index, index);
	assert_int_equal(netlink_link_local_ensure(rig->other, index, &link_local), 0);
	assert_int_equal(netlink_address_ensure(rig->other, index, &own, 128, NULL), 0);
	assert_int_equal(netlink_route_ensure(rig->other, index, &everything, 1024), 0);
	assert_int_equal(rules_route_ensure(rig->other, index, interface->sources.table), 0);
	for (size_t i = 0; i < 2; i++) {
		const struct prefix6 *delegated = &rig->tunnel.reply.prefixes[i];

		assert_int_equal(netlink_reject_ensure(rig->other, delegated), 0);
		assert_int_equal(rules_ensure(rig->other, delegated, interface->sources.table), 0);
	}
	assert_true(leads("dtcp0", "2001:db8:9999::1"));
	assert_false(leads("dtcp0", "2001:db8:100:5::1"));
}

/* Nothing of it is there, nor thought to be. */
static void expect_nothing(struct rig *rig)
{
	const struct interface *interface = &rig->interface;

	assert_int_equal(if_nametoindex("dtcp0"), 0);
	assert_int_equal(netlink_reject_sweep(rig->other, NULL), 0);
	assert_int_equal(rules_sweep(rig->other), 0);
	assert_int_equal(interface->known.index, 0);
	assert_int_equal(interface->n_rejects, 0);
	assert_int_equal(interface->sources.n, 0);
	assert_int_equal(interface->sources.table, 0);
}

/* It is up, and whole. */
static int up(struct rig *rig)
{
	int fd = interface_up(&rig->interface, &rig->tunnel);

	assert_true(fd >= 0);
	(void)strlcpy(rig->interface.known.name, "dtcp0", sizeof(rig->interface.known.name));
	expect_whole(rig);
	return fd;
}

/* And removed again. */
static void down(struct rig *rig, int fd)
{
	interface_down(&rig->interface);
	expect_nothing(rig);
	assert_int_equal(close(fd), 0);
}

/* --- making it ---------------------------------------------------------------------------- */

static void test_up_and_down(void **state)
{
	struct rig *rig = *state;

	down(rig, up(rig));
	/* Once more on the same socket; and what is not there need not be removed. */
	down(rig, up(rig));
	interface_down(&rig->interface);
	expect_nothing(rig);
}

/* Whichever request fails, or is heard of as failed, nothing is left of the others. */
static void test_each_request_fails(void **state)
{
	struct rig *rig = *state;

	for (enum failing_how how = FAILING_REQUEST; how <= FAILING_ANSWER; how++) {
		unsigned int number = 0;
		bool failed;
		int fd;

		do {
			capture_begin(STDERR_FILENO);
			failing_at(++number, how);
			fd = interface_up(&rig->interface, &rig->tunnel);
			failed = failing_happened();
			failing_at(0, how);
			(void)capture_end();
			if (fd >= 0)
				expect_whole(rig);
			else
				assert_int_equal(fd, -ENOBUFS);
			interface_down(&rig->interface);
			expect_nothing(rig);
			if (fd >= 0)
				assert_int_equal(close(fd), 0);
		} while (failed);
		assert_true(number > REQUESTS);
	}
}

static void remove_it(void *arg)
{
	const struct rig *rig = arg;

	assert_int_equal(netlink_link_delete(rig->other, if_nametoindex("dtcp0")), 0);
}

/* Before whichever request somebody removes it: it is made again, and is whole. */
static void test_removed_while_it_is_made(void **state)
{
	struct rig *rig = *state;
	unsigned int number = 0;
	int fd;

	for (;;) {
		capture_begin(STDERR_FILENO);
		failing_before(++number, remove_it, rig);
		fd = interface_up(&rig->interface, &rig->tunnel);
		(void)capture_end();
		assert_true(fd >= 0);
		/* Rules know nothing of it, and come last: that is for who watches it. */
		if (if_nametoindex("dtcp0") == 0)
			break;
		expect_whole(rig);
		assert_true(failing_happened());
		down(rig, fd);
	}
	assert_true(number > REQUESTS / 2);
	down(rig, fd);
}

static void remove_always(void *arg)
{
	remove_it(arg);
	failing_before(2, remove_always, arg);
}

/* Somebody does so each time: that is the end of it. */
static void test_removed_each_time(void **state)
{
	struct rig *rig = *state;
	const char *said;
	int fd;

	capture_begin(STDERR_FILENO);
	failing_before(2, remove_always, rig);
	fd = interface_up(&rig->interface, &rig->tunnel);
	failing_at(0, FAILING_REQUEST);
	said = capture_end();
	assert_int_equal(fd, -ENODEV);
	expect_nothing(rig);
	for (int i = 0; i < 3; i++) {
		said = strstr(said, "interface dtcp0 was removed by somebody while it was made\n");
		assert_non_null(said);
		said++;
	}
	assert_null(strstr(said, "interface dtcp0 was removed"));
}

static void test_name_is_taken(void **state)
{
	struct rig *rig = *state;
	unsigned int index;
	int theirs = tun_open("dtcp0", &index);
	const char *said;
	int fd;

	assert_true(theirs >= 0);
	capture_begin(STDERR_FILENO);
	fd = interface_up(&rig->interface, &rig->tunnel);
	said = capture_end();
	assert_int_equal(fd, -EEXIST);
	assert_string_equal(said, "test: interface dtcp0 exists already; if another instance uses "
				  "it, name another one\n");
	assert_int_equal(if_nametoindex("dtcp0"), index);
	assert_int_equal(close(theirs), 0);
	expect_nothing(rig);
}

static void test_address_of_the_user(void **state)
{
	struct rig *rig = *state;
	const char *said;
	int fd;

	rig->options.n_addresses = 1;
	rig->options.addresses[0] = (struct client_address){addr6("2001:db8:200::1"), 64};
	capture_begin(STDERR_FILENO);
	fd = interface_up(&rig->interface, &rig->tunnel);
	said = capture_end();
	assert_int_equal(fd, -EINVAL);
	assert_string_equal(said, "test: --address 2001:db8:200::1: not inside the prefix that the "
				  "server gave; what is sent from it would be dropped there\n");
	expect_nothing(rig);
	/* The server has numbered the tunnel. */
	rig->tunnel.reply.has_me6 = rig->tunnel.reply.has_her6 = true;
	rig->tunnel.reply.me6 = addr6("2001:db8::2");
	rig->tunnel.reply.her6 = addr6("2001:db8::1");
	capture_begin(STDERR_FILENO);
	fd = interface_up(&rig->interface, &rig->tunnel);
	said = capture_end();
	assert_true(fd >= 0);
	assert_string_equal(said,
			    "test: --address is not used: the server has numbered the tunnel\n");
	assert_true(leads("dtcp0", "2001:db8::1"));
	assert_int_equal(netlink_address_ensure(rig->other, rig->interface.known.index,
						&rig->tunnel.reply.me6, 128,
						&rig->tunnel.reply.her6),
			 0);
	down(rig, fd);
}

/* --- as long as it is there --------------------------------------------------------------- */

static int restore(struct rig *rig, const char *log)
{
	const char *said;
	int result;

	capture_begin(STDERR_FILENO);
	result = interface_restore(&rig->interface, &rig->tunnel);
	said = capture_end();
	assert_string_equal(said, log);
	return result;
}

/* Each thing that somebody has removed is put back, and named. */
static void test_restore(void **state)
{
	const struct prefix6 everything = {.len = 0};
	const struct in6_addr own = addr6("2001:db8:100:ff::1");
	struct rig *rig = *state;
	int fd = up(rig);
	unsigned int index = rig->interface.known.index;

	assert_int_equal(restore(rig, ""), 0);
	assert_int_equal(netlink_address_delete(rig->other, index, &own, 128), 0);
	assert_int_equal(netlink_reject_delete(rig->other, &rig->tunnel.reply.prefixes[1]), 0);
	assert_int_equal(netlink_route_delete(rig->other, index, &everything), 0);
	assert_int_equal(rules_delete(rig->other, &rig->tunnel.reply.prefixes[0]), 0);
	assert_int_equal(
		restore(rig,
			"test: interface dtcp0: the address 2001:db8:100:ff::1 was removed by "
			"somebody; put back\n"
			"test: interface dtcp0: the reject route fd00:1::/48 was removed by "
			"somebody; put back\n"
			"test: interface dtcp0: the default route was removed by somebody; put "
			"back\n"
			"test: interface dtcp0: the rule from 2001:db8:100::/56 was removed by "
			"somebody; put back\n"),
		4);
	expect_whole(rig);
	/* All went at once, and comes back at once; until then nothing is said or done. */
	assert_int_equal(netlink_link_set_up(rig->other, index, false), 0);
	capture_begin(STDERR_FILENO);
	(void)interface_restore(&rig->interface, &rig->tunnel);
	(void)capture_end();
	assert_true(rig->interface.known.set_down);
	assert_int_equal(netlink_link_set_up(rig->other, index, true), 0);
	assert_true(restore(rig, "test: interface dtcp0 is up again, with its addresses and "
				 "routes\n") > 0);
	expect_whole(rig);
	down(rig, fd);
}

/* Set down, or removed, it is taken down like any other. */
static void test_down_after_others(void **state)
{
	struct rig *rig = *state;
	int fd = up(rig);

	assert_int_equal(netlink_link_set_up(rig->other, rig->interface.known.index, false), 0);
	down(rig, fd);
	fd = up(rig);
	assert_int_equal(netlink_link_delete(rig->other, rig->interface.known.index), 0);
	down(rig, fd);
}

/* What cannot be put back is told, and all else is put back nevertheless. */
static void test_restore_fails(void **state)
{
	struct rig *rig = *state;
	int fd = up(rig);
	unsigned int number = 0;
	int result;

	do {
		assert_int_equal(netlink_link_set_up(rig->other, rig->interface.known.index, false),
				 0);
		assert_int_equal(netlink_link_set_up(rig->other, rig->interface.known.index, true),
				 0);
		capture_begin(STDERR_FILENO);
		failing_at(++number, FAILING_REQUEST);
		result = interface_restore(&rig->interface, &rig->tunnel);
		(void)capture_end();
		if (failing_happened())
			assert_int_equal(result, -ENOBUFS);
		else
			assert_true(result >= 0);
		capture_begin(STDERR_FILENO);
		failing_at(0, FAILING_REQUEST);
		result = interface_restore(&rig->interface, &rig->tunnel);
		(void)capture_end();
		assert_in_range(result, 0, 1);
		expect_whole(rig);
	} while (number < 10);
	down(rig, fd);
}

static bool has_link_local(const struct rig *rig, const char *text)
{
	const struct in6_addr addr = addr6(text);
	int result = netlink_link_local_ensure(rig->other, rig->interface.known.index, &addr);

	assert_in_range(result, 0, 1);
	if (result == 1)
		assert_int_equal(
			netlink_link_local_delete(rig->other, rig->interface.known.index, &addr),
			0);
	return result == 0;
}

/* Another session is known by another address of ours. */
static void test_update(void **state)
{
	struct rig *rig = *state;
	int fd = up(rig);

	assert_int_equal(interface_update(&rig->interface, &rig->tunnel), 0);
	rig->tunnel.reply.me = addr4("198.51.100.3");
	assert_int_equal(interface_update(&rig->interface, &rig->tunnel), 0);
	assert_true(has_link_local(rig, "fe80::c633:6403"));
	assert_false(has_link_local(rig, "fe80::c633:6402"));
	/* Set down, it gets all that it should have when it is set up again. */
	rig->interface.known.set_down = true;
	rig->tunnel.reply.me = addr4("198.51.100.4");
	failing_at(1, FAILING_REQUEST);
	assert_int_equal(interface_update(&rig->interface, &rig->tunnel), 0);
	assert_false(failing_happened());
	failing_at(0, FAILING_REQUEST);
	assert_true(interface_restore(&rig->interface, &rig->tunnel) > 0);
	assert_true(has_link_local(rig, "fe80::c633:6404"));
	interface_down(&rig->interface);
	expect_nothing(rig);
	assert_int_equal(close(fd), 0);
}

/* --- what an earlier run has left --------------------------------------------------------- */

static const char *sweep(struct rig *rig)
{
	capture_begin(STDERR_FILENO);
	interface_sweep(rig->other);
	return capture_end();
}

static void test_sweep(void **state)
{
	struct rig *rig = *state;
	int fd = up(rig);

	/* It lives. */
	assert_string_equal(sweep(rig), "");
	expect_whole(rig);
	/* It is killed: what is left goes, and with it what is said of it. */
	assert_int_equal(close(fd), 0);
	assert_string_equal(sweep(rig),
			    "test: removed the rules for 2 prefixes left behind by an earlier run\n"
			    "test: removed 2 reject routes left behind by an earlier run\n");
	assert_string_equal(sweep(rig), "");
	interface_down(&rig->interface);
	expect_nothing(rig);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_rig, close_rig)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_up_and_down),
		TEST(test_each_request_fails),
		TEST(test_removed_while_it_is_made),
		TEST(test_removed_each_time),
		TEST(test_name_is_taken),
		TEST(test_address_of_the_user),
		TEST(test_restore),
		TEST(test_down_after_others),
		TEST(test_restore_fails),
		TEST(test_update),
		TEST(test_sweep),
	};

	log_init("test", NULL, false);
	return cmocka_run_group_tests_name("client interface", tests, NULL, NULL);
}
