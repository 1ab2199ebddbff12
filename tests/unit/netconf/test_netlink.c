/* SPDX-License-Identifier: BSD-2-Clause */
/* What the routing socket brings about, in a network of the test's own. */
#include "netconf/netlink.h"

#include "netconf/tun.h"
#include "tests/unit/base/capture.h"
#include "tests/unit/base/need.h"
#include "tests/unit/base/network.h"
#include "tests/unit/proto/addresses.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

struct rig {
	struct netlink *netlink;
	int tun;
	unsigned int index;
};

static int open_rig(void **state)
{
	struct rig *rig = calloc(1, sizeof(*rig));

	assert_non_null(rig);
	need(network_make(), "a network namespace");
	assert_int_equal(netlink_open(&rig->netlink), 0);
	rig->tun = tun_open("tunnel", &rig->index);
	assert_true(rig->tun >= 0);
	assert_int_equal(netlink_link_setup(rig->netlink, rig->index, "test", 1280), 0);
	*state = rig;
	return 0;
}

static int close_rig(void **state)
{
	struct rig *rig = *state;

	close(rig->tun);
	netlink_close(rig->netlink);
	free(rig);
	return 0;
}

static void test_an_address_is_there_once(void **state)
{
	struct rig *rig = *state;
	const struct in6_addr addr = addr6("2001:db8::1");

	assert_int_equal(netlink_address_ensure(rig->netlink, rig->index, &addr, 128, NULL), 1);
	assert_true(netlink_address_await(rig->netlink, &addr));
	assert_int_equal(netlink_address_ensure(rig->netlink, rig->index, &addr, 128, NULL), 0);
	assert_int_equal(netlink_address_delete(rig->netlink, rig->index, &addr, 128), 0);
	assert_int_equal(netlink_address_delete(rig->netlink, rig->index, &addr, 128), 0);
}

static void test_an_address_that_nobody_has_is_not_awaited_for_ever(void **state)
{
	struct rig *rig = *state;
	const struct in6_addr addr = addr6("2001:db8::2");
	bool local;

	capture_begin(STDERR_FILENO);
	local = netlink_address_await(rig->netlink, &addr);
	assert_non_null(
		strstr(capture_end(), "the kernel does not take packets to 2001:db8::2 in yet\n"));
	assert_false(local);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_an_address_is_there_once, open_rig, close_rig),
		cmocka_unit_test_setup_teardown(
			test_an_address_that_nobody_has_is_not_awaited_for_ever, open_rig,
			close_rig),
	};

	return cmocka_run_group_tests_name("netconf netlink", tests, NULL, NULL);
}
