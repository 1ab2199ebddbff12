/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What becomes of the server's devices when others remove, rename or set them down. When it is time
 * to look is for the test to say: the watch is a model.
 */
#include "base/clock.h"
#include "base/log.h"
#include "links_rig.h"
#include "netconf/netlink_talk.h"
#include "netconf/tun.h"
#include "tests/unit/base/capture.h"
#include "tests/unit/base/network.h"
#include "tests/unit/proto/addresses.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static struct {
	struct interface_watch_owner owner;
	unsigned int soon;     /* how often a look was wanted */
	unsigned int repaired; /* how often a look has found something */
	int64_t by;	       /* the time of a look that was wanted; -1: none was */
	int64_t later;	       /* so much time has passed */
} watch;

struct interface_watch *__wrap_interface_watch_new(struct event_base *base,
						   const struct interface_watch_owner *owner);
void __wrap_interface_watch_free(struct interface_watch *model);
void __wrap_interface_watch_look_by(struct interface_watch *model, int64_t when);
void __wrap_interface_watch_look_soon(struct interface_watch *model);
void __wrap_interface_watch_repaired(struct interface_watch *model);
int64_t __wrap_clock_ms(void);
int64_t __real_clock_ms(void);

struct interface_watch *__wrap_interface_watch_new(struct event_base *base,
						   const struct interface_watch_owner *owner)
{
	(void)base;
	watch.owner = *owner;
	return (struct interface_watch *)(void *)&watch;
}

void __wrap_interface_watch_free(struct interface_watch *model)
{
	(void)model;
}

void __wrap_interface_watch_look_by(struct interface_watch *model, int64_t when)
{
	assert_ptr_equal(model, &watch);
	watch.by = when;
}

void __wrap_interface_watch_look_soon(struct interface_watch *model)
{
	assert_ptr_equal(model, &watch);
	watch.soon++;
}

void __wrap_interface_watch_repaired(struct interface_watch *model)
{
	assert_ptr_equal(model, &watch);
	watch.repaired++;
}

int64_t __wrap_clock_ms(void)
{
	return __real_clock_ms() + watch.later;
}

/* It looks; returns what it says. */
static const char *look(void)
{
	watch.by = -1;
	watch.soon = watch.repaired = 0;
	capture_begin(STDERR_FILENO);
	watch.owner.look(watch.owner.arg);
	return capture_end();
}

/* All was well until now. */
static int begin_watching(void **state)
{
	struct links_rig *rig = *state;

	memset(&watch, 0, sizeof(watch));
	links_watch(rig->links, NULL);
	assert_int_equal(watch.soon, 1);
	assert_string_equal(look(), "");
	assert_int_equal(watch.repaired, 0);
	rig->machine = 0;
	return 0;
}

static int begin(void **state)
{
	return links_rig_open(state) == 0 ? begin_watching(state) : -1;
}

/* The pool is of a kind that no provider's router is in. */
static int begin_with_pool(void **state)
{
	struct links_rig *rig;

	if (links_rig_begin(state) != 0)
		return -1;
	rig = *state;
	rig->options.has_pool = true;
	rig->options.pool = prefix("fd00:100::/40");
	rig->fds[0] = links_make_shared(rig->links);
	assert_true(rig->fds[0] >= 0);
	return begin_watching(state);
}

static void delete (const struct links_rig *rig, const char *name)
{
	unsigned int index = if_nametoindex(name);

	assert_int_not_equal(index, 0);
	assert_int_equal(netlink_link_delete(rig->netlink, index), 0);
	watch.owner.touched(index, watch.owner.arg);
}

/* --- devices that are removed ------------------------------------------------------------- */

/* With all that belongs to it, and forward hears of it. */
static void test_shared_device_is_removed(void **state)
{
	const struct prefix6 route = prefix("2001:db8:77::/48");
	const struct in6_addr own = addr6("fd00:100::1");
	struct links_rig *rig = *state;

	assert_int_equal(links_route_add(rig->links, &route), 0);
	links_link_local(rig->links, addr4("192.0.2.9"));
	delete (rig, "dtcps0");
	assert_int_equal(watch.soon, 1);
	assert_string_equal(look(),
			    "test: interface dtcps0 was removed by somebody; making it again\n");
	assert_int_equal(watch.repaired, 1);
	assert_int_equal(links_rig_addresses("dtcps0", &own), 1);
	assert_int_equal(links_rig_link_locals("dtcps0", "192.0.2.9"), 1);
	assert_int_equal(links_rig_link_locals("dtcps0", NETWORK_HERE), 1);
	assert_true(links_rig_leads("dtcps0", "2001:db8:77::1"));
	assert_true(links_rig_leads("dtcps0", "fd00:100:1::1"));
	assert_string_equal(look(), "");
	links_route_remove(rig->links, &route);
	assert_false(links_rig_leads("dtcps0", "2001:db8:77::1"));
}

