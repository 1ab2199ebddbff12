/* SPDX-License-Identifier: BSD-2-Clause */
/* Other people's programs in the background, and how they end. */
#include "netconf/program.h"

#include "base/clock.h"
#include "base/log.h"
#include "tests/unit/base/capture.h"

#include <errno.h>
#include <linux/capability.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static bool impatient; /* seconds are hundredths */

int __wrap_poll(struct pollfd *fds, nfds_t count, int ms);
int __real_poll(struct pollfd *fds, nfds_t count, int ms);

int __wrap_poll(struct pollfd *fds, nfds_t count, int ms)
{
	return __real_poll(fds, count, impatient ? ms / 100 : ms);
}

static char shell[] = "sh";
static char option[] = "-c";

static void test_run_too_long(void **state)
{
	char command[] = "exec sleep 1000";
	char *const words[] = {shell, option, command, NULL};
	char path[PROGRAM_PATH_SIZE];
	char expected[3 * PROGRAM_PATH_SIZE];
	const char *said;
	int result;

	(void)state;
	assert_true(program_find(shell, path));
	(void)snprintf(expected, sizeof(expected),
		       "test: %s: does not end, killed\ntest: %s: ended by signal 9\n", path, path);
	impatient = true;
	capture_begin(STDERR_FILENO);
	result = program_run(words, "");
	said = capture_end();
	impatient = false;
	assert_int_equal(result, -EIO);
	assert_string_equal(said, expected);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	assert_int_equal(errno, ECHILD);
}

static void test_find(void **state)
{
	char path[PROGRAM_PATH_SIZE];
	char name[2 * PROGRAM_PATH_SIZE];

	(void)state;
	assert_true(program_find("sh", path));
	assert_int_equal(access(path, X_OK), 0);
	assert_false(program_find("no-such-program-here", path));
	/* Cut, it could be another one's. */
	memset(name, 'a', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	assert_false(program_find(name, path));
}

/* --- in the background -------------------------------------------------------------------- */

/* Starts one, and gives what it says until its end. */
static const char *said_by(const char *name, char *const arguments[])
{
	struct event_base *base = event_base_new();
	unsigned int fds = capture_count_fds();
	char first[PROGRAM_PATH_SIZE];
	char *words[6] = {first};
	const char *said;
	int status = -1;
	pid_t pid;

	assert_non_null(base);
	(void)snprintf(first, sizeof(first), "%s", name);
	for (size_t i = 0; arguments[i]; i++)
		words[i + 1] = arguments[i];
	capture_begin(STDERR_FILENO);
	pid = program_start(base, words);
	if (pid > 0) {
		(void)waitpid(pid, &status, 0);
		/* Until nobody can say anything more. */
		(void)event_base_dispatch(base);
	}
	said = capture_end();
	assert_true(pid > 0);
	assert_int_equal(status, 0);
	assert_int_equal(capture_count_fds(), fds);
	event_base_free(base);
	return said;
}

static void test_environment(void **state)
{
	char *const none[] = {NULL};

	(void)state;
	assert_int_equal(setenv("LD_LIBRARY_PATH", "/tmp", 1), 0);
	assert_string_equal(said_by("env", none), "test: env: PATH=/usr/sbin:/usr/bin:/sbin:/bin\n"
						  "test: env: LC_ALL=C\n");
	assert_int_equal(unsetenv("LD_LIBRARY_PATH"), 0);
}

/* A set of our own, as the kernel has it. */
static unsigned long long own(const char *name)
{
	FILE *file = fopen("/proc/self/status", "re");
	unsigned long long found = 0;
	char line[200];

	assert_non_null(file);
	while (fgets(line, sizeof(line), file)) {
		if (strncmp(line, name, strlen(name)) == 0)
			found = strtoull(line + strlen(name), NULL, 16);
	}
	assert_int_equal(fclose(file), 0);
	return found;
}

/* Two signals are the C library's, and nobody can change what was inherited of them. */
#define LIBRARY_SIGNALS (3ULL << 31)

/* However it was with us: no signal is blocked, and none but SIGPIPE ignored. */
static void test_privileges(void **state)
{
	char lines[] = "^(NoNewPrivs|SigBlk|SigIgn|CapPrm|CapEff|CapInh|CapAmb):",
	     file[] = "/proc/self/status", extended[] = "-E";
	char *const arguments[] = {extended, lines, file, NULL};
	unsigned long long wanted = own("CapPrm:") & (1U << CAP_NET_ADMIN | 1U << CAP_NET_RAW);
	unsigned long long ignored = own("SigIgn:") & LIBRARY_SIGNALS;
	char expected[500];
	sigset_t set, old;
	const char *said;

	(void)state;
	sigfillset(&set);
	assert_int_equal(sigprocmask(SIG_SETMASK, &set, &old), 0);
	(void)signal(SIGUSR2, SIG_IGN);
	said = said_by("grep", arguments);
	(void)signal(SIGUSR2, SIG_DFL);
	assert_int_equal(sigprocmask(SIG_SETMASK, &old, NULL), 0);
	(void)snprintf(expected, sizeof(expected),
		       "test: grep: SigBlk:\\x090000000000000000\n"
		       "test: grep: SigIgn:\\x09%016llx\n"
		       "test: grep: CapInh:\\x090000000000000000\n"
		       "test: grep: CapPrm:\\x09%016llx\n"
		       "test: grep: CapEff:\\x09%016llx\n"
		       "test: grep: CapAmb:\\x090000000000000000\n"
		       "test: grep: NoNewPrivs:\\x091\n",
		       ignored | 0x1000, wanted, wanted);
	assert_string_equal(said, expected);
}

static struct event_base *background;

static int begin(void **state)
{
	(void)state;
	background = event_base_new();
	return background ? 0 : -1;
}

/* When nobody can say anything more, nothing is left that waits for it. */
static int end(void **state)
{
	(void)state;
	assert_int_not_equal(event_base_dispatch(background), -1);
	event_base_free(background);
	return 0;
}

static pid_t start(const char *command)
{
	char *copy = strdup(command);
	char *const words[] = {shell, option, copy, NULL};
	pid_t pid;

	pid = program_start(background, words);
	assert_true(pid > 0);
	free(copy);
	return pid;
}

/* Waits until the program is the one that the shell becomes, with all that it does before. */
static void await_sleep(pid_t pid)
{
	int64_t end = clock_ms() + 20000;
	char path[40], name[20] = "";

	(void)snprintf(path, sizeof(path), "/proc/%d/comm", (int)pid);
	while (strcmp(name, "sleep\n") != 0) {
		FILE *file = fopen(path, "re");

		assert_true(clock_ms() < end);
		assert_non_null(file);
		assert_non_null(fgets(name, sizeof(name), file));
		assert_int_equal(fclose(file), 0);
	}
}

static void expect_end(pid_t pid, bool mine, const char *log)
{
	unsigned int fds = capture_count_fds();
	const char *said;

	capture_begin(STDERR_FILENO);
	program_end(pid, "sleep", mine);
	said = capture_end();
	assert_string_equal(said, log);
	assert_int_equal(capture_count_fds(), fds);
}

static void test_end(void **state)
{
	pid_t pid = start("exec sleep 1000");
	int status;

	(void)state;
	await_sleep(pid);
	expect_end(pid, true, "");
	assert_int_equal(waitpid(pid, NULL, WNOHANG), -1);
	/* Whoever has died by itself is reaped as well; and nothing is done twice. */
	pid = start("exit 0");
	expect_end(pid, true, "");
	assert_int_equal(waitpid(pid, NULL, WNOHANG), -1);
	expect_end(pid, true, "");
	/* Somebody else's is for others to reap. */
	pid = start("exec sleep 1000");
	await_sleep(pid);
	expect_end(pid, false, "");
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM);
}

