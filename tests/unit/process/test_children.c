/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Starting children and noticing their ends. They are the program's own file executed again, which
 * is this one: main() sees it from its first argument, and the child does what its name says.
 */
#include "process/children.h"

#include "base/log.h"
#include "process/ipc.h"
#include "process/process.h"
#include "tests/unit/base/capture.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

enum { ENDS_MAX = 64 };

static char *words[] = {(char[]){"test-children"}, NULL};

/* The two seconds that children have to end by themselves are over at once. */
static unsigned int naps;

int __wrap_nanosleep(const struct timespec *wait, struct timespec *left);
int __real_nanosleep(const struct timespec *wait, struct timespec *left);

int __wrap_nanosleep(const struct timespec *wait, struct timespec *left)
{
	return ++naps > 200 ? __real_nanosleep(wait, left) : sched_yield();
}

/* --- the children ------------------------------------------------------------------------- */

/* How many descriptors there are, and whether the first of ours is the one of a pipe. */
static int look_at_fds(void)
{
	unsigned int count = capture_count_fds();

	if (write(PROCESS_FD, "x", 1) != 1 || fcntl(PROCESS_FD, F_GETFD) != 0)
		return 100;
	return (int)count;
}

static int be(const char *name)
{
	if (strcmp(name, "hangs") == 0) {
		for (;;)
			pause();
	} else if (strcmp(name, "says7") == 0) {
		(void)!write(STDERR_FILENO, "last words\ncut", 14);
		return 7;
	} else if (strcmp(name, "killed") == 0) {
		(void)raise(SIGKILL);
	} else if (strcmp(name, "fds") == 0) {
		return look_at_fds();
	}
	return 0;
}

/* --- root's side -------------------------------------------------------------------------- */

struct scene {
	struct event_base *base;
	struct children *children;
	unsigned int fds;
	struct {
		const char *name;
		pid_t pid;
		int status;
	} ends[ENDS_MAX];
	unsigned int n_ends;
};

static void on_ended(const char *name, pid_t pid, int status, void *arg)
{
	struct scene *scene = arg;

	assert_in_range(scene->n_ends, 0, ENDS_MAX - 1);
	scene->ends[scene->n_ends].name = name;
	scene->ends[scene->n_ends].pid = pid;
	scene->ends[scene->n_ends++].status = status;
}

static void begin(struct scene *scene)
{
	*scene = (struct scene){.fds = capture_count_fds()};
	naps = 0;
	scene->base = event_base_new();
	assert_non_null(scene->base);
	scene->children = children_new(scene->base, 1, words, on_ended, scene);
	assert_non_null(scene->children);
}

/* Ends them, with what is said of that; nothing is left. */
static void end(struct scene *scene, const char *log)
{
	const char *said;

	capture_begin(STDERR_FILENO);
	children_end(scene->children);
	said = capture_end();
	assert_string_equal(said, log);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	assert_int_equal(errno, ECHILD);
	event_base_free(scene->base);
	assert_int_equal(capture_count_fds(), scene->fds);
}

static pid_t start(struct scene *scene, const char *name, int number)
{
	return children_start(scene->children, name, number, false, NULL, 0);
}