/* As long as it cannot be made, that is tried, and said, again; sessions can come and go. */
static void test_cannot_be_made_again(void **state)
{
	const struct prefix6_set route = {.n = 1, .list = {prefix("2001:db8:77::/48")}};
	struct links_rig *rig = *state;
	uint32_t number = links_rig_open_for(rig, 7, NETWORK_HERE), again;
	unsigned int index;
	int theirs;

	delete (rig, "dtcps1");
	theirs = tun_open("dtcps1", &index);
	assert_true(theirs >= 0);
	assert_string_equal(
		look(), "test: interface dtcps1 was removed by somebody; making it again\n"
			"test: interface dtcps1 exists already; if another instance uses it, name "
			"another one\n");
	assert_int_equal(watch.soon, 1);
	assert_int_equal(watch.repaired, 1);
	assert_string_equal(look(), "test: interface dtcps1 exists already; if another instance "
				    "uses it, name another one\n");
	/* The next session of the same user, with something to be led there. */
	assert_int_equal(links_open(rig->links, 7, addr4("192.0.2.9"), &route, &again), 0);
	assert_int_equal(again, number);
	assert_int_equal(close(theirs), 0);
	assert_string_equal(look(), "");
	assert_true(links_rig_leads("dtcps1", "2001:db8:77::1"));
	assert_int_equal(links_rig_link_locals("dtcps1", "192.0.2.9"), 1);
	links_close(rig->links, number);
	links_close(rig->links, number);
}

/* It is not there when its last session ends: then nothing is kept of it. */
static void test_session_ends_without_device(void **state)
{
	struct links_rig *rig = *state;
	uint32_t number = links_rig_open_for(rig, 7, NETWORK_HERE);
	unsigned int index;
	int theirs;

	delete (rig, "dtcps1");
	theirs = tun_open("dtcps1", &index);
	(void)look();
	links_close(rig->links, number);
	assert_int_equal(rig->fds[number], -1);
	assert_int_equal(close(theirs), 0);
	assert_string_equal(look(), "");
	assert_int_equal(if_nametoindex("dtcps1"), 0);
}

/* One that was only kept goes without a word; nobody needs it now. */
static void test_kept_device_is_removed(void **state)
{
	struct links_rig *rig = *state;
	uint32_t number = links_rig_open_for(rig, 7, NETWORK_HERE);

	links_close(rig->links, number);
	assert_int_not_equal(rig->fds[number], -1);
	delete (rig, "dtcps1");
	assert_string_equal(look(), "");
	assert_int_equal(rig->fds[number], -1);
	assert_int_equal(if_nametoindex("dtcps1"), 0);
}

/* One that is leaving is ours to remove. */
static void test_leaving_device_is_not_looked_at(void **state)
{
	struct links_rig *rig = *state;
	uint32_t number = links_rig_open_for(rig, 7, NETWORK_HERE);

	links_close(rig->links, number);
	watch.owner.touched(if_nametoindex("dtcps1"), watch.owner.arg);
	assert_int_equal(device_pool_leave(rig->links->pool, 0, INT64_MAX, &number, 1), 1);
	watch.soon = 0;
	watch.owner.touched(if_nametoindex("dtcps1"), watch.owner.arg);
	assert_int_equal(watch.soon, 0);
	assert_int_equal(netlink_link_delete(rig->netlink, if_nametoindex("dtcps1")), 0);
	assert_string_equal(look(), "");
	assert_int_equal(if_nametoindex("dtcps1"), 0);
	links_gone(rig->links, number);
}

