/* SPDX-License-Identifier: BSD-2-Clause */
#include "netconf/program.h"

#include "base/log.h"
#include "process/output.h"

#include <cap-ng.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PROGRAM_RUN_MS = 10000, PROGRAM_END_MS = 5000 };

/* Exit status of a child that could not become the program, as that of a shell. */
enum { PROGRAM_NOT_RUN = 127 };

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

/* Under no_new_privs a program gets no more than what is permitted here. */
static bool program_limit(void)
{
	static const unsigned int kept[] = {CAP_NET_ADMIN, CAP_NET_RAW};
	int error = 0;

	if (capng_get_caps_process() != 0)
		return false;

	bool have[sizeof(kept) / sizeof(kept[0])];

	for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]); i++)
		have[i] = capng_have_capability(CAPNG_PERMITTED, kept[i]);
	capng_clear(CAPNG_SELECT_CAPS);
	for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]) && !error; i++) {
		if (have[i])
			error = capng_update(CAPNG_ADD, CAPNG_PERMITTED | CAPNG_EFFECTIVE, kept[i]);
	}
	return !error && capng_apply(CAPNG_SELECT_CAPS) == 0 &&
	       prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0;
}

__attribute__((noreturn)) static void program_become(char *const words[], int input, int output,
						     pid_t parent)
{
	static char path[] = "PATH=/usr/sbin:/usr/bin:/sbin:/bin";
	static char language[] = "LC_ALL=C";
	char *const environment[] = {path, language, NULL};
	sigset_t none;

	/* What the terminal sends to all is for its parent to act upon. */
	(void)setpgid(0, 0);
	for (int number = 1; number < NSIG; number++)
		(void)signal(number, SIG_DFL);
	/* Whoever reads what it says may be gone before it, and it is to end in its own way. */
	(void)signal(SIGPIPE, SIG_IGN);
	sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	if (parent && (prctl(PR_SET_PDEATHSIG, SIGTERM) == -1 || getppid() != parent))
		_exit(PROGRAM_NOT_RUN);
	/* What stays at its own number would be closed. */
	if ((input != -1 && dup2(input, STDIN_FILENO) == -1) ||
	    (output != -1 &&
	     (dup2(output, STDOUT_FILENO) == -1 || dup2(output, STDERR_FILENO) == -1)) ||
	    chdir("/") == -1 || !program_limit())
		_exit(PROGRAM_NOT_RUN);
	(void)execve(words[0], words, environment);
	_exit(PROGRAM_NOT_RUN);
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

static pid_t program_spawn(char *const words[], int input, int output, pid_t parent)
{
	pid_t pid = program_fork();

	if (pid == 0)
		program_become(words, input, output, parent);
	return pid;
}

/* --- to its end --------------------------------------------------------------------------- */

/* Waits for the end of a process. False where it has not come in time. */
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

/* The first line of what it has written. */
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

static int program_reap(const char *path, pid_t pid, int output)
{
	int process = program_open(pid);
	int status;

	if (process == -1 || !program_wait(process, PROGRAM_RUN_MS)) {
		log_warnx("%s: does not end, killed", path);
		(void)kill(pid, SIGKILL);
	}
	if (process != -1)
		close(process);
	while (waitpid(pid, &status, 0) == -1) {
		if (errno != EINTR)
			return -errno;
	}
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return 0;
	program_log_said(path, output);
	if (WIFEXITED(status))
		log_warnx("%s: exit status %d", path, WEXITSTATUS(status));
	else
		log_warnx("%s: ended by signal %d", path, WTERMSIG(status));
	return -EIO;
}

FILE *program_input(void)
{
	int fd = memfd_create("input", MFD_CLOEXEC);
	FILE *file = fd == -1 ? NULL : fdopen(fd, "w+");

	if (!file && fd != -1)
		close(fd);
	return file;
}

int program_run(char *const words[], FILE *input)
{
	int output = memfd_create("output", MFD_CLOEXEC);
	pid_t pid = -1;
	int error;

	if (output != -1 && fflush(input) == 0 && fseek(input, 0, SEEK_SET) == 0)
		pid = program_spawn(words, fileno(input), output, 0);
	error = pid == -1 ? -errno : 0;
	if (pid == -1)
		log_warn("cannot run %s", words[0]);
	else
		error = program_reap(words[0], pid, output);
	if (output != -1)
		close(output);
	return error;
}

/* --- in the background -------------------------------------------------------------------- */

pid_t program_start(struct event_base *base, char *const words[])
{
	const char *slash = strrchr(words[0], '/');
	int writer = -1;
	struct output *output = output_new(base, slash ? slash + 1 : words[0], false, &writer);
	pid_t pid = program_spawn(words, -1, writer, getpid());
	int error = errno;

	if (writer != -1)
		close(writer);
	if (output)
		output_let_go(output);
	if (pid != -1)
		return pid;
	errno = error;
	log_warn("cannot run %s", words[0]);
	return -error;
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

void program_end(pid_t pid, const char *name, bool mine)
{
	int process = program_open(pid);

	if (process == -1)
		return;
	/* Looked at when it can be no other one any more. */
	if (mine || program_is(pid, name)) {
		(void)syscall(SYS_pidfd_send_signal, process, SIGTERM, NULL, 0);
		if (!program_wait(process, PROGRAM_END_MS)) {
			log_warnx("%s does not end, killed", name);
			(void)syscall(SYS_pidfd_send_signal, process, SIGKILL, NULL, 0);
		}
	}
	if (mine)
		(void)waitpid(pid, NULL, 0);
	close(process);
}
