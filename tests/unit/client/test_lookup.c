/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Starting and ending the processes that look names up. Such a process is the program's own file
 * executed again, which is this one here: main() sees that from its first argument, and the process
 * does what its name of the server says.
 */
#include "client/root/lookup.h"

#include "base/log.h"
#include "process/process.h"
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
		(void)!write(STDERR_FILENO, "said\n", 5);
		(void)send(PROCESS_FD, "answer", 6, 0);
	} else if (strcmp(room, "resolver2") == 0) {
		(void)kill(getpid(), SIGKILL);
	}
	return 0;
}

struct scene {
	struct event_base *base;
	struct children *children;
	struct lookups *lookups;
	unsigned int fds; /* that were open before */
	/* The last that ended, and what lookups_reaped() said. */
	pid_t pid;
	int status;
	bool ours;
};

static void ended(const char *name, pid_t pid, int status, void *arg)
{
	struct scene *scene = arg;

	(void)name;
	scene->pid = pid;
	scene->status = status;
	scene->ours = lookups_reaped(scene->lookups, pid, status);
}

static void begin(struct scene *scene, unsigned int timeout)
{
	*scene = (struct scene){.fds = capture_count_fds()};
	scene->base = event_base_new();
	assert_non_null(scene->base);
	scene->children = children_new(scene->base, 1, words, ended, scene);
	assert_non_null(scene->children);
	scene->lookups = lookups_new(scene->base, &options, scene->children, timeout);
	assert_non_null(scene->lookups);
}

static void end(struct scene *scene)
{
	lookups_free(scene->lookups);
	children_end(scene->children);
	/* No process is left, and no descriptor once the end of each log has been noticed. */
	while (waitpid(-1, NULL, 0) > 0)
		;
	assert_int_equal(errno, ECHILD);
	assert_true(event_base_dispatch(scene->base) >= 0);
	event_base_free(scene->base);
	assert_int_equal(capture_count_fds(), scene->fds);
}

/* Waits for the next one that ends. Returns what was logged. */
static const char *reap(struct scene *scene)
{
	scene->pid = 0;
	capture_begin(STDERR_FILENO);
	while (scene->pid == 0)
		(void)event_base_loop(scene->base, EVLOOP_ONCE);
	return capture_end();
}

/* What came through the channel: its length, or 0 at the end. */
static ssize_t hear(int channel)
{
	char text[16];

	return recv(channel, text, sizeof(text), 0);
}

static void test_answer(void **state)
{
	struct scene scene;
	int channel;

	(void)state;
	begin(&scene, 60);
	channel = lookups_start(scene.lookups, SAYS);
	assert_true(channel >= 0);
	assert_int_equal(hear(channel), 6);
	assert_int_equal(hear(channel), 0);
	assert_string_equal(reap(&scene), "test: resolver: said\n");
	assert_true(WIFEXITED(scene.status) && WEXITSTATUS(scene.status) == 0);
	assert_true(scene.ours);
	/* Once. */
	assert_false(lookups_reaped(scene.lookups, scene.pid, scene.status));
	close(channel);
	end(&scene);
}

static void test_crash(void **state)
{
	struct scene scene;
	int channel;

	(void)state;
	begin(&scene, 60);
	channel = lookups_start(scene.lookups, CRASHES);
	assert_int_equal(hear(channel), 0);
	assert_string_equal(reap(&scene),
			    "test: looking up crashes: the process was killed by signal 9\n");
	close(channel);
	end(&scene);
}

/* One that hangs ends when its time is over, and nothing else waits for it. */
static void test_timeout(void **state)
{
	struct scene scene;
	int channel;

	(void)state;
	begin(&scene, 0);
	channel = lookups_start(scene.lookups, HANGS);
	assert_true(channel >= 0);
	assert_string_equal(reap(&scene), "");
	assert_int_equal(hear(channel), 0);
	assert_true(WIFSIGNALED(scene.status) && WTERMSIG(scene.status) == SIGKILL);
	assert_false(scene.ours);
	close(channel);
	end(&scene);
}

/* One at a time for each server: a new one takes the place of the old. */
static void test_again(void **state)
{
	struct scene scene;
	int first, other, second;

	(void)state;
	begin(&scene, 60);
	first = lookups_start(scene.lookups, HANGS);
	other = lookups_start(scene.lookups, SAYS);
	second = lookups_start(scene.lookups, HANGS);
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
	struct scene scene;

	(void)state;
	begin(&scene, 60);
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
	const char *room = process_name(&argc, argv);
	const char *preload = getenv("LD_PRELOAD");

	if (room)
		return child(room);
	log_init("test", NULL, false);
	/* There the program's own file is valgrind's. */
	if (preload && strstr(preload, "valgrind"))
		return cmocka_run_group_tests_name("client lookup", pure, NULL, NULL);
	return cmocka_run_group_tests_name("client lookup", tests, NULL, NULL);
}
