/* SPDX-License-Identifier: BSD-2-Clause */
/* What can be shown anywhere. */
#include "base/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void test_plain(void **state)
{
	static const char *const good[] = {
		"",
		" ~",
		"\xc2\xa0\xdf\xbf",	    /* U+00A0, U+07FF */
		"\xe0\xa0\x80\xed\x9f\xbf", /* U+0800, U+D7FF */
		"\xee\x80\x80\xef\xbf\xbf", /* U+E000, U+FFFF */
		"\xf0\x90\x80\x80\xf4\x8f\xbf\xbf",
	};
	static const char *const bad[] = {
		"\t",
		"a\n",
		"\x7f",
		"\xc2\x80", /* controls, too: U+0080, U+009F */
		"\xc2\x9f",
		"\x80", /* nothing before it */
		"\xc3", /* nothing behind it */
		"\xc3(",
		"\xe2\x82",
		"\xc1\xbf", /* longer than needed */
		"\xe0\x9f\xbf",
		"\xf0\x8f\xbf\xbf",
		"\xed\xa0\x80",	    /* U+D800 */
		"\xf4\x90\x80\x80", /* beyond U+10FFFF */
		"\xf8\x88\x80\x80\x80",
		"\xff",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		assert_true(text_is_plain(good[i]));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(text_is_plain(bad[i]));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plain),
	};

	return cmocka_run_group_tests_name("text", tests, NULL, NULL);
}
