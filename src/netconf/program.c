/* SPDX-License-Identifier: BSD-2-Clause */
#include "netconf/program.h"

#include "base/log.h"
#include "process/capabilities.h"
#include "process/output.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PROGRAM_RUN_MS = 10000, PROGRAM_END_MS = 5000 };

/* Children of a program that are waited for. */
enum { PROGRAM_CHILDREN_MAX = 4 };

bool program_find(const char *name, char path[static PROGRAM_PATH_SIZE])
{
	static const char *const folders[] = {"/usr/local/sbin", "/usr/local/bin", "/usr/sbin",
					      "/usr/bin",	 "/sbin",	   "/bin"};

	for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++) {
		int used = snprintf(path, PROGRAM_PATH_SIZE, "%s/%s", folders[i], name);

		if (used < PROGRAM_PATH_SIZE && access(path, X_OK) == 0)
			return true;
	}
	return false;
}

/* --- the child ---------------------------------------------------------------------------- */

/* Returns, with errno, on failure. */
static void program_become(const struct program_child *child, pid_t parent)
{
	static char path[] = "PATH=/usr/sbin:/usr/bin:/sbin:/bin";
	static char language[] = "LC_ALL=C";
	char *const environment[] = {path, language, NULL};
	const int fds[] = {child->input, child->output, child->errors};
	sigset_t none;

	/* Signals from the terminal to all are handled by the parent. */
	(void)setpgid(0, 0);
	for (int number = 1; number < NSIG; number++)
		(void)signal(number, SIG_DFL);
	/* The reader of its output may end first, which must not kill it. */
	if (child->limited)
		(void)signal(SIGPIPE, SIG_IGN);
	sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	/* A descriptor that stays at its own number would be closed. */
	for (int i = STDIN_FILENO; i <= STDERR_FILENO; i++) {
		if (fds[i] != -1 && dup2(fds[i], i) == -1)
			return;
	}
	if (child->limited && (chdir("/") == -1 || !capabilities_limit_program()))
		return;
	errno = ESRCH;
	if (child->bound && (prctl(PR_SET_PDEATHSIG, SIGTERM) == -1 || getppid() != parent))
		return;
	(void)execve(child->path, child->words,
		     child->environment ? child->environment : environment);
}

pid_t program_fork(void)
{
	sigset_t all, old;
	int error;
	pid_t pid;

	sigfillset(&all);
	(void)sigprocmask(SIG_SETMASK, &all, &old);
	pid = fork();
	if (pid == 0)
		return 0;
	error = errno;
	(void)sigprocmask(SIG_SETMASK, &old, NULL);
	errno = error;
	return pid;
}

pid_t program_spawn(const struct program_child *child)
{
	const pid_t parent = getpid();
	int report[2];
	int error = 0;
	pid_t pid;

	if (pipe2(report, O_CLOEXEC) == -1)
		return -errno;
	pid = program_fork();
	if (pid == 0) {
		program_become(child, parent);
		error = errno;
		_exit(write(report[1], &error, sizeof(error)) == -1);
	}
	if (pid == -1)
		error = errno;
	close(report[1]);
	/* Once the program has been executed, reading returns the end of the pipe. */
	if (pid != -1 && read(report[0], &error, sizeof(error)) > 0)
		(void)waitpid(pid, NULL, 0);
	close(report[0]);
	return error ? -error : pid;
}

/* The same for a program of the system, which is searched for. */
static pid_t program_spawn_named(struct program_child *child, char path[static PROGRAM_PATH_SIZE])
{
	child->path = path;
	return program_find(child->words[0], path) ? program_spawn(child) : -ENOENT;
}

/* --- running to the end ------------------------------------------------------------------- */

/* Waits for the end of a process. False on timeout. */
static bool program_wait(int process, int milliseconds)
{
	struct pollfd waiting = {.fd = process, .events = POLLIN};
	int result;

	do
		result = poll(&waiting, 1, milliseconds);
	while (result == -1 && errno == EINTR);
	return result == 1;
}

static int program_open(pid_t pid)
{
	return (int)syscall(SYS_pidfd_open, pid, 0);
}

/* Waits for the end of a child; on timeout kills it, and returns false. */
static bool program_reap(pid_t pid, int milliseconds, int *status)
{
	int process = program_open(pid);
	bool ended = process != -1 && program_wait(process, milliseconds);

	if (!ended)
		(void)kill(pid, SIGKILL);
	if (process != -1)
		close(process);
	*status = -1;
	while (waitpid(pid, status, 0) == -1 && errno == EINTR)
		;
	return ended;
}

bool program_succeeded(const char *path, int status)
{
	if (WIFSIGNALED(status))
		log_warnx("%s: ended by signal %d", path, WTERMSIG(status));
	else if (WEXITSTATUS(status) != 0)
		log_warnx("%s: exit status %d", path, WEXITSTATUS(status));
	return status == 0;
}

/* The first line of its output. */
static void program_log_said(const char *path, int output)
{
	char text[200];
	char shown[400];
	ssize_t n = pread(output, text, sizeof(text) - 1, 0);

	text[n > 0 ? n : 0] = '\0';
	text[strcspn(text, "\n")] = '\0';
	if (text[0] != '\0')
		log_warnx("%s: %s", path, log_escape(text, strlen(text), shown, sizeof(shown)));
}

