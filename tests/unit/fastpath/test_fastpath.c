/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What root's process does: where the programs are joined to a device by filters, as on kernels
 * before Linux 6.6, none is left, and none of another instance is touched; and what is said where
 * the programs cannot be loaded.
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
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
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

	fastpath_close(next);
	assert_int_equal(count_filters(netlink, uplink, TC_H_MIN_INGRESS), 1);
	/* A guard leaves those of others alone, too. */
	fastpath_sweep("one");
	assert_int_equal(count_filters(netlink, uplink, TC_H_MIN_INGRESS), 1);
	assert_true(fastpath_leaves_filters(other));

	fastpath_close(other);
	assert_int_equal(count_filters(netlink, uplink, TC_H_MIN_INGRESS), 0);
	fastpath_close(one);
	assert_int_equal(count_filters(netlink, tun, TC_H_MIN_INGRESS), 0);
	assert_int_equal(count_filters(netlink, tun, TC_H_MIN_EGRESS), 0);
	netlink_close(netlink);
	assert_int_equal(close(tun_fd), 0);
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
		cmocka_unit_test(test_without_privilege),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
