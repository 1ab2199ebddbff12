/* SPDX-License-Identifier: BSD-2-Clause */
/* What is tried at the start, as long as somebody may sit at the terminal. */
#include "client/root/resources.h"

#include "base/log.h"
#include "client/root/lan_record.h"
#include "netconf/tun.h"
#include "tests/unit/base/capture.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#include <cmocka.h>

static int device;	    /* what making it comes to */
static unsigned int sweeps; /* so often was cleared up */
static int left_on_lan;

int __wrap_tun_open(const char *name, unsigned int *index);
void __wrap_interface_sweep(struct netlink *netlink);
int __wrap_lan_record_sweep(const char *interface);

int __wrap_tun_open(const char *name, unsigned int *index)
{
	assert_string_equal(name, "dtcp0");
	*index = 5;
	return device;
}

void __wrap_interface_sweep(struct netlink *netlink)
{
	(void)netlink;
	sweeps++;
}

int __wrap_lan_record_sweep(const char *interface)
{
	assert_null(interface);
	return left_on_lan;
}

static void expect(bool result, const char *log)
{
	const struct client_options options = {.interface = "dtcp0"};
	const char *said;
	bool got;

	sweeps = 0;
	capture_begin(STDERR_FILENO);
	got = client_resources_try_device(&options, NULL);
	said = capture_end();
	assert_int_equal(got, result);
	assert_string_equal(said, log);
	assert_int_equal(sweeps, result);
}

static void test_device(void **state)
{
	const struct client_options without = {.interface = "dtcp0", .no_device = true};
	unsigned int fds = capture_count_fds();

	(void)state;
	device = dup(STDERR_FILENO);
	expect(true, "");
	/* It is gone again. */
	assert_int_equal(capture_count_fds(), fds);
	left_on_lan = 2;
	device = -ENODEV; /* somebody was quick, so it could be made */
	expect(true, "test: took back what an earlier run has left on the networks here\n");
	left_on_lan = 0;
	/* What is wrong has been said, and what is somebody else's is left alone. */
	device = -EEXIST;
	expect(false, "");
	device = -EPERM;
	expect(false, "");
	sweeps = 0;
	assert_true(client_resources_try_device(&without, NULL));
	assert_int_equal(sweeps, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_device)};

	log_init("test", NULL, false);
	return cmocka_run_group_tests_name("client resources", tests, NULL, NULL);
}
