/* SPDX-License-Identifier: BSD-2-Clause */
/* The maps of the kernel's programs as they come, with plain memory in their place. */
#include "forward/fast_maps.h"

#include "tests/unit/base/capture.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

enum { SESSIONS = 3, LANES = 2 };

/* Room for the largest of them. */
static int make_memory(void)
{
	int fd = memfd_create("map", MFD_CLOEXEC);

	assert_int_not_equal(fd, -1);
	assert_int_equal(ftruncate(fd, 65536), 0);
	return fd;
}

static int take(struct fast_maps *maps, uint32_t map, int fd)
{
	const struct forward_fast message = {.map = map, .lanes = LANES, .receives = 1};

	return fast_maps_take(maps, &message, fd);
}

/* They are complete with the last one, whichever that is; closing them leaves nothing open. */
static void test_complete(void **state)
{
	(void)state;
	for (enum fast_map last = FAST_STATE; last < FAST_MAPS; last++) {
		unsigned int fds = capture_count_fds();
		struct fast_maps maps;

		fast_maps_init(&maps, SESSIONS);
		for (enum fast_map map = FAST_STATE; map < FAST_MAPS; map++) {
			if (map != last)
				assert_int_equal(take(&maps, map, make_memory()), 0);
			assert_false(fast_maps_complete(&maps));
		}
		assert_int_equal(take(&maps, last, make_memory()), 0);
		assert_true(fast_maps_complete(&maps));
		assert_int_equal(maps.lanes, LANES);
		assert_true(maps.receives);
		fast_maps_close(&maps);
		assert_int_equal(capture_count_fds(), fds);
	}
}

/* What we write there others read. At the end they see that we are gone. */
static void test_shared(void **state)
{
	struct fast_session session = {.mtu = 0};
	struct fast_state alive = {.alive = 0};
	struct fast_maps maps;
	int sessions = make_memory();
	int states = make_memory();

	(void)state;
	fast_maps_init(&maps, SESSIONS);
	assert_int_equal(take(&maps, FAST_SESSIONS, dup(sessions)), 0);
	assert_int_equal(take(&maps, FAST_STATE, dup(states)), 0);
	maps.sessions[SESSIONS - 1].mtu = 1400;
	maps.state->alive = 5;
	assert_int_equal(
		pread(sessions, &session, sizeof(session), (SESSIONS - 1) * sizeof(session)),
		sizeof(session));
	assert_int_equal(session.mtu, 1400);
	assert_int_equal(pread(states, &alive, sizeof(alive), 0), sizeof(alive));
	assert_int_equal(alive.alive, 5);
	fast_maps_close(&maps);
	assert_int_equal(pread(states, &alive, sizeof(alive), 0), sizeof(alive));
	assert_int_equal(alive.alive, 0);
	close(sessions);
	close(states);
}

/* Counters are the kernel's to write: that they are only read takes no right to write. */
static void test_counters_are_read(void **state)
{
	char path[] = "/proc/self/fd/0000000000";
	struct fast_maps maps;
	int fd = make_memory();
	int reader;

	(void)state;
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	reader = open(path, O_RDONLY | O_CLOEXEC);
	assert_int_not_equal(reader, -1);
	fast_maps_init(&maps, SESSIONS);
	assert_int_equal(take(&maps, FAST_COUNTERS, reader), 0);
	assert_int_equal(maps.counters[SESSIONS * LANES].in_packets, 0);
	fast_maps_close(&maps);
	close(fd);
}

/* Neither one that does not exist, nor one that we could not write to. */
static void test_refused(void **state)
{
	unsigned int fds = capture_count_fds();
	struct fast_maps maps;
	int pipes[2];

	(void)state;
	fast_maps_init(&maps, SESSIONS);
	assert_int_equal(take(&maps, FAST_MAPS, make_memory()), -EINVAL);
	assert_int_equal(pipe2(pipes, O_CLOEXEC), 0);
	assert_int_equal(take(&maps, FAST_SESSIONS, pipes[0]), -EACCES);
	close(pipes[1]);
	assert_null(maps.sessions);
	fast_maps_close(&maps);
	assert_int_equal(capture_count_fds(), fds);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_complete),
		cmocka_unit_test(test_shared),
		cmocka_unit_test(test_counters_are_read),
		cmocka_unit_test(test_refused),
	};

	return cmocka_run_group_tests_name("fast maps", tests, NULL, NULL);
}