/* Not before its child has ended, which hears of its end by a pipe and still has something to do.
 */
static void test_child_of_its_own(void **state)
{
	char folder[] = "/tmp/dtcp-program-XXXXXX";
	char path[sizeof(folder) + 8];
	char command[300];
	pid_t pid;

	(void)state;
	assert_non_null(mkdtemp(folder));
	(void)snprintf(path, sizeof(path), "%s/done", folder);
	(void)snprintf(command, sizeof(command),
		       "mkfifo %s/end; { cat %s/end; sleep 0.3; echo > %s; } & "
		       "exec 9> %s/end; exec sleep 1000",
		       folder, folder, path, folder);
	pid = start(command);
	await_sleep(pid);
	expect_end(pid, true, "");
	assert_int_equal(access(path, F_OK), 0);
	(void)snprintf(command, sizeof(command), "rm -r %s", folder);
	assert_int_equal(system(command), 0);
}

static void test_does_not_end(void **state)
{
	pid_t pid = start("trap '' TERM; exec sleep 1000");

	(void)state;
	await_sleep(pid);
	impatient = true;
	expect_end(pid, true, "test: sleep does not end, killed\n");
	impatient = false;
	assert_int_equal(waitpid(pid, NULL, WNOHANG), -1);
}

/* Another program has the number by now. */
static void test_number_is_another_ones(void **state)
{
	pid_t pid = start("exec sleep 1000");

	(void)state;
	await_sleep(pid);
	program_end(pid, "radvd", false);
	program_end(pid, "slee", false);
	assert_int_equal(waitpid(pid, NULL, WNOHANG), 0);
	program_end(pid, "sleep", true);
}

/* It is told to end when the one that has started it is killed. */
static void test_starter_dies(void **state)
{
	int fds[2];
	int status;
	pid_t starter, pid = -1;

	(void)state;
	assert_int_equal(prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0), 0);
	assert_int_equal(pipe(fds), 0);
	starter = fork();
	assert_int_not_equal(starter, -1);
	if (starter == 0) {
		pid = start("exec sleep 1000");
		await_sleep(pid);
		(void)!write(fds[1], &pid, sizeof(pid));
		(void)kill(getpid(), SIGKILL);
	}
	close(fds[1]);
	assert_int_equal(read(fds[0], &pid, sizeof(pid)), sizeof(pid));
	close(fds[0]);
	assert_int_equal(waitpid(starter, &status, 0), starter);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_run_too_long),
		cmocka_unit_test(test_find),
		cmocka_unit_test(test_environment),
		cmocka_unit_test(test_privileges),
		cmocka_unit_test_setup_teardown(test_end, begin, end),
		cmocka_unit_test_setup_teardown(test_child_of_its_own, begin, end),
		cmocka_unit_test_setup_teardown(test_does_not_end, begin, end),
		cmocka_unit_test_setup_teardown(test_number_is_another_ones, begin, end),
		cmocka_unit_test_setup_teardown(test_starter_dies, begin, end),
	};
	const struct CMUnitTest unwaited[] = {cmocka_unit_test(test_find)};
	const char *preload = getenv("LD_PRELOAD");

	log_init("test", NULL, false);
	/* It does not know pidfd_open(2). */
	if (preload && strstr(preload, "valgrind"))
		return cmocka_run_group_tests_name("netconf program end", unwaited, NULL, NULL);
	return cmocka_run_group_tests_name("netconf program end", tests, NULL, NULL);
}
