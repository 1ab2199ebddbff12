/* SPDX-License-Identifier: BSD-2-Clause */
/* Which channels a table of processes has, and that what is sent waits in them. */
#include "process/channels.h"

#include "tests/unit/base/capture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

/* Each of the first two has a channel to the third, the fourth one is not wanted. */
enum { LEFT, RIGHT, MIDDLE, ABSENT, GUARD, LATER, PROCESSES };

enum { WORD = 7 };

static bool unwanted(const void *options)
{
	(void)options;
	return false;
}

static void on_word(void *arg)
{
	(*(unsigned int *)arg)++;
}

static const struct ipc_row word_rows[] = {IPC_EVENT(WORD, on_word)};
static const struct process_rows rows = PROCESS_ROWS(word_rows);

static const struct process processes[] = {
	[LEFT] = {.name = "left", .peers = 1U << MIDDLE, .rows = &rows},
	[RIGHT] = {.name = "right"},
	[MIDDLE] = {.name = "middle", .peers = 1U << RIGHT | 1U << ABSENT},
	[ABSENT] = {.name = "absent", .wanted = unwanted},
	[GUARD] = {.name = "guard", .kind = PROCESS_GUARD},
	[LATER] = {.name = "later", .kind = PROCESS_ON_DEMAND},
};

static const struct program program = {.processes = processes, .n_processes = PROCESSES};

struct scene {
	unsigned int fds;
	unsigned int words, violations;
	struct event_base *base;
	struct channels channels;
};

static void on_closed(struct ipc *ipc, bool violated, void *arg)
{
	struct scene *scene = arg;

	(void)ipc;
	scene->violations += violated;
}

static int begin(void **state)
{
	static struct scene scene;

	memset(&scene, 0, sizeof(scene));
	scene.fds = capture_count_fds();
	scene.base = event_base_new();
	assert_non_null(scene.base);
	scene.channels = (struct channels){.program = &program,
					   .closed = on_closed,
					   .arg = &scene,
					   .handlers_arg = &scene.words};
	channels_init(&scene.channels);
	assert_true(channels_open(&scene.channels, scene.base));
	*state = &scene;
	return 0;
}

/* Nothing of it is left. */
static int end(void **state)
{
	struct scene *scene = *state;

	channels_close(&scene->channels);
	event_base_free(scene->base);
	assert_int_equal(capture_count_fds(), scene->fds);
	return 0;
}

static void test_which(void **state)
{
	static const size_t expected[PROCESSES] = {[LEFT] = 2, [RIGHT] = 2, [MIDDLE] = 3};
	struct scene *scene = *state;
	int fds[PROCESS_MAX];

	for (size_t i = 0; i < PROCESSES; i++) {
		assert_int_equal(scene->channels.root[i] != NULL, expected[i] > 0);
		if (expected[i] == 0)
			continue;
		assert_int_equal(channels_take(&scene->channels, i, fds), expected[i]);
		for (size_t j = 0; j < expected[i]; j++)
			assert_int_equal(close(fds[j]), 0);
	}
}

static void send_octet(int from, int to)
{
	char octet = 0;

	assert_int_equal(write(from, "x", 1), 1);
	assert_int_equal(read(to, &octet, 1), 1);
	assert_int_equal(octet, 'x');
}

/* Root's first, then the others by their places. */
static void test_order(void **state)
{
	struct scene *scene = *state;
	int left[PROCESS_MAX], right[PROCESS_MAX], middle[PROCESS_MAX];

	assert_int_equal(channels_take(&scene->channels, MIDDLE, middle), 3);
	assert_int_equal(channels_take(&scene->channels, LEFT, left), 2);
	assert_int_equal(channels_take(&scene->channels, RIGHT, right), 2);
	send_octet(left[1], middle[1]);
	send_octet(middle[2], right[1]);
	for (size_t i = 0; i < 3; i++) {
		close(middle[i]);
		if (i < 2) {
			close(left[i]);
			close(right[i]);
		}
	}
}

/* What is sent before it is there, a process finds; what it says goes to its handlers. */
static void test_waits(void **state)
{
	struct scene *scene = *state;
	struct ipc *life;
	unsigned int heard = 0;
	int fds[PROCESS_MAX];

	assert_int_equal(ipc_send(scene->channels.root[LEFT], WORD, NULL, 0, -1), 0);
	assert_int_equal(channels_take(&scene->channels, LEFT, fds), 2);
	life = ipc_new(scene->base, fds[0], "root", word_rows, 1, on_closed, scene);
	assert_non_null(life);
	ipc_set_handlers_arg(life, &heard);
	assert_int_equal(ipc_send(life, WORD, NULL, 0, -1), 0);
	while (heard == 0 || scene->words == 0)
		assert_int_equal(event_base_loop(scene->base, EVLOOP_ONCE), 0);
	/* Nobody has said that it may say this. */
	assert_int_equal(ipc_send(life, WORD + 1, NULL, 0, -1), 0);
	capture_begin(STDERR_FILENO);
	while (scene->violations == 0)
		assert_int_equal(event_base_loop(scene->base, EVLOOP_ONCE), 0);
	assert_non_null(strstr(capture_end(), "unexpected message 8 from left"));
	ipc_free(&life);
	close(fds[1]);
}

/* A guard's is made when it is asked for, and closed after all others. */
static void test_guard(void **state)
{
	struct scene *scene = *state;
	int fds[PROCESS_MAX];
	char octet;

	assert_null(scene->channels.root[GUARD]);
	assert_true(channels_open_one(&scene->channels, GUARD));
	assert_int_equal(channels_take(&scene->channels, GUARD, fds), 1);
	assert_int_equal(ipc_maker(fds[0]), getpid());
	channels_close(&scene->channels);
	for (size_t i = 0; i < PROCESSES; i++)
		assert_null(scene->channels.root[i]);
	assert_int_equal(read(fds[0], &octet, 1), 0);
	close(fds[0]);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_which),
		TEST(test_order),
		TEST(test_waits),
		TEST(test_guard),
	};

	return cmocka_run_group_tests_name("channels", tests, NULL, NULL);
}
