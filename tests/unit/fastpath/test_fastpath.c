/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What root's process does: where the programs are joined to a device by filters, as on kernels
 * before Linux 6.6, none is left, and none of another instance is touched; IPsec policies are left
 * to forward; and what is said where the programs cannot be loaded.
 */
#include "fastpath/fastpath.h"

#include "fastpath/root.h"
#include "netconf/netlink.h"
#include "netconf/netlink_talk.h"
#include "netconf/tun.h"
#include "tests/unit/base/capture.h"
#include "tests/unit/base/need.h"
#include "tests/unit/fastpath/uplink.h"

#include <cap-ng.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <linux/xfrm.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static struct fastpath_config config_of(const char *interface)
{
	return (struct fastpath_config){
		.sessions_max = 4, .routes_max = 4, .interface = interface, .old = true};
}

/* --- devices ------------------------------------------------------------------------------ */

static int on_filter(const struct nlmsghdr *message, void *data)
{
	const struct tcmsg *filter = mnl_nlmsg_get_payload(message);
	int *count = data;

	/* Each priority has an entry as well, without a handle. */
	*count += filter->tcm_handle != 0;
	return MNL_CB_OK;
}

static int count_filters(struct netlink *netlink, unsigned int index, uint32_t point)
{
	struct netlink_request request;
	struct nlmsghdr *header = netlink_start(&request, RTM_GETTFILTER, 0);
	struct tcmsg *filter = mnl_nlmsg_put_extra_header(header, sizeof(*filter));
	int count = 0;

	filter->tcm_ifindex = (int)index;
	filter->tcm_parent = TC_H_MAKE(TC_H_CLSACT, point);
	assert_int_equal(netlink_dump(netlink, header, on_filter, &count, "look at filters"), 0);
	return count;
}

static struct fastpath *start(const char *interface)
{
	const struct fastpath_config config = config_of(interface);
	char why[160] = "";
	struct fastpath *fastpath = fastpath_open(&config, why, sizeof(why));

	need(fastpath != NULL, why);
	return fastpath;
}

static void test_filters(void **state)
{
	struct netlink *netlink;
	struct fastpath *one;
	struct fastpath *other;
	struct fastpath *next;
	unsigned int uplink;
	unsigned int tun;
	int uplink_fd;
	int tun_fd;

	(void)state;
	uplink_fd = uplink_open(&uplink);
	assert_int_equal(netlink_open(&netlink), 0);
	tun_fd = tun_open("one", &tun);
	assert_true(tun_fd >= 0);

	one = start("one");
	assert_int_equal(fastpath_follow(one), 1);
	assert_int_equal(fastpath_set_tun(one, tun), 0);
	assert_int_equal(count_filters(netlink, uplink, TC_H_MIN_INGRESS), 1);
	assert_int_equal(count_filters(netlink, tun, TC_H_MIN_INGRESS), 1);
	assert_int_equal(count_filters(netlink, tun, TC_H_MIN_EGRESS), 1);

	/* Another instance has filters of its own. */
	other = start("other");
	assert_int_equal(fastpath_follow(other), 1);
	assert_int_equal(count_filters(netlink, uplink, TC_H_MIN_INGRESS), 2);

	/* What was killed has left its filter to the next start. */
	next = start("one");
	assert_int_equal(fastpath_follow(next), 1);
	assert_int_equal(count_filters(netlink, uplink, TC_H_MIN_INGRESS), 2);

	/* A guard leaves those of others alone, too. */
	fastpath_sweep("one");
	assert_int_equal(count_filters(netlink, uplink, TC_H_MIN_INGRESS), 1);
	assert_true(fastpath_leaves_filters(other));

	fastpath_close(next);
	assert_int_equal(count_filters(netlink, uplink, TC_H_MIN_INGRESS), 1);
	fastpath_close(other);
	assert_int_equal(count_filters(netlink, uplink, TC_H_MIN_INGRESS), 0);
	fastpath_close(one);
	assert_int_equal(count_filters(netlink, tun, TC_H_MIN_INGRESS), 0);
	assert_int_equal(count_filters(netlink, tun, TC_H_MIN_EGRESS), 0);
	netlink_close(netlink);
	assert_int_equal(close(tun_fd), 0);
	assert_int_equal(close(uplink_fd), 0);
}

/* --- IPsec -------------------------------------------------------------------------------- */

static int change_policies(uint16_t type, const void *body, size_t size)
{
	struct netlink_request request;
	struct nlmsghdr *header = netlink_start(&request, type, NLM_F_CREATE);
	struct netlink *netlink;
	int error = netlink_open_bus(NETLINK_XFRM, &netlink);

	if (error)
		return error;
	if (size)
		memcpy(mnl_nlmsg_put_extra_header(header, size), body, size);
	error = netlink_talk(netlink, header, 0, "change policies");
	netlink_close(netlink);
	return error;
}

/* Nothing may leave this network as it is. */
static int add_policy(void)
{
	const struct xfrm_userpolicy_info policy = {
		.sel = {.family = AF_INET},
		.lft = {.soft_byte_limit = XFRM_INF,
			.hard_byte_limit = XFRM_INF,
			.soft_packet_limit = XFRM_INF,
			.hard_packet_limit = XFRM_INF},
		.dir = XFRM_POLICY_OUT,
		.action = XFRM_POLICY_BLOCK,
	};

	return change_policies(XFRM_MSG_NEWPOLICY, &policy, sizeof(policy));
}

