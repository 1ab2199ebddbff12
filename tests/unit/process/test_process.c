/* SPDX-License-Identifier: BSD-2-Clause */
/* The hidden argument that tells a process which one it is. */
#include "process/process.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define ARGS_MAX 6

/*
 * args and expected are lists that end with NULL. What is left must be expected, with a NULL behind
 * it, as main()'s arguments have.
 */
static void expect_name(const char *const args[], const char *name, const char *const expected[])
{
	static char storage[ARGS_MAX][64];
	char *argv[ARGS_MAX + 1] = {NULL};
	const char *got;
	int argc = 0;
	int count = 0;

	for (; args[argc]; argc++) {
		(void)strlcpy(storage[argc], args[argc], sizeof(storage[argc]));
		argv[argc] = storage[argc];
	}
	got = process_name(&argc, argv);
	if (name) {
		assert_non_null(got);
		assert_string_equal(got, name);
	} else {
		assert_null(got);
	}
	for (; expected[count]; count++)
		assert_string_equal(argv[count], expected[count]);
	assert_int_equal(argc, count);
	assert_null(argv[argc]);
}

#define LIST(...) ((const char *const[]){__VA_ARGS__, NULL})

static void test_root(void **state)
{
	(void)state;
	assert_null(process_name(&(int){0}, (char *[]){NULL}));
	expect_name(LIST("dtcps"), NULL, LIST("dtcps"));
	expect_name(LIST("dtcps", "-d", "2001:db8::"), NULL, LIST("dtcps", "-d", "2001:db8::"));
}

static void test_taken_out(void **state)
{
	(void)state;
	expect_name(LIST("dtcps", "--room=control"), "control", LIST("dtcps"));
	expect_name(LIST("dtcps", "--room=forward", "-d", "-p", "1"), "forward",
		    LIST("dtcps", "-d", "-p", "1"));
	expect_name(LIST("dtcps", "--room="), "", LIST("dtcps"));
}

/* Only the first argument counts, and only once: nothing later can be smuggled in as one. */
static void test_elsewhere(void **state)
{
	(void)state;
	expect_name(LIST("dtcps", "-d", "--room=control"), NULL,
		    LIST("dtcps", "-d", "--room=control"));
	expect_name(LIST("dtcps", "--room=control", "--room=forward"), "control",
		    LIST("dtcps", "--room=forward"));
	expect_name(LIST("--room=control"), NULL, LIST("--room=control"));
}

static void test_similar_words(void **state)
{
	(void)state;
	expect_name(LIST("dtcps", "--room"), NULL, LIST("dtcps", "--room"));
	expect_name(LIST("dtcps", "--room", "control"), NULL, LIST("dtcps", "--room", "control"));
	expect_name(LIST("dtcps", "--rooms=control"), NULL, LIST("dtcps", "--rooms=control"));
	expect_name(LIST("dtcps", "-room=control"), NULL, LIST("dtcps", "-room=control"));
	expect_name(LIST("dtcps", "--ROOM=control"), NULL, LIST("dtcps", "--ROOM=control"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_root),
		cmocka_unit_test(test_taken_out),
		cmocka_unit_test(test_elsewhere),
		cmocka_unit_test(test_similar_words),
	};

	return cmocka_run_group_tests_name("process", tests, NULL, NULL);
}
