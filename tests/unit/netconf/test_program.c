/* SPDX-License-Identifier: BSD-2-Clause */
/* Other people's programs: what they get, what is said of them, and what is left behind. */
#include "netconf/program.h"

#include "base/log.h"
#include "tests/unit/base/capture.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

/* Long enough on any machine, and never waited for. */
enum { PATIENCE_MS = 60000, TEXT_MAX = 4096 };

static char shell[] = "sh", command[] = "-c";

/* The arguments of a shell that runs this line. */
#define SHELL(line) ((char *const[]){shell, command, (char[]){line}, NULL})

static const char *said;
static char path[PROGRAM_PATH_SIZE];

static int run(char *const words[], const char *input)
{
	int result;

	capture_begin(STDERR_FILENO);
	result = program_run(words, input);
	said = capture_end();
	return result;
}

/* Lines about the shell. */
static void expect_said(const char *first, const char *last)
{
	char lines[2 * PROGRAM_PATH_SIZE + 80] = "";

	if (first)
		(void)snprintf(lines, sizeof(lines), "test: %s: %s\n", path, first);
	(void)snprintf(lines + strlen(lines), sizeof(lines) - strlen(lines), "test: %s: %s\n", path,
		       last);
	assert_string_equal(said, lines);
}

static void test_run(void **state)
{
	(void)state;
	assert_int_equal(run(SHELL("read a && read b && test \"$a$b\" = onetwo"), "one\ntwo\n"), 0);
	assert_string_equal(said, "");
	assert_int_equal(run(SHELL("cat >&2; exit 3"), "why\nmore\n"), -EIO);
	expect_said("why", "exit status 3");
	assert_int_equal(run(SHELL("kill -9 $$"), ""), -EIO);
	expect_said(NULL, "ended by signal 9");
}

/* Why it cannot be run is known at once, not by a status that it may have had itself. */
static void test_cannot_be_run(void **state)
{
	char name[] = "no-such-program";
	char *const words[] = {name, NULL};
	struct program_child child = {.path = "/no/such/program",
				      .words = words,
				      .input = -1,
				      .output = -1,
				      .errors = -1};

	(void)state;
	assert_int_equal(run(words, ""), -ENOENT);
	assert_string_equal(said, "test: cannot run no-such-program: No such file or directory\n");
	assert_int_equal(program_spawn(&child), -ENOENT);
	child.path = "/etc/passwd";
	assert_int_equal(program_spawn(&child), -EACCES);
	assert_null(program_read(words, TEXT_MAX, PATIENCE_MS));
	assert_int_equal(waitpid(-1, NULL, 0), -1);
}

static void test_environment(void **state)
{
	char *text;

	(void)state;
	assert_int_equal(setenv("DTCP_SECRET", "x", 1), 0);
	text = program_read(SHELL("echo $LC_ALL $DTCP_SECRET $PWD"), TEXT_MAX, PATIENCE_MS);
	assert_non_null(text);
	assert_string_equal(text, "C /\n");
	free(text);
}

static void test_read(void **state)
{
	char *text;

	(void)state;
	text = program_read(SHELL("cat; echo lost >&2; echo all"), TEXT_MAX, PATIENCE_MS);
	assert_non_null(text);
	assert_string_equal(text, "all\n");
	free(text);
	assert_null(program_read(SHELL("echo all; exit 1"), TEXT_MAX, PATIENCE_MS));
	assert_null(program_read(SHELL("echo all"), 3, PATIENCE_MS));
	/* It would hang for ever. */
	assert_null(program_read(SHELL("exec sleep 3600"), TEXT_MAX, 1));
	assert_int_equal(waitpid(-1, NULL, 0), -1);
}

static void test_nothing_is_left_open(void **state)
{
	unsigned int before = capture_count_fds();

	test_run(state);
	test_cannot_be_run(state);
	test_read(state);
	assert_int_equal(capture_count_fds(), before);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_run),
		cmocka_unit_test(test_cannot_be_run),
		cmocka_unit_test(test_environment),
		cmocka_unit_test(test_read),
		cmocka_unit_test(test_nothing_is_left_open),
	};
	const struct CMUnitTest unwaited[] = {cmocka_unit_test(test_cannot_be_run)};
	const char *preload = getenv("LD_PRELOAD");

	log_init("test", NULL, false);
	if (!program_find(shell, path))
		return 1;
	/* It does not know pidfd_open(2). */
	if (preload && strstr(preload, "valgrind"))
		return cmocka_run_group_tests_name("program", unwaited, NULL, NULL);
	return cmocka_run_group_tests_name("program", tests, NULL, NULL);
}