/* A memory file with that text, positioned at its beginning. -1 with errno. */
static int program_text(const char *text)
{
	const ssize_t len = (ssize_t)strlen(text);
	int fd = memfd_create("program", MFD_CLOEXEC);

	if (fd == -1 || (write(fd, text, (size_t)len) == len && lseek(fd, 0, SEEK_SET) == 0))
		return fd;
	close(fd);
	return -1;
}

int program_run(char *const words[], const char *input)
{
	struct program_child child = {.words = words, .limited = true};
	char path[PROGRAM_PATH_SIZE];
	pid_t pid;
	int error = 0;
	int status;

	child.input = program_text(input);
	child.output = child.errors = program_text("");
	pid = child.input == -1 || child.output == -1 ? -errno : program_spawn_named(&child, path);
	if (pid < 0) {
		errno = -pid;
		log_warn("cannot run %s", words[0]);
		error = pid;
	} else {
		if (!program_reap(pid, PROGRAM_RUN_MS, &status))
			log_warnx("%s: does not end, killed", path);
		if (status != 0)
			program_log_said(path, child.output);
		if (!program_succeeded(path, status))
			error = -EIO;
	}
	if (child.input != -1)
		close(child.input);
	if (child.output != -1)
		close(child.output);
	return error;
}

/* A whole file as a string; NULL if it is longer than max. */
static char *program_load(int fd, size_t max)
{
	struct stat info;
	char *text = NULL;
	size_t size;

	if (fstat(fd, &info) == -1 || info.st_size > (off_t)max)
		return NULL;
	size = (size_t)info.st_size;
	text = malloc(size + 1);
	if (!text || pread(fd, text, size, 0) != (ssize_t)size) {
		free(text);
		return NULL;
	}
	text[size] = '\0';
	return text;
}

char *program_read(char *const words[], size_t max, int milliseconds)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	int output = program_text("");
	struct program_child child = {
		.words = words, .input = null, .output = output, .errors = null, .limited = true};
	char path[PROGRAM_PATH_SIZE];
	pid_t pid = null == -1 || output == -1 ? -1 : program_spawn_named(&child, path);
	char *text = NULL;
	int status;

	if (pid > 0 && program_reap(pid, milliseconds, &status) && status == 0)
		text = program_load(output, max);
	if (null != -1)
		close(null);
	if (output != -1)
		close(output);
	return text;
}

/* --- in the background -------------------------------------------------------------------- */

pid_t program_start(struct event_base *base, char *const words[])
{
	struct program_child child = {.words = words, .input = -1, .limited = true, .bound = true};
	struct output *output = output_new(base, words[0], false, &child.output);
	char path[PROGRAM_PATH_SIZE];
	pid_t pid;

	child.errors = child.output;
	pid = program_spawn_named(&child, path);
	if (child.output != -1)
		close(child.output);
	if (output)
		output_let_go(output);
	if (pid < 0) {
		errno = -pid;
		log_warn("cannot run %s", words[0]);
	}
	return pid;
}

static bool program_is(pid_t pid, const char *name)
{
	char path[40];
	char text[32] = "";
	FILE *file;

	(void)snprintf(path, sizeof(path), "/proc/%d/comm", (int)pid);
	file = fopen(path, "re");
	if (!file)
		return false;
	if (fgets(text, sizeof(text), file))
		text[strcspn(text, "\n")] = '\0';
	(void)fclose(file);
	return strcmp(text, name) == 0;
}

/* The children of a program, by descriptors. Returns how many of them were found. */
static size_t program_children(pid_t pid, int children[static PROGRAM_CHILDREN_MAX])
{
	char path[64];
	char text[PROGRAM_CHILDREN_MAX * 12] = "";
	char *at = text;
	char *word;
	size_t count = 0;
	FILE *file;

	(void)snprintf(path, sizeof(path), "/proc/%d/task/%d/children", (int)pid, (int)pid);
	file = fopen(path, "re");
	if (!file)
		return 0;
	if (!fgets(text, sizeof(text), file))
		text[0] = '\0';
	(void)fclose(file);
	/* Each number is followed by a space: a cut one is none. */
	while (count < PROGRAM_CHILDREN_MAX && (word = strsep(&at, " ")) && at) {
		const char *wrong = NULL;
		int child = (int)strtonum(word, 1, INT_MAX, &wrong);

		children[count] = wrong ? -1 : program_open(child);
		if (children[count] != -1)
			count++;
	}
	return count;
}

/* They end by themselves once their parent has. */
static void program_wait_children(const int children[], size_t count, const char *name)
{
	for (size_t i = 0; i < count; i++) {
		if (!program_wait(children[i], PROGRAM_END_MS))
			log_warnx("a child of %s does not end", name);
		close(children[i]);
	}
}

void program_end(pid_t pid, const char *name, bool mine)
{
	int process = program_open(pid);
	int children[PROGRAM_CHILDREN_MAX];
	size_t count = 0;

	if (process == -1)
		return;
	/* Checked once the process id cannot be reused any more. */
	if (mine || program_is(pid, name)) {
		count = program_children(pid, children);
		(void)syscall(SYS_pidfd_send_signal, process, SIGTERM, NULL, 0);
		if (!program_wait(process, PROGRAM_END_MS)) {
			log_warnx("%s does not end, killed", name);
			(void)syscall(SYS_pidfd_send_signal, process, SIGKILL, NULL, 0);
		}
	}
	if (mine)
		(void)waitpid(pid, NULL, 0);
	close(process);
	/* radvd has one that changes settings for it, and may be late with the last one. */
	program_wait_children(children, count, name);
}
