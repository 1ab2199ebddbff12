/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/base/need.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

void need(bool there, const char *what)
{
	const char *may_skip = getenv("DTCP_TESTS_MAY_SKIP");

	if (there)
		return;
	if (may_skip && strcmp(may_skip, "1") == 0)
		skip();
	fail_msg("there is no %s here (DTCP_TESTS_MAY_SKIP=1 skips such tests)", what);
}
