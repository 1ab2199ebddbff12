/* SPDX-License-Identifier: BSD-2-Clause */
/* Hook scripts: what they are given, what is said of them, and that none runs for too long. */
#include "netconf/script.h"

#include "base/log.h"
#include "base/loop.h"
#include "tests/unit/base/capture.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static bool impatient; /* seconds are hundredths */

void __wrap_loop_add(struct event *event, const struct timeval *timeout);
void __real_loop_add(struct event *event, const struct timeval *timeout);

void __wrap_loop_add(struct event *event, const struct timeval *timeout)
{
	const struct timeval shorter = {.tv_usec = timeout->tv_sec * 10000};

	__real_loop_add(event, impatient ? &shorter : timeout);
}

struct scene {
	struct event_base *base;
	unsigned int fds;
	struct script *script;
	unsigned int done;
};

static void begin(struct scene *scene)
{
	*scene = (struct scene){.fds = capture_count_fds()};
	scene->base = event_base_new();
	assert_non_null(scene->base);
}

/* Nothing is left. */
static void end(struct scene *scene)
{
	event_base_free(scene->base);
	assert_int_equal(capture_count_fds(), scene->fds);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	assert_int_equal(errno, ECHILD);
}

static void on_done(void *arg)
{
	((struct scene *)arg)->done++;
}

static void start(struct scene *scene, char *const words[], char *const environment[])
{
	scene->script = script_start(scene->base, words, environment, on_done, scene);
}

static void start_shell(struct scene *scene, const char *command)
{
	char path[] = "/bin/sh", option[] = "-c";
	char *copy = strdup(command);
	char *const words[] = {path, option, copy, NULL};
	char *const environment[] = {NULL};

	start(scene, words, environment);
	free(copy);
}

/* The script has ended; what it has said is read to its end. */
static int reap(struct scene *scene)
{
	int status = -1;
	pid_t pid = script_pid(scene->script);

	(void)waitpid(pid, &status, 0);
	if (script_reaped(scene->script, pid, status))
		scene->script = NULL;
	(void)event_base_dispatch(scene->base);
	return status;
}

static void expect_shell(const char *command, const char *log)
{
	struct scene scene;
	const char *said;

	begin(&scene);
	capture_begin(STDERR_FILENO);
	start_shell(&scene, command);
	if (scene.script)
		(void)reap(&scene);
	said = capture_end();
	assert_string_equal(said, log);
	assert_int_equal(scene.done, 1);
	assert_null(scene.script);
	end(&scene);
}

static void test_script_output_is_logged(void **state)
{
	(void)state;
	expect_shell("exit 0", "");
	expect_shell("echo one; exit 3", "test: /bin/sh: one\ntest: /bin/sh: exit status 3\n");
	expect_shell("kill -15 $$", "test: /bin/sh: ended by signal 15\n");
	expect_shell("echo one; echo 'two\\033' >&2; printf three", "test: /bin/sh: one\n"
								    "test: /bin/sh: two\\x1b\n"
								    "test: /bin/sh: three\n");
}

/* All that is there is what was given; and signals are as for a fresh process. */
static void test_surroundings(void **state)
{
	char env[] = "/usr/bin/env", one[] = "state=up", two[] = "prefix=a b";
	char *const words[] = {env, NULL};
	char *const environment[] = {one, two, NULL};
	struct scene scene;
	sigset_t set, old;
	const char *said;

	(void)state;
	begin(&scene);
	capture_begin(STDERR_FILENO);
	start(&scene, words, environment);
	if (scene.script)
		(void)reap(&scene);
	said = capture_end();
	assert_string_equal(said, "test: /usr/bin/env: state=up\n"
				  "test: /usr/bin/env: prefix=a b\n");
	end(&scene);
	sigfillset(&set);
	(void)signal(SIGPIPE, SIG_IGN);
	assert_int_equal(sigprocmask(SIG_SETMASK, &set, &old), 0);
	/* Nobody can change what was inherited of two that are the C library's. */
	expect_shell("grep -E '^Sig(Blk|Ign)' /proc/self/status | tr '\\t' ' ' | "
		     "sed -E 's/0{7}[01][08]0{7}/0000000000000000/'",
		     "test: /bin/sh: SigBlk: 0000000000000000\n"
		     "test: /bin/sh: SigIgn: 0000000000000000\n");
	assert_int_equal(sigprocmask(SIG_SETMASK, &old, NULL), 0);
	(void)signal(SIGPIPE, SIG_DFL);
}

static void test_nothing_to_run(void **state)
{
	char path[] = "/no/such/script";
	char *const words[] = {path, NULL};
	char *const environment[] = {NULL};
	struct scene scene;
	const char *said;

	(void)state;
	begin(&scene);
	capture_begin(STDERR_FILENO);
	start(&scene, words, environment);
	(void)event_base_dispatch(scene.base);
	said = capture_end();
	assert_null(scene.script);
	assert_string_equal(said, "test: cannot run /no/such/script: No such file or directory\n");
	assert_int_equal(scene.done, 0);
	end(&scene);
}

/* Killed with all that it has started: as long as one of them lives, its output is open. */
static void test_too_long(void **state)
{
	struct scene scene;
	const char *said;

	(void)state;
	begin(&scene);
	impatient = true;
	capture_begin(STDERR_FILENO);
	start_shell(&scene, "sleep 1000 & sleep 1000");
	impatient = false;
	if (scene.script) {
		/* It is killed from there. */
		(void)event_base_loop(scene.base, EVLOOP_ONCE);
		(void)reap(&scene);
	}
	said = capture_end();
	assert_string_equal(said, "test: /bin/sh: still running after 30 s, killed\n"
				  "test: /bin/sh: ended by signal 9\n");
	assert_int_equal(scene.done, 1);
	end(&scene);
}

static void test_killed(void **state)
{
	struct scene scene;
	const char *said;

	(void)state;
	begin(&scene);
	capture_begin(STDERR_FILENO);
	start_shell(&scene, "sleep 1000 & sleep 1000");
	if (scene.script) {
		script_kill(scene.script);
		(void)reap(&scene);
	}
	said = capture_end();
	assert_string_equal(said, "test: /bin/sh: ended by signal 9\n");
	end(&scene);
}

/* It has ended, and nobody has looked yet; and its number is not that of another child. */
static void test_killed_late(void **state)
{
	struct scene scene;
	const char *said;
	int status = -1;
	bool other = true, ours = false;
	pid_t pid;

	(void)state;
	begin(&scene);
	capture_begin(STDERR_FILENO);
	start_shell(&scene, "exit 0");
	if (scene.script) {
		pid = script_pid(scene.script);
		(void)waitpid(pid, &status, 0);
		script_kill(scene.script);
		other = script_reaped(scene.script, pid + 1, status);
		ours = script_reaped(scene.script, pid, status);
		(void)event_base_dispatch(scene.base);
	}
	said = capture_end();
	assert_string_equal(said, "");
	assert_false(other);
	assert_true(ours);
	end(&scene);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_script_output_is_logged),
		cmocka_unit_test(test_surroundings),
		cmocka_unit_test(test_nothing_to_run),
		cmocka_unit_test(test_too_long),
		cmocka_unit_test(test_killed),
		cmocka_unit_test(test_killed_late),
	};

	log_init("test", NULL, false);
	return cmocka_run_group_tests_name("netconf script", tests, NULL, NULL);
}