static void flush_policies(void)
{
	assert_int_equal(change_policies(XFRM_MSG_FLUSHPOLICY, NULL, 0), 0);
}

static struct fastpath *begin(enum fast_choice choice, const char *lines)
{
	const struct fastpath_config config = config_of("one");
	struct fastpath *fastpath;
	const char *printed;
	bool good;

	capture_begin(STDERR_FILENO);
	good = fastpath_begin(choice, &config, &fastpath);
	printed = capture_end();
	need(good && fastpath, printed);
	assert_string_equal(printed, lines);
	return fastpath;
}

static void follow(struct event_base *base, const struct fastpath *fastpath, bool paused,
		   const char *line)
{
	const char *printed;

	capture_begin(STDERR_FILENO);
	while (fastpath_is_paused(fastpath) != paused)
		assert_int_equal(event_base_loop(base, EVLOOP_ONCE), 0);
	printed = capture_end();
	assert_string_equal(printed, line);
}

#define LINE_ON "dtcp: fast path: on, the kernel sends and receives\n"
#define LINE_IPSEC                                                                                 \
	"dtcp: fast path: off: this machine has IPsec policies, which the kernel's programs "      \
	"would pass by\n"

/* For auto they are a reason to be off, for as long as there are any; on is as it is. */
static void test_ipsec(void **state)
{
	struct event_base *base = event_base_new();
	struct fastpath *fastpath;
	struct watch *watch;
	unsigned int uplink;
	int uplink_fd;

	(void)state;
	assert_non_null(base);
	uplink_fd = uplink_open(&uplink);
	need(add_policy() == 0, "IPsec");
	fastpath = begin(FAST_ON, "dtcp: fast path: this machine has IPsec policies, and packets "
				  "pass them by\n" LINE_ON);
	assert_false(fastpath_is_paused(fastpath));
	assert_null(fastpath_watch_ipsec(base, fastpath, FAST_ON));
	fastpath_close(fastpath);

	fastpath = begin(FAST_AUTO, LINE_IPSEC);
	assert_true(fastpath_is_paused(fastpath));
	watch = fastpath_watch_ipsec(base, fastpath, FAST_AUTO);
	assert_non_null(watch);
	flush_policies();
	follow(base, fastpath, false, LINE_ON);
	assert_int_equal(add_policy(), 0);
	follow(base, fastpath, true, LINE_IPSEC);
	watch_free(watch);
	fastpath_close(fastpath);

	flush_policies();
	fastpath = begin(FAST_AUTO, LINE_ON);
	/* What came between the start and the watch counts, too. */
	assert_int_equal(add_policy(), 0);
	capture_begin(STDERR_FILENO);
	watch = fastpath_watch_ipsec(base, fastpath, FAST_AUTO);
	assert_string_equal(capture_end(), LINE_IPSEC);
	assert_true(fastpath_is_paused(fastpath));
	watch_free(watch);
	fastpath_close(fastpath);
	event_base_free(base);
	assert_int_equal(close(uplink_fd), 0);
}

/* --- where it is not possible ------------------------------------------------------------- */

enum { BEGUN = 10, REFUSED, BAD };

/* In a process that may not load programs. */
static int begin_without_privilege(enum fast_choice choice)
{
	const struct fastpath_config config = config_of("one");
	struct fastpath *fastpath = NULL;
	bool good;

	if (capng_get_caps_process() != 0 ||
	    capng_updatev(CAPNG_DROP, CAPNG_EFFECTIVE | CAPNG_PERMITTED, CAP_BPF, CAP_SYS_ADMIN,
			  -1) != 0 ||
	    capng_apply(CAPNG_SELECT_CAPS) != 0)
		return BAD;
	good = fastpath_begin(choice, &config, &fastpath);
	if (fastpath)
		return BAD;
	return good ? BEGUN : REFUSED;
}

static void expect_without_privilege(enum fast_choice choice, int expected, const char *line)
{
	const char *printed;
	int status = 0;
	pid_t pid;

	capture_begin(STDERR_FILENO);
	pid = fork();
	if (pid == 0)
		_exit(begin_without_privilege(choice));
	if (pid != -1 && waitpid(pid, &status, 0) == -1)
		pid = -1;
	printed = capture_end();
	assert_int_not_equal(pid, -1);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), expected);
	assert_string_equal(printed, line);
}

static void test_without_privilege(void **state)
{
	(void)state;
	expect_without_privilege(FAST_ON, REFUSED,
				 "dtcp: fast path: not possible: no privilege to load a program, "
				 "or a security module refused it\n");
	expect_without_privilege(FAST_AUTO, BEGUN,
				 "dtcp: fast path: off: no privilege to load a program, or a "
				 "security module refused it\n");
	expect_without_privilege(FAST_OFF, BEGUN, "dtcp: fast path: off\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_filters),
		cmocka_unit_test(test_ipsec),
		cmocka_unit_test(test_without_privilege),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
