/* SPDX-License-Identifier: BSD-2-Clause */
#include "process/sandbox.h"

#include "base/log.h"
#include "process/capabilities.h"

#include <cap-ng.h>
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#if SANDBOX_SANITIZED
/*
 * The leak checker traces the process that it checks, which the sandbox forbids. It calls this
 * before it begins; processes without a sandbox are checked.
 */
static int sandbox_entered;

int __lsan_is_turned_off(void);

int __lsan_is_turned_off(void)
{
	return sandbox_entered;
}
#endif

/* Times in the log are local; without TZ the C library would read the file again and again. */
static void sandbox_read_files(void)
{
	(void)setenv("TZ", ":/etc/localtime", 0);
	tzset();
}

/* Runs in a child that shares root and current directory with us. Its exit status is errno. */
static int sandbox_leave(void *arg)
{
	(void)arg;
	return chroot("/proc/self/fdinfo") == -1 || chdir("/") == -1 ? errno : 0;
}

/*
 * Changes the root directory to the /proc directory of a process that has ended: it is empty, and
 * not even root can make a file in it. It occupies no place in any file system, so nothing is left
 * behind, however this process ends.
 */
static void sandbox_empty_root(void)
{
	static _Alignas(max_align_t) unsigned char stack[65536];
	int status = 0;
	pid_t pid;

	/* Sanitizers need the program's own file and a place for their reports. */
	if (SANDBOX_SANITIZED)
		return;
	pid = clone(sandbox_leave, stack + sizeof(stack), CLONE_FS | SIGCHLD, NULL);
	if (pid == -1 || waitpid(pid, &status, 0) == -1) {
		log_warn("cannot start a process for the empty root directory");
		exit(1);
	}
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
		errno = WIFEXITED(status) ? WEXITSTATUS(status) : ECANCELED;
		log_warn("cannot change the root directory to an empty one in /proc");
		exit(1);
	}
}

/* Changes the root directory to the folder. */
static void sandbox_root(const char *folder)
{
	if (chroot(folder) == 0 && chdir("/") == 0)
		return;
	log_warn("cannot change the root directory to %s", folder);
	exit(1);
}

static void sandbox_limit(__rlimit_resource_t resource, rlim_t value, const char *what)
{
	const struct rlimit limit = {.rlim_cur = value, .rlim_max = value};

	if (setrlimit(resource, &limit) == 0)
		return;
	log_warn("cannot limit %s", what);
	exit(1);
}

static void sandbox_limits(const struct sandbox *sandbox)
{
	sandbox_limit(RLIMIT_CORE, 0, "core files");
	sandbox_limit(RLIMIT_NPROC, 0, "processes");
	sandbox_limit(RLIMIT_MEMLOCK, 0, "locked memory");
	sandbox_limit(RLIMIT_MSGQUEUE, 0, "message queues");
	if (!SANDBOX_SANITIZED && !sandbox->folder)
		sandbox_limit(RLIMIT_FSIZE, 0, "files");
	if (sandbox->files > 0)
		sandbox_limit(RLIMIT_NOFILE, sandbox->files, "descriptors");
}

static void sandbox_drop_privileges(const struct user_ids *user)
{
	capng_clear(CAPNG_SELECT_ALL);

	int result = capng_change_id((int)user->uid, (int)user->gid,
				     CAPNG_DROP_SUPP_GRP | CAPNG_CLEAR_BOUNDING);

	if (result != 0) {
		log_warnx("cannot become user %s (step %d)", user->name, -result);
		exit(1);
	}
	/* No set-user-ID program and no file capabilities can give anything back. */
	if (!capabilities_renounce() || !capabilities_hide())
		exit(1);
	if (setresuid(0, 0, 0) != -1 || capng_have_capabilities(CAPNG_SELECT_ALL) != CAPNG_NONE) {
		log_warnx("privileges are still there after giving them up");
		exit(1);
	}
}

void sandbox_become(const char *folder, const struct user_ids *user)
{
	sandbox_root(folder);
	sandbox_drop_privileges(user);
#if SANDBOX_SANITIZED
	sandbox_entered = 1;
#endif
}

/* Drops capabilities of a process that was not started by root. */
static void sandbox_drop_capabilities(void)
{
	capng_clear(CAPNG_SELECT_ALL);
	if (capng_apply(CAPNG_SELECT_CAPS | CAPNG_SELECT_AMBIENT) != 0 ||
	    capng_have_capabilities(CAPNG_SELECT_CAPS) != CAPNG_NONE) {
		log_warnx("cannot give up capabilities");
		exit(1);
	}
	if (!capabilities_renounce() || !capabilities_hide())
		exit(1);
}

static void sandbox_limit_calls(enum sandbox_kind kind)
{
	int error;

#if SANDBOX_SANITIZED
	sandbox_entered = 1;
#endif
	error = sandbox_filter(kind);
	if (error) {
		errno = -error;
		log_warn("cannot limit the system calls (does this kernel have seccomp filters?)");
		exit(1);
	}
}

void sandbox_enter(const struct sandbox *sandbox)
{
	if (sandbox->user.uid == 0) {
		log_warnx("cannot run as user %s: that is root", sandbox->user.name);
		exit(1);
	}
	sandbox_read_files();
	if (sandbox->folder)
		sandbox_root(sandbox->folder);
	else if (sandbox->kind != SANDBOX_CLIENT_RESOLVER)
		sandbox_empty_root();
	sandbox_limits(sandbox);
	sandbox_drop_privileges(&sandbox->user);
	sandbox_limit_calls(sandbox->kind);
}

void sandbox_enter_tool(enum sandbox_kind kind, const struct user_ids *user)
{
	sandbox_read_files();
	if (user)
		sandbox_drop_privileges(user);
	sandbox_limit_calls(kind);
}

void sandbox_enter_unprivileged(const struct sandbox *sandbox)
{
	sandbox_read_files();
	sandbox_limits(sandbox);
	sandbox_drop_capabilities();
	sandbox_limit_calls(sandbox->kind);
}
