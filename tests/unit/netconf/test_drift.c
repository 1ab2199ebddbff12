/* SPDX-License-Identifier: BSD-2-Clause */
/* What is said of an interface that others change, in a network of the test's own. */
#include "netconf/drift.h"

#include "base/log.h"
#include "netconf/netlink.h"
#include "netconf/tun.h"
#include "tests/unit/base/capture.h"
#include "tests/unit/base/need.h"
#include "tests/unit/base/network.h"
#include "tests/unit/proto/addresses.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#define ADDRESS "fe80::1"

struct rig {
	struct netlink *netlink;
	int device;
	struct drift_interface interface;
	char old_name[IFNAMSIZ];
};

static int open_rig(void **state)
{
	const struct in6_addr address = addr6(ADDRESS);
	struct rig *rig = calloc(1, sizeof(*rig));

	assert_non_null(rig);
	need(network_make(), "a network namespace");
	assert_int_equal(netlink_open(&rig->netlink), 0);
	rig->interface.name[0] = 't';
	rig->device = tun_open(rig->interface.name, &rig->interface.index);
	assert_true(rig->device >= 0);
	assert_int_equal(netlink_link_setup(rig->netlink, rig->interface.index, "test", 1280), 0);
	assert_int_equal(netlink_link_local_add(rig->netlink, rig->interface.index, &address), 0);
	assert_int_equal(drift_look(&rig->interface, rig->old_name), DRIFT_NONE);
	*state = rig;
	return 0;
}

static int close_rig(void **state)
{
	struct rig *rig = *state;

	assert_int_equal(close(rig->device), 0);
	netlink_close(rig->netlink);
	free(rig);
	return 0;
}

static void set_flags(const struct rig *rig, short flags)
{
	struct ifreq request = {.ifr_flags = flags};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	assert_int_not_equal(fd, -1);
	(void)strlcpy(request.ifr_name, rig->interface.name, sizeof(request.ifr_name));
	assert_int_equal(ioctl(fd, SIOCSIFFLAGS, &request), 0);
	assert_int_equal(close(fd), 0);
}

/* Mends it; its address is expected to be missing. Returns what was logged. */
static const char *mend(struct rig *rig, struct drift_repair *repair)
{
	const struct in6_addr address = addr6(ADDRESS);
	int result = netlink_link_local_ensure(rig->netlink, rig->interface.index, &address);

	assert_int_equal(result, 1);
	capture_begin(STDERR_FILENO);
	drift_repair_note(repair, result, "address", ADDRESS);
	drift_repair_note(repair, 0, "address", "that is there");
	return capture_end();
}

static void test_removed(void **state)
{
	const struct in6_addr address = addr6(ADDRESS);
	struct rig *rig = *state;
	struct drift_repair repair = drift_repair_begin(&rig->interface);

	assert_int_equal(netlink_link_local_delete(rig->netlink, rig->interface.index, &address),
			 0);
	assert_string_equal(mend(rig, &repair), "test: interface t: the address " ADDRESS
						" was removed by somebody; put back\n");
	assert_int_equal(drift_repair_end(&rig->interface, &repair), 1);
}

/* Between the look and what follows it. */
static void test_set_down_meanwhile(void **state)
{
	const struct in6_addr address = addr6(ADDRESS);
	struct rig *rig = *state;
	struct drift_repair repair = drift_repair_begin(&rig->interface);

	set_flags(rig, 0);
	assert_string_equal(mend(rig, &repair), "test: interface t was set down; nothing passes "
						"until it is set up again\n");
	drift_repair_note(&repair, -ENETDOWN, "route", "that cannot be there now");
	/* Nothing to try again: it comes when it is set up. */
	assert_int_equal(drift_repair_end(&rig->interface, &repair), 0);
	assert_true(rig->interface.set_down);
	assert_int_equal(drift_look(&rig->interface, rig->old_name), DRIFT_SET_DOWN);

	set_flags(rig, IFF_UP);
	assert_int_equal(netlink_link_local_delete(rig->netlink, rig->interface.index, &address),
			 0);
	assert_int_equal(drift_look(&rig->interface, rig->old_name), DRIFT_NONE);
	repair = drift_repair_begin(&rig->interface);
	assert_string_equal(mend(rig, &repair), "");
	assert_int_equal(drift_repair_end(&rig->interface, &repair), 1);
	assert_false(rig->interface.set_down);
}

/* The next look finds it missing, and says so. */
static void test_removed_meanwhile(void **state)
{
	struct rig *rig = *state;
	struct drift_repair repair = drift_repair_begin(&rig->interface);

	assert_int_equal(netlink_link_delete(rig->netlink, rig->interface.index), 0);
	capture_begin(STDERR_FILENO);
	drift_repair_note(&repair, 1, "address", ADDRESS);
	assert_string_equal(capture_end(), "");
	assert_int_equal(drift_repair_end(&rig->interface, &repair), 0);
	assert_false(rig->interface.set_down);
	assert_int_equal(drift_look(&rig->interface, rig->old_name), DRIFT_GONE);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_rig, close_rig)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_removed),
		TEST(test_set_down_meanwhile),
		TEST(test_removed_meanwhile),
	};

	log_init("test", NULL, false);
	return cmocka_run_group_tests_name("netconf drift", tests, NULL, NULL);
}