/* Until one has ended, nobody has looked yet. */
static void await_end(pid_t pid)
{
	siginfo_t info;

	assert_int_equal(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
}

/* Until so many ends have been noticed; returns what was logged. */
static const char *notice(struct scene *scene, unsigned int count)
{
	capture_begin(STDERR_FILENO);
	while (scene->n_ends < count)
		(void)event_base_loop(scene->base, EVLOOP_ONCE);
	return capture_end();
}

/* --- starting ----------------------------------------------------------------------------- */

static void test_last_output(void **state)
{
	struct scene scene;
	pid_t pid;

	(void)state;
	begin(&scene);
	pid = start(&scene, "says", 7);
	assert_true(pid > 0);
	assert_string_equal(notice(&scene, 1), "test: says: last words\ntest: says: cut\n");
	assert_string_equal(scene.ends[0].name, "says");
	assert_int_equal(scene.ends[0].pid, pid);
	assert_true(WIFEXITED(scene.ends[0].status) && WEXITSTATUS(scene.ends[0].status) == 7);
	end(&scene, "");
}

/* A child has what it is given, from PROCESS_FD on, and nothing else that we have open. */
static void test_descriptors(void **state)
{
	struct scene scene;
	char octet;
	int fds[2], pair[2];
	int own = dup(STDERR_FILENO); /* without close-on-exec */

	(void)state;
	begin(&scene);
	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	assert_int_equal(ipc_pair(pair), 0);
	assert_true(children_start(scene.children, "fds", -1, false,
				   (const int[]){fds[1], pair[0], pair[1]}, 3) > 0);
	/* They are not ours any more. */
	assert_int_equal(fcntl(pair[0], F_GETFD), -1);
	(void)notice(&scene, 1);
	/* Standard input, output and error, and three. */
	assert_true(WIFEXITED(scene.ends[0].status));
	assert_int_equal(WEXITSTATUS(scene.ends[0].status), 6);
	assert_int_equal(read(fds[0], &octet, 1), 1);
	assert_int_equal(read(fds[0], &octet, 1), 0);
	close(fds[0]);
	end(&scene, "");
	close(own);
}

static void expect_refused(struct scene *scene, size_t n_fds, const char *log)
{
	int fds[PROCESS_MAX + 1];
	const char *said;
	pid_t pid;

	for (size_t i = 0; i < n_fds; i++)
		fds[i] = dup(STDERR_FILENO);
	capture_begin(STDERR_FILENO);
	pid = children_start(scene->children, "hangs", -1, false, fds, n_fds);
	said = capture_end();
	assert_string_equal(said, log);
	assert_int_equal(pid, -EMFILE);
	for (size_t i = 0; i < n_fds; i++)
		assert_int_equal(fcntl(fds[i], F_GETFD), -1);
}

static void test_more_than_there_may_be(void **state)
{
	static const char refused[] = "test: cannot start the process hangs: Too many open files\n";
	char log[CHILDREN_MAX * 50] = "";
	struct scene scene;

	(void)state;
	begin(&scene);
	expect_refused(&scene, PROCESS_MAX + 1, refused);
	for (int i = 0; i < CHILDREN_MAX; i++) {
		assert_true(start(&scene, "hangs", -1) > 0);
		(void)strlcat(log, "test: room hangs does not end, killed\n", sizeof(log));
	}
	expect_refused(&scene, 2, refused);
	end(&scene, log);
}

/* --- noticing ----------------------------------------------------------------------------- */

/* Those who have left in consequence of another's death are told of behind it. */
static void test_cause_comes_first(void **state)
{
	struct scene scene;
	pid_t first, second, third;

	(void)state;
	begin(&scene);
	first = start(&scene, "leaves", -1);
	second = start(&scene, "killed", -1);
	third = start(&scene, "leaves", -1);
	assert_true(first > 0 && second > 0 && third > 0);
	await_end(first);
	await_end(second);
	await_end(third);
	(void)notice(&scene, 3);
	assert_int_equal(scene.ends[0].pid, second);
	assert_string_equal(scene.ends[0].name, "killed");
	assert_true(children_is_consequence(scene.ends[1].status));
	assert_true(children_is_consequence(scene.ends[2].status));
	assert_false(children_is_consequence(scene.ends[0].status));
	end(&scene, "");
}

/* More at once than are looked at in one go, and nobody's of the list. */
static void test_many_ends(void **state)
{
	enum { MANY = 40 };
	struct scene scene;
	pid_t pid[MANY];

	(void)state;
	begin(&scene);
	for (int i = 0; i < MANY; i++) {
		pid[i] = fork();
		if (pid[i] == 0)
			_exit(0);
		assert_true(pid[i] > 0);
	}
	for (int i = 0; i < MANY; i++)
		await_end(pid[i]);
	/* The kernel tells of them once. */
	(void)notice(&scene, MANY);
	for (int i = 0; i < MANY; i++)
		assert_null(scene.ends[i].name);
	end(&scene, "");
}

/* --- ending ------------------------------------------------------------------------------- */

/* One that is killed is not one of ours any more when its end is noticed. */
static void test_kill(void **state)
{
	struct scene scene;
	pid_t pid;

	(void)state;
	begin(&scene);
	pid = start(&scene, "hangs", -1);
	assert_true(pid > 0);
	children_kill(scene.children, pid);
	/* Once is enough, and nobody else is meant. */
	children_kill(scene.children, pid);
	children_kill(scene.children, getpid());
	(void)notice(&scene, 1);
	assert_null(scene.ends[0].name);
	assert_int_equal(scene.ends[0].pid, pid);
	/* Its output has ended, too. */
	assert_true(event_base_loop(scene.base, EVLOOP_NONBLOCK) >= 0);
	end(&scene, "");
}

/* What was the cause of the end may be noticed only now; that they leave is none. */
static void test_end(void **state)
{
	struct scene scene;
	pid_t one, two;

	(void)state;
	begin(&scene);
	one = start(&scene, "killed", -1);
	two = start(&scene, "leaves", -1);
	assert_true(one > 0 && two > 0);
	await_end(one);
	await_end(two);
	end(&scene, "test: room killed: killed by signal 9\n");
	assert_int_equal(scene.n_ends, 0);
	children_end(NULL);
}

static void test_status_text(void **state)
{
	(void)state;
	assert_string_equal(children_status_text(0), "exit status 0");
	assert_string_equal(children_status_text(3 << 8), "exit status 3");
	assert_string_equal(children_status_text(SIGKILL), "killed by signal 9");
	assert_string_equal(children_status_text(SIGSYS),
			    "killed by its sandbox (signal 31, SIGSYS)");
	assert_true(children_is_consequence(0));
	assert_false(children_is_consequence(1 << 8));
	assert_false(children_is_consequence(SIGTERM));
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_last_output),
		cmocka_unit_test(test_descriptors),
		cmocka_unit_test(test_more_than_there_may_be),
		cmocka_unit_test(test_cause_comes_first),
		cmocka_unit_test(test_many_ends),
		cmocka_unit_test(test_kill),
		cmocka_unit_test(test_end),
		cmocka_unit_test(test_status_text),
	};
	const struct CMUnitTest pure[] = {cmocka_unit_test(test_status_text)};
	const char *name = process_name(&argc, argv);
	const char *preload = getenv("LD_PRELOAD");

	if (name)
		_exit(be(name));
	log_init("test", NULL, false);
	/* There the program's own file is valgrind's. */
	if (preload && strstr(preload, "valgrind"))
		return cmocka_run_group_tests_name("children", pure, NULL, NULL);
	return cmocka_run_group_tests_name("children", tests, NULL, NULL);
}