/* More than are looked at in one go: the others have their turn at once. */
static void test_many(void **state)
{
	struct links_rig *rig = *state;
	char name[IFNAMSIZ];

	for (int64_t user = 1; user <= 70; user++)
		(void)links_rig_open_for(rig, user, NETWORK_HERE);
	for (uint32_t number = 1; number <= 70; number++) {
		server_interface_name(&rig->options, number, name);
		watch.owner.touched(if_nametoindex(name), watch.owner.arg);
	}
	assert_string_equal(look(), "");
	assert_false(TAILQ_EMPTY(&rig->links->touched));
	assert_true(watch.by >= 0 && watch.by <= __wrap_clock_ms());
	assert_string_equal(look(), "");
	assert_true(TAILQ_EMPTY(&rig->links->touched));
	assert_int_equal(watch.by, -1);
	/* Anything may have happened to any. */
	watch.owner.touched(0, watch.owner.arg);
	assert_int_equal(TAILQ_FIRST(&rig->links->touched) - rig->links->devices, 0);
	assert_int_equal(TAILQ_LAST(&rig->links->touched, links_touched) - rig->links->devices, 70);
}

/* --- what belongs to them ----------------------------------------------------------------- */

static void test_put_back(void **state)
{
	const struct in6_addr own = addr6("fd00:100::1");
	const struct prefix6 route = prefix("2001:db8:77::/48");
	struct links_rig *rig = *state;
	unsigned int index = if_nametoindex("dtcps0");

	assert_int_equal(links_route_add(rig->links, &route), 0);
	assert_int_equal(netlink_address_delete(rig->netlink, index, &own, 128), 0);
	assert_int_equal(netlink_route_delete(rig->netlink, index, &rig->options.pool), 0);
	assert_int_equal(netlink_route_delete(rig->netlink, index, &route), 0);
	watch.owner.touched(index, watch.owner.arg);
	assert_string_equal(look(),
			    "test: interface dtcps0: the address fd00:100::1 was removed by "
			    "somebody; put back\n"
			    "test: interface dtcps0: the route fd00:100::/40 was removed by "
			    "somebody; put back\n"
			    "test: interface dtcps0: the route 2001:db8:77::/48 was removed by "
			    "somebody; put back\n");
	assert_int_equal(watch.repaired, 1);
	assert_int_equal(rig->machine, 1);
	assert_true(TAILQ_EMPTY(&rig->links->touched));
	assert_int_equal(links_rig_addresses("dtcps0", &own), 1);
	assert_true(links_rig_leads("dtcps0", "2001:db8:77::1"));
}

static void test_set_down(void **state)
{
	struct links_rig *rig = *state;
	unsigned int index = if_nametoindex("dtcps0");

	assert_int_equal(netlink_link_set_up(rig->netlink, index, false), 0);
	watch.owner.touched(index, watch.owner.arg);
	assert_string_equal(look(), "test: interface dtcps0 was set down; nothing passes until it "
				    "is set up again\n");
	/* A session may come meanwhile. */
	assert_int_equal(links_rig_open_for(rig, 7, NETWORK_HERE), 1);
	assert_int_equal(netlink_link_set_up(rig->netlink, index, true), 0);
	watch.owner.touched(index, watch.owner.arg);
	assert_string_equal(look(),
			    "test: interface dtcps0 is up again, with its addresses and routes\n");
	assert_true(links_rig_leads("dtcps0", "fd00:100:1::1"));
	links_close(rig->links, 1);
}

/* Older kernels rename only what is down. */
static void rename_link(const struct links_rig *rig, unsigned int index, const char *name)
{
	struct netlink_request request;
	struct nlmsghdr *header = netlink_start(&request, RTM_NEWLINK, 0);
	struct ifinfomsg *link = mnl_nlmsg_put_extra_header(header, sizeof(*link));

	assert_int_equal(netlink_link_set_up(rig->netlink, index, false), 0);
	link->ifi_family = AF_UNSPEC;
	link->ifi_index = (int)index;
	mnl_attr_put_strz(header, IFLA_IFNAME, name);
	assert_int_equal(netlink_talk(rig->netlink, header, 0, "rename an interface"), 0);
	assert_int_equal(netlink_link_set_up(rig->netlink, index, true), 0);
}

