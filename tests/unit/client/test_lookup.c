/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Starting and ending the processes that look names up. A room is the program's own file executed
 * again, which is this one here: main() sees that from its first argument, and the process does
 * what its name of the server says.
 */
#include "client/root/lookup.h"

#include "base/log.h"
#include "process/room.h"
#include "tests/unit/base/capture.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

enum { HANGS, SAYS, CRASHES, SERVERS };

static char *words[] = {(char[]){"test-lookup"}, NULL};
static const struct client_options options = {.servers = {"hangs", "says", "crashes"},
					      .n_servers = SERVERS};

static int64_t now = 1000;

/* In place of the clock that the limit is counted with. */
int64_t __wrap_clock_ms(void);

int64_t __wrap_clock_ms(void)
{
	return now;
}

static int child(const char *room)
{
	if (strcmp(room, "resolver0") == 0) {
		pause();
	} else if (strcmp(room, "resolver1") == 0) {
		(void)!write(STDERR_FILENO, "<4>said\n", 8);
		(void)send(ROOM_FD, "answer", 6, 0);
	} else if (strcmp(room, "resolver2") == 0) {
		(void)kill(getpid(), SIGKILL);
	}
	return 0;
}

struct scene {
	struct event_base *base;
	struct lookups *lookups;
	unsigned int fds; /* that were open before */
};

static struct scene begin(unsigned int timeout)
{
	struct scene scene = {.fds = capture_count_fds()};

	scene.base = event_base_new();
	assert_non_null(scene.base);
	scene.lookups = lookups_new(scene.base, &options, 1, words, timeout);
	assert_non_null(scene.lookups);
	return scene;
}

static void end(struct scene *scene)
{
	lookups_free(scene->lookups);
	/* No process is left, and no descriptor once the end of each log has been noticed. */
	while (waitpid(-1, NULL, 0) > 0)
		;
	assert_int_equal(errno, ECHILD);
	assert_true(event_base_dispatch(scene->base) >= 0);
	event_base_free(scene->base);
	assert_int_equal(capture_count_fds(), scene->fds);
}

/* The next one that ends, and how. */
static pid_t reap(int *status)
{
	pid_t pid = waitpid(-1, status, 0);

	assert_true(pid > 0);
	return pid;
}

/* What came through the channel: its length, or 0 at the end. */
static ssize_t hear(int channel)
{
	char text[16];

	return recv(channel, text, sizeof(text), 0);
}

static void test_answer(void **state)
{
	struct scene scene = begin(60);
	int channel = lookups_start(scene.lookups, SAYS);
	const char *text;
	int status;
	pid_t pid;
	bool ours;

	(void)state;
	assert_true(channel >= 0);
	assert_int_equal(hear(channel), 6);
	assert_int_equal(hear(channel), 0);
	pid = reap(&status);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	capture_begin(STDERR_FILENO);
	ours = lookups_reaped(scene.lookups, pid, status);
	text = capture_end();
	assert_true(ours);
	assert_string_equal(text, "test: resolver: said\n");
	/* Once. */
	assert_false(lookups_reaped(scene.lookups, pid, status));
	close(channel);
	end(&scene);
}

static void test_crash(void **state)
{
	struct scene scene = begin(60);
	int channel = lookups_start(scene.lookups, CRASHES);
	const char *text;
	int status;
	pid_t pid;

	(void)state;
	assert_int_equal(hear(channel), 0);
	pid = reap(&status);
	capture_begin(STDERR_FILENO);
	(void)lookups_reaped(scene.lookups, pid, status);
	text = capture_end();
	assert_string_equal(text, "test: looking up crashes: the process was killed by signal 9\n");
	close(channel);
	end(&scene);
}

/* One that hangs ends when its time is over, and nothing else waits for it. */
static void test_timeout(void **state)
{
	struct scene scene = begin(0);
	int channel = lookups_start(scene.lookups, HANGS);
	int status;

	(void)state;
	assert_true(channel >= 0);
	while (recv(channel, &status, sizeof(status), MSG_DONTWAIT) == -1 && errno == EAGAIN)
		assert_true(event_base_loop(scene.base, EVLOOP_ONCE | EVLOOP_NONBLOCK) >= 0);
	(void)reap(&status);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	close(channel);
	end(&scene);
}

/* One at a time for each server: a new one takes the place of the old. */
static void test_again(void **state)
{
	struct scene scene = begin(60);
	int first = lookups_start(scene.lookups, HANGS);
	int other = lookups_start(scene.lookups, SAYS);
	int second = lookups_start(scene.lookups, HANGS);

	(void)state;
	assert_int_equal(hear(first), 0);
	assert_int_equal(hear(other), 6);
	assert_int_equal(recv(second, &first, 1, MSG_DONTWAIT), -1);
	assert_int_equal(errno, EAGAIN);
	close(first);
	close(other);
	close(second);
	end(&scene);
}

/* How many are started before one is refused. */
static unsigned int flood(struct lookups *lookups)
{
	unsigned int started = 0;
	int channel = 0;

	while (started < 100 && (channel = lookups_start(lookups, SAYS)) >= 0) {
		close(channel);
		started++;
	}
	assert_int_equal(channel, -EAGAIN);
	return started;
}

/* Somebody who asks without end does not keep the machine busy with processes. */
static void test_flood(void **state)
{
	struct scene scene = begin(60);

	(void)state;
	assert_int_equal(flood(scene.lookups), 40);
	now += 1000;
	assert_int_equal(flood(scene.lookups), 20);
	end(&scene);
}

static void test_names(void **state)
{
	static const struct client_options addresses = {.servers = {"192.0.2.1", "198.51.100.1"},
							.n_servers = 2};
	static const struct client_options mixed = {.servers = {"192.0.2.1", "broker.example"},
						    .n_servers = 2};

	(void)state;
	assert_false(lookups_any(&addresses));
	assert_true(lookups_any(&mixed));
	assert_false(client_options_named(&mixed, 0));
	assert_true(client_options_named(&mixed, 1));
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_answer),	cmocka_unit_test(test_crash),
		cmocka_unit_test(test_timeout), cmocka_unit_test(test_again),
		cmocka_unit_test(test_flood),	cmocka_unit_test(test_names),
	};
	const struct CMUnitTest pure[] = {cmocka_unit_test(test_names)};
	const char *room = room_name(&argc, argv);
	const char *preload = getenv("LD_PRELOAD");

	if (room)
		return child(room);
	log_init("test", NULL, false);
	/* There the program's own file is valgrind's. */
	if (preload && strstr(preload, "valgrind"))
		return cmocka_run_group_tests_name("client lookup", pure, NULL, NULL);
	return cmocka_run_group_tests_name("client lookup", tests, NULL, NULL);
}
