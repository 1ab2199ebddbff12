/* SPDX-License-Identifier: BSD-2-Clause */
/* Events that cannot be waited for: the loop ends, and says why. */
#include "base/loop.h"

#include "tests/unit/base/capture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

static bool no_memory;

static void *allocate(size_t size)
{
	return no_memory ? NULL : malloc(size);
}

/* What libevent says of it is not what is looked at. */
static void on_libevent(int severity, const char *text)
{
	(void)severity;
	(void)text;
}

struct scene {
	struct event_base *base;
	struct event *event;
	bool fails;
	unsigned int came;
};

static void on_event(evutil_socket_t fd, short what, void *arg)
{
	struct scene *scene = arg;

	(void)fd;
	(void)what;
	scene->came++;
}

static void add(evutil_socket_t fd, short what, void *arg)
{
	const struct scene *scene = arg;

	(void)fd;
	(void)what;
	loop_add(scene->event, NULL);
}

static void once(evutil_socket_t fd, short what, void *arg)
{
	static const struct timeval at_once = {.tv_sec = 0};
	struct scene *scene = arg;

	(void)fd;
	(void)what;
	no_memory = scene->fails;
	loop_once(scene->base, &at_once, on_event, scene);
	no_memory = false;
}

/* Within a loop, since what ends one before it begins is forgotten by it. */
static void play(struct scene *scene, event_callback_fn act)
{
	static const struct timeval at_once = {.tv_sec = 0};
	const char *said;

	assert_int_equal(event_base_once(scene->base, -1, EV_TIMEOUT, act, scene, &at_once), 0);
	capture_begin(STDERR_FILENO);
	(void)event_base_dispatch(scene->base);
	said = capture_end();
	assert_int_equal(event_base_got_break(scene->base), scene->fails);
	assert_int_equal(scene->came, !scene->fails);
	assert_string_equal(said, scene->fails ? "dtcp: out of memory for an event\n" : "");
}

static void test_add(void **state)
{
	int fds[2] = {-1, memfd_create("no events", MFD_CLOEXEC)};
	int ends[2];

	(void)state;
	assert_int_equal(pipe(ends), 0);
	/* The kernel refuses to wait for a file of that kind as if it had no memory. */
	fds[0] = ends[1];
	for (int i = 0; i < 2; i++) {
		struct scene scene = {.base = event_base_new(), .fails = i == 1};

		scene.event = event_new(scene.base, fds[i], EV_WRITE, on_event, &scene);
		assert_non_null(scene.event);
		play(&scene, add);
		event_free(scene.event);
		event_base_free(scene.base);
	}
	close(fds[1]);
	close(ends[0]);
	close(ends[1]);
}

static void test_once(void **state)
{
	(void)state;
	for (int i = 0; i < 2; i++) {
		struct scene scene = {.base = event_base_new(), .fails = i == 1};

		play(&scene, once);
		event_base_free(scene.base);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_add),
		cmocka_unit_test(test_once),
	};

	/* Before libevent allocates for the first time. */
	event_set_mem_functions(allocate, realloc, free);
	event_set_log_callback(on_libevent);
	return cmocka_run_group_tests_name("loop", tests, NULL, NULL);
}
