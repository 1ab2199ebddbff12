/* SPDX-License-Identifier: BSD-2-Clause */
/* What children say, on its way into the log. */
#include "process/output.h"

#include "base/log.h"
#include "tests/unit/base/capture.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cmocka.h>

static struct event_base *base;

/* Writes the pieces, each when the last one has been read, and then closes; what the log has of it.
 */
static const char *logged(const char *name, bool room, const char *const pieces[])
{
	int writer;
	struct output *output = output_new(base, name, room, &writer);

	assert_non_null(output);
	capture_begin(STDERR_FILENO);
	for (size_t i = 0; pieces[i]; i++) {
		int left = (int)strlen(pieces[i]);

		(void)!write(writer, pieces[i], (size_t)left);
		while (left > 0) {
			assert_int_equal(event_base_loop(base, EVLOOP_ONCE), 0);
			assert_int_equal(ioctl(writer, FIONREAD, &left), 0);
		}
	}
	close(writer);
	output_let_go(output);
	/* Until it has been freed. */
	assert_int_equal(event_base_dispatch(base), 1);
	return capture_end();
}

/* As log_record_pack() makes it, but for the fields and the line end. */
#define RECORD(begin, message) "\x1e" begin "\x1f" message "\x1f"

#define LIST(...) ((const char *const[]){__VA_ARGS__, NULL})

static void test_script(void **state)
{
	(void)state;
	assert_string_equal(logged("./up", false, LIST("one\nt", "wo\n")),
			    "test: ./up: one\ntest: ./up: two\n");
	assert_string_equal(logged("./up", false, LIST("a\\b\x1b[2J\n")),
			    "test: ./up: a\\x5cb\\x1b[2J\n");
	/* Its words are not the room's. */
	assert_string_equal(logged("./up", false, LIST("<4>x\n")), "test: ./up: <4>x\n");
	assert_string_equal(logged("./up", false, LIST("no end")), "test: ./up: no end\n");
	assert_string_equal(logged("./up", false, LIST("")), "");
}

static void test_room(void **state)
{
	(void)state;
	assert_string_equal(
		logged("control", true,
		       LIST(RECORD("60a", "one") "\n" RECORD("40b", "two") "k=v\x1f\n")),
		"test: control: one\ntest: control: two k=v\n");
	/* What the room has escaped stays as it is; what is no record is escaped. */
	assert_string_equal(
		logged("control", true,
		       LIST(RECORD("60a", "a\\x0db") "\n" RECORD("60a", "\x1b[2J") "\n"
										   "\xc2\x9b\n")),
		"test: control: a\\x0db\n"
		"test: control: \\x1e60a\\x1f\\x1b[2J\\x1f\n"
		"test: control: \\xc2\\x9b\n");
	assert_string_equal(logged("forward", true, LIST("*** smashed ***: terminated\n")),
			    "test: forward: *** smashed ***: terminated\n");
	assert_string_equal(logged("forward", true, LIST("<4>x\n\n")),
			    "test: forward: <4>x\ntest: forward: \n");
	/* Debug lines only where they were asked for. */
	assert_string_equal(logged("forward", true, LIST(RECORD("70a", "detail") "\n")), "");
	log_init("test", NULL, true);
	assert_string_equal(logged("forward", true, LIST(RECORD("70a", "detail") "\n")),
			    "test: forward: detail\n");
	log_init("test", NULL, false);
}

/* A line without an end is not kept for ever, and the next one is whole. */
static void test_endless(void **state)
{
	char much[3001];
	char expected[1100];

	(void)state;
	memset(much, 'x', sizeof(much) - 1);
	much[sizeof(much) - 1] = '\0';
	(void)snprintf(expected, sizeof(expected),
		       "test: control: %.1000s\ntest: control: \ntest: control: next\n", much);
	assert_string_equal(logged("control", true, LIST(much, much, "\nnext\n")), expected);
}

/* Who says much rests in between, and nothing is lost or comes in another order. */
static void test_much(void **state)
{
	enum { LINES = 500 };
	const char *pieces[LINES + 1] = {NULL};
	char texts[LINES][16];
	char expected[LINES * 24];
	size_t len = 0;

	(void)state;
	for (int i = 0; i < LINES; i++) {
		(void)snprintf(texts[i], sizeof(texts[i]), "%d\n", i);
		pieces[i] = texts[i];
		len += (size_t)snprintf(expected + len, sizeof(expected) - len, "test: ./up: %d\n",
					i);
	}
	assert_string_equal(logged("./up", false, pieces), expected);
}

static void test_drain(void **state)
{
	int writer;
	struct output *output = output_new(base, "control", true, &writer);

	(void)state;
	assert_non_null(output);
	assert_int_equal(write(writer, RECORD("60x", "a") "\n" RECORD("60x", "b"), 15), 15);
	capture_begin(STDERR_FILENO);
	output_drain(output);
	output_drain(output);
	assert_string_equal(capture_end(), "test: control: a\ntest: control: b\n");
	close(writer);
	output_free(output);
	output_free(NULL);
}

/* Who is let go may have closed it before. */
static void test_closed_before(void **state)
{
	int reader = dup(STDERR_FILENO);
	int writer;
	struct output *output;

	(void)state;
	assert_int_not_equal(reader, -1);
	close(reader);
	output = output_new(base, "resolver", true, &writer);
	assert_non_null(output);
	assert_int_not_equal(fcntl(reader, F_GETFD), -1);
	close(writer);
	(void)event_base_loop(base, EVLOOP_NONBLOCK);
	output_let_go(output);
	assert_int_equal(fcntl(reader, F_GETFD), -1);
}

static int set_up(void **state)
{
	(void)state;
	log_init("test", NULL, false);
	base = event_base_new();
	return base == NULL;
}

static int tear_down(void **state)
{
	(void)state;
	event_base_free(base);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_script),	cmocka_unit_test(test_room),
		cmocka_unit_test(test_endless), cmocka_unit_test(test_much),
		cmocka_unit_test(test_drain),	cmocka_unit_test(test_closed_before),
	};

	return cmocka_run_group_tests_name("monitor output", tests, set_up, tear_down);
}
