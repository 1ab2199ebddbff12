/* SPDX-License-Identifier: BSD-2-Clause */
/* A build without the kernel's programs says so, and fails where the user insists on them. */
#include "fastpath/root.h"
#include "tests/unit/base/capture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <unistd.h>

#include <cmocka.h>

static void expect(enum fast_choice choice, bool expected, const char *line)
{
	const struct fastpath_config config = {.sessions_max = 1, .interface = "one"};
	struct fastpath *fastpath = NULL;
	const char *printed;
	bool good;

	capture_begin(STDERR_FILENO);
	good = fastpath_begin(choice, &config, &fastpath);
	fastpath_join_tun(fastpath, NULL, 1);
	fastpath_join_uplinks(fastpath);
	fastpath_close(fastpath);
	printed = capture_end();
	assert_null(fastpath);
	assert_true(good == expected);
	assert_string_equal(printed, line);
}

static void test_not_built(void **state)
{
	(void)state;
	expect(FAST_ON, false, "dtcp: fast path: not possible: not built into this program\n");
	expect(FAST_AUTO, true, "dtcp: fast path: off: not built into this program\n");
	expect(FAST_OFF, true, "dtcp: fast path: off\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_not_built)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