/* It is followed under its new name; made again, it has its own. */
static void test_renamed(void **state)
{
	static const char called[] = "test: interface dtcps0 is called six6 now\n";
	struct links_rig *rig = *state;
	unsigned int index = if_nametoindex("dtcps0");

	rename_link(rig, index, "six6");
	watch.owner.touched(index, watch.owner.arg);
	assert_int_equal(strncmp(look(), called, strlen(called)), 0);
	assert_int_equal(links_rig_link_locals("six6", NETWORK_HERE), 1);
	delete (rig, "six6");
	assert_string_equal(look(),
			    "test: interface six6 was removed by somebody; making it again\n");
	assert_int_equal(links_rig_link_locals("dtcps0", NETWORK_HERE), 1);
}

/* --- what the machine has ----------------------------------------------------------------- */

/* An interface of somebody's gets the address that the server took for itself. */
static void test_address_in_use(void **state)
{
	const struct in6_addr own = addr6("fd00:100::1");
	struct links_rig *rig = *state;
	unsigned int index;
	int theirs = tun_open("other", &index);

	assert_true(theirs >= 0);
	assert_int_equal(netlink_address_ensure(rig->netlink, index, &own, 128, NULL), 1);
	watch.soon = 0;
	/* One of ours is no news. */
	watch.owner.neighbours(if_nametoindex("dtcps0"), watch.owner.arg);
	assert_int_equal(watch.soon, 0);
	watch.owner.neighbours(index, watch.owner.arg);
	assert_int_equal(watch.soon, 1);
	assert_string_equal(look(), "test: fd00:100::1 is left to whom it belongs; the server has "
				    "no address of its own in this prefix\n");
	assert_int_equal(links_rig_addresses("dtcps0", &own), 0);
	assert_int_equal(rig->machine, 1);
	assert_true(links_rig_leads("dtcps0", "fd00:100:1::1"));
	assert_string_equal(look(), "");
	/* It goes, and is expected back: nothing is taken from whoever has it then. */
	assert_int_equal(close(theirs), 0);
	watch.owner.neighbours(0, watch.owner.arg);
	assert_string_equal(look(), "");
	assert_int_equal(links_rig_addresses("dtcps0", &own), 0);
}

/* At a boot the machine's own network is given time to come. */
static int begin_early(void **state)
{
	struct links_rig *rig;

	if (links_rig_begin(state) != 0)
		return -1;
	rig = *state;
	memset(&watch, 0, sizeof(watch));
	rig->options.has_pool = true;
	rig->options.pool = prefix("2001:db8:100::/40");
	rig->fds[0] = links_make_shared(rig->links);
	assert_true(rig->fds[0] >= 0);
	links_watch(rig->links, NULL);
	return 0;
}

static void test_network_does_not_come(void **state)
{
	const struct in6_addr own = addr6("2001:db8:100::1");
	const struct links_rig *rig = *state;
	struct in6_addr source;

	assert_string_equal(look(), "");
	assert_int_equal(links_rig_addresses("dtcps0", &own), 0);
	assert_true(links_rig_leads("dtcps0", "2001:db8:100:1::1"));
	assert_true(watch.by > __wrap_clock_ms());
	/* A boot can take a while. */
	watch.later = 55000;
	assert_string_equal(look(), "");
	assert_int_equal(links_rig_addresses("dtcps0", &own), 0);
	watch.later = 60000;
	assert_string_equal(look(), "");
	assert_int_equal(links_rig_addresses("dtcps0", &own), 1);
	assert_int_equal(watch.by, -1);
	source = links_icmp_source(rig->links);
	assert_true(IN6_ARE_ADDR_EQUAL(&source, &own));
}

#define TEST(name, begin) cmocka_unit_test_setup_teardown(name, begin, links_rig_close)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_shared_device_is_removed, begin_with_pool),
		TEST(test_cannot_be_made_again, begin),
		TEST(test_session_ends_without_device, begin),
		TEST(test_kept_device_is_removed, begin),
		TEST(test_leaving_device_is_not_looked_at, begin),
		TEST(test_many, begin),
		TEST(test_put_back, begin_with_pool),
		TEST(test_set_down, begin_with_pool),
		TEST(test_renamed, begin),
		TEST(test_address_in_use, begin_with_pool),
		TEST(test_network_does_not_come, begin_early),
	};

	log_init("test", NULL, false);
	return cmocka_run_group_tests_name("server links watch", tests, NULL, NULL);
}
