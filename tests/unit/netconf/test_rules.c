/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Tables and rules, in a network of the test's own: what is there of them is asked of the kernel
 * here, by another socket than the one that makes them.
 */
#include "netconf/rules.h"

#include "base/log.h"
#include "netconf/netlink_talk.h"
#include "netconf/tun.h"
#include "tests/unit/base/capture.h"
#include "tests/unit/base/need.h"
#include "tests/unit/base/network.h"
#include "tests/unit/netconf/failing.h"
#include "tests/unit/proto/addresses.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fib_rules.h>
#include <linux/rtnetlink.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

struct rig {
	struct netlink *netlink, *other;
	int device;
	unsigned int index;
};

static int open_rig(void **state)
{
	struct rig *rig = calloc(1, sizeof(*rig));

	assert_non_null(rig);
	need(network_make(), "a network namespace");
	assert_int_equal(netlink_open(&rig->netlink), 0);
	assert_int_equal(netlink_open(&rig->other), 0);
	rig->device = tun_open("tun7", &rig->index);
	assert_true(rig->device >= 0);
	assert_int_equal(netlink_link_setup(rig->netlink, rig->index, "test", 1280), 0);
	*state = rig;
	return 0;
}

static int close_rig(void **state)
{
	struct rig *rig = *state;

	failing_at(0, FAILING_REQUEST);
	close(rig->device);
	netlink_close(rig->netlink);
	netlink_close(rig->other);
	free(rig);
	return 0;
}

/* --- what the kernel has ------------------------------------------------------------------ */

static int on_rule(const struct nlmsghdr *message, void *data)
{
	const struct fib_rule_hdr *rule = mnl_nlmsg_get_payload(message);
	const struct nlattr *protocol = netlink_find(message, sizeof(*rule), FRA_PROTOCOL);
	unsigned int *count = data;

	*count += protocol && mnl_attr_get_u8(protocol) == NETLINK_ROUTE_PROTOCOL;
	return MNL_CB_OK;
}

static unsigned int rules_there(const struct rig *rig)
{
	struct netlink_request request;
	struct nlmsghdr *header = netlink_start(&request, RTM_GETRULE, 0);
	struct fib_rule_hdr *rule = mnl_nlmsg_put_extra_header(header, sizeof(*rule));
	unsigned int count = 0;

	rule->family = AF_INET6;
	assert_int_equal(netlink_dump(rig->other, header, on_rule, &count, "look"), 0);
	return count;
}

/* Somebody's rule that leads to a table, and is none of ours. */
static void use_table(const struct rig *rig, uint32_t table)
{
	struct netlink_request request;
	struct nlmsghdr *header = netlink_start(&request, RTM_NEWRULE, NLM_F_CREATE);
	struct fib_rule_hdr *rule = mnl_nlmsg_put_extra_header(header, sizeof(*rule));

	rule->family = AF_INET6;
	rule->action = FR_ACT_TO_TBL;
	mnl_attr_put_u32(header, FRA_TABLE, table);
	mnl_attr_put_u32(header, FRA_PRIORITY, 10000 + table);
	assert_int_equal(netlink_talk(rig->other, header, 0, "make a rule by hand"), 0);
}

/* --- tables ------------------------------------------------------------------------------- */

static void test_tables_in_use(void **state)
{
	const struct rig *rig = *state;
	uint32_t table;

	use_table(rig, RULES_TABLE_FIRST);
	use_table(rig, RULES_TABLE_FIRST + 1);
	assert_int_equal(rules_claim(rig->netlink, rig->index, 0, &table), 0);
	assert_int_equal(table, RULES_TABLE_FIRST + 2);
	/* With the route in it, it is in use as well. */
	assert_int_equal(rules_claim(rig->netlink, rig->index, 0, &table), 0);
	assert_int_equal(table, RULES_TABLE_FIRST + 3);
}

static struct rig *quick; /* who takes a table first */

static void take_table(void *arg)
{
	assert_int_equal(rules_route_ensure(quick->other, quick->index, *(const uint32_t *)arg), 1);
}

/* Another instance is quicker: with the first one it was a question of who asks first. */
static void test_another_instance_is_quicker(void **state)
{
	uint32_t first = RULES_TABLE_FIRST;
	struct rig *rig = *state;
	uint32_t table;

	quick = rig;
	/* The group, the rules, the routes; and then the route. */
	failing_before(4, take_table, &first);
	assert_int_equal(rules_claim(rig->netlink, rig->index, 0, &table), 0);
	assert_true(failing_happened());
	assert_int_equal(table, RULES_TABLE_FIRST + 1);
}

static void test_no_table_is_left(void **state)
{
	const struct rig *rig = *state;
	const char *said;
	uint32_t table;
	int result;

	for (uint32_t i = 0; i < RULES_TABLES; i++)
		use_table(rig, RULES_TABLE_FIRST + i);
	capture_begin(STDERR_FILENO);
	result = rules_claim(rig->netlink, rig->index, 0, &table);
	said = capture_end();
	assert_int_equal(result, -EEXIST);
	assert_string_equal(said, "test: no routing table is free from 22000 on\n");
}

static void test_wanted_table_is_taken(void **state)
{
	const struct rig *rig = *state;
	const char *said;
	uint32_t table;
	int result;

	assert_int_equal(rules_claim(rig->netlink, rig->index, 100, &table), 0);
	assert_int_equal(table, 100);
	capture_begin(STDERR_FILENO);
	result = rules_claim(rig->netlink, rig->index, 100, &table);
	said = capture_end();
	assert_int_equal(result, -EEXIST);
	assert_string_equal(said, "test: routing table 100 has a default route already; another "
				  "one can be named, or \"auto\"\n");
}

/* Whichever of its requests fails, the claim does; and the next one is free to try. */
static void test_claim_fails(void **state)
{
	const struct rig *rig = *state;
	uint32_t table;
	int result;

	for (unsigned int number = 1; number <= 4; number++) {
		for (enum failing_how how = FAILING_REQUEST; how <= FAILING_ANSWER; how++) {
			capture_begin(STDERR_FILENO);
			failing_at(number, how);
			result = rules_claim(rig->netlink, rig->index, 0, &table);
			(void)capture_end();
			assert_true(failing_happened());
			assert_int_equal(result, -ENOBUFS);
		}
	}
	failing_at(5, FAILING_REQUEST);
	assert_int_equal(rules_claim(rig->netlink, rig->index, 0, &table), 0);
	assert_false(failing_happened());
}

/* --- rules -------------------------------------------------------------------------------- */

static void test_rules_are_there_once(void **state)
{
	const struct prefix6 from = prefix("2001:db8:100::/56");
	const struct prefix6 inside = prefix("2001:db8:100::/64");
	const struct rig *rig = *state;

	assert_int_equal(rules_ensure(rig->netlink, &from, 100), 1);
	assert_int_equal(rules_there(rig), 2);
	assert_int_equal(rules_ensure(rig->netlink, &from, 100), 0);
	assert_int_equal(rules_there(rig), 2);
	assert_int_equal(rules_ensure(rig->netlink, &inside, 100), 1);
	/* Those of a prefix, and not of another one that lies in it. */
	assert_int_equal(rules_delete(rig->netlink, &from), 0);
	assert_int_equal(rules_there(rig), 2);
	assert_int_equal(rules_delete(rig->netlink, &from), 0);
	assert_int_equal(rules_there(rig), 2);
	assert_int_equal(rules_delete(rig->netlink, &inside), 0);
	assert_int_equal(rules_there(rig), 0);
}

/* What was made of a pair of which the other half failed can be removed, or made whole. */
static void test_half_a_pair(void **state)
{
	const struct prefix6 from = prefix("2001:db8:100::/56");
	const struct rig *rig = *state;

	for (enum failing_how how = FAILING_REQUEST; how <= FAILING_ANSWER; how++) {
		for (unsigned int number = 1; number <= 2; number++) {
			int result;

			capture_begin(STDERR_FILENO);
			failing_at(number, how);
			result = rules_ensure(rig->netlink, &from, 100);
			(void)capture_end();
			assert_int_equal(result, -ENOBUFS);
			assert_int_equal(rules_there(rig), number - (how == FAILING_REQUEST));
			if (number == 2)
				assert_int_equal(rules_ensure(rig->netlink, &from, 100),
						 how == FAILING_REQUEST);
			assert_int_equal(rules_delete(rig->netlink, &from), 0);
			assert_int_equal(rules_there(rig), 0);
		}
	}
}

/* Removing fails half-way: once more, and it is done. */
static void test_half_removed(void **state)
{
	const struct prefix6 from = prefix("2001:db8:100::/56");
	const struct rig *rig = *state;

	for (unsigned int number = 1; number <= 3; number++) {
		int result;

		assert_int_equal(rules_ensure(rig->netlink, &from, 100), 1);
		capture_begin(STDERR_FILENO);
		failing_at(number, FAILING_REQUEST);
		result = rules_delete(rig->netlink, &from);
		(void)capture_end();
		assert_true(failing_happened());
		assert_int_equal(result, -ENOBUFS);
		assert_int_equal(rules_delete(rig->netlink, &from), 0);
		assert_int_equal(rules_there(rig), 0);
	}
}

/* Ours whose interface has gone, and nobody else's. */
static void test_sweep(void **state)
{
	const struct prefix6 live = prefix("2001:db8:100::/56");
	const struct prefix6 dead = prefix("2001:db8:200::/56");
	struct rig *rig = *state;
	uint32_t table;

	assert_int_equal(rules_claim(rig->netlink, rig->index, 0, &table), 0);
	assert_int_equal(rules_ensure(rig->netlink, &live, table), 1);
	assert_int_equal(rules_ensure(rig->netlink, &dead, table + 1), 1);
	use_table(rig, 100);
	assert_int_equal(rules_there(rig), 4);
	assert_int_equal(rules_sweep(rig->netlink), 1);
	assert_int_equal(rules_there(rig), 2);
	assert_int_equal(rules_ensure(rig->netlink, &live, table), 0);
	assert_int_equal(close(rig->device), 0);
	assert_int_equal(rules_sweep(rig->netlink), 1);
	assert_int_equal(rules_there(rig), 0);
	rig->device = open("/dev/null", O_RDWR | O_CLOEXEC);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_rig, close_rig)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_tables_in_use),
		TEST(test_another_instance_is_quicker),
		TEST(test_no_table_is_left),
		TEST(test_wanted_table_is_taken),
		TEST(test_claim_fails),
		TEST(test_rules_are_there_once),
		TEST(test_half_a_pair),
		TEST(test_half_removed),
		TEST(test_sweep),
	};

	log_init("test", NULL, false);
	return cmocka_run_group_tests_name("netconf rules", tests, NULL, NULL);
}
