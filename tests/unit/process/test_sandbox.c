/* SPDX-License-Identifier: BSD-2-Clause */
/* The lists of system calls: what each room may do, and what ends it. */
#include "process/sandbox_lists.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/filter.h>
#include <linux/futex.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <seccomp.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

/* With a list of what they may do; and the one with a list of what it may not. */
enum { ROOMS = 7, ALL_ROOMS = 10 };

enum {
	CC = 1 << SANDBOX_CLIENT_CONTROL,
	CF = 1 << SANDBOX_CLIENT_FORWARD,
	SC = 1 << SANDBOX_SERVER_CONTROL,
	SF = 1 << SANDBOX_SERVER_FORWARD,
	SN = 1 << SANDBOX_SERVER_NDP,
	SA = 1 << SANDBOX_SERVER_ACCOUNTS,
	WB = 1 << SANDBOX_WEB,
	NOBODY = 0,
	CONTROLS = CC | SC,
	FORWARDS = CF | SF,
	NETWORK = CONTROLS | FORWARDS,
	SERVING = CONTROLS | WB,
	ALL = NETWORK | SN | SA | WB,
};

struct attempt {
	const char *name;
	unsigned int rooms; /* that may do it */
	bool sanitizers;    /* and the sanitizers in all of them */
	long number;	    /* what is called, where there is no function for it */
	long args[6];
	void (*call)(void);
};

/* A page of this process, for what needs an address. */
static char *page;
static pid_t test_pid;
static uint32_t word;

static void call_mprotect(void)
{
	(void)mprotect(page, 4096, PROT_READ | PROT_EXEC);
}

static void call_mprotect_data(void)
{
	if (mprotect(page, 4096, PROT_READ) == -1)
		_exit(9);
}

static void call_mmap_exec(void)
{
	(void)mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

static void call_malloc(void)
{
	for (size_t size = 1; size < 8 << 20; size *= 4) {
		void *volatile memory = malloc(size);

		if (!memory)
			_exit(9);
		memset(memory, 1, size);
		free(memory);
	}
}

static void call_poll(void)
{
	struct pollfd fd = {.fd = 0};

	(void)poll(&fd, 1, 0);
}

static void call_exec(void)
{
	static char *const argv[] = {NULL};

	(void)execve("/bin/true", argv, argv);
}

static void call_time(void)
{
	struct timespec now;

	if (syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &now) == -1)
		_exit(9);
}

static void call_kill_test(void)
{
	(void)kill(test_pid, 0);
}

static void call_signal_test(void)
{
	(void)syscall(SYS_tgkill, test_pid, test_pid, SIGABRT);
}

static void call_signal_self(void)
{
	(void)syscall(SYS_tgkill, getpid(), getpid(), SIGTERM);
}

#define CALL(n, ...) .number = (n), .args = {__VA_ARGS__}

static const struct attempt attempts[] = {
	/* What every room lives on. */
	{"malloc", ALL, .call = call_malloc},
	{"taking rights from memory", ALL, .call = call_mprotect_data},
	{"clock_gettime", ALL, .call = call_time},
	{"poll", ALL, .call = call_poll},
	{"getrandom", ALL, CALL(SYS_getrandom, 0, 0, 0)},
	{"epoll_create1", ALL, CALL(SYS_epoll_create1, EPOLL_CLOEXEC)},
	{"close", ALL, CALL(SYS_close, 99)},
	{"non-blocking", ALL, CALL(SYS_fcntl, 0, F_SETFL, O_NONBLOCK)},
	{"recvmsg", ALL, CALL(SYS_recvmsg, 99, 0, 0)},
	{"sendmsg", ALL, CALL(SYS_sendmsg, 99, 0, MSG_NOSIGNAL)},
	{"write", ALL, CALL(SYS_write, 99, 0, 0)},
	{"returning memory", ALL, CALL(SYS_madvise, 0, 0, MADV_DONTNEED)},
	{"waking", ALL, CALL(SYS_futex, (long)&word, FUTEX_WAKE | FUTEX_PRIVATE_FLAG, 1, 0, 0, 0)},
	/* What only some have. */
	{"TCP socket", CC, CALL(SYS_socket, AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)},
	{"UDP socket", CC, CALL(SYS_socket, AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0)},
	{"connect", CC | WB, CALL(SYS_connect, 99, 0, 0)},
	{"breaking off", CC | WB, CALL(SYS_shutdown, 99, SHUT_RDWR)},
	{"accept", SERVING, CALL(SYS_accept4, 99, 0, 0, 0)},
	{"read", SERVING | SA, true, CALL(SYS_read, 99, 0, 0)},
	{"sendto", SERVING, CALL(SYS_sendto, 99, 0, 0, MSG_NOSIGNAL, 0, 0)},
	{"the last of what is sent", SERVING, CALL(SYS_shutdown, 99, SHUT_WR)},
	{"getsockname", SERVING, CALL(SYS_getsockname, 99, 0, 0)},
	{"SO_ERROR", SERVING, CALL(SYS_getsockopt, 99, SOL_SOCKET, SO_ERROR, 0, 0)},
	{"SO_PEERCRED", CONTROLS, CALL(SYS_getsockopt, 99, SOL_SOCKET, SO_PEERCRED, 0, 0)},
	{"FIONREAD", SERVING, true, CALL(SYS_ioctl, 99, FIONREAD, 0)},
	{"TCP_USER_TIMEOUT", SERVING,
	 CALL(SYS_setsockopt, 99, IPPROTO_TCP, TCP_USER_TIMEOUT, 0, 0)},
	{"recvmmsg", FORWARDS, CALL(SYS_recvmmsg, 99, 0, 0, 0, 0)},
	{"sendmmsg", FORWARDS, CALL(SYS_sendmmsg, 99, 0, 0, 0)},
	{"IP_TTL", FORWARDS, CALL(SYS_setsockopt, 99, IPPROTO_IP, IP_TTL, 0, 0)},
	{"readv", NETWORK | WB, CALL(SYS_readv, 99, 0, 0)},
	{"fstat", NETWORK | SA | WB, true, CALL(SYS_fstat, 99, 0)},
	/* files, below the database's folder, */
	{"openat", SA, true, CALL(SYS_openat, AT_FDCWD, (long)"/etc/passwd", O_RDONLY)},
	{"openat, to write", SA, true, CALL(SYS_openat, AT_FDCWD, (long)"/no/x", O_WRONLY)},
	{"unlinkat", SA, CALL(SYS_unlinkat, AT_FDCWD, (long)"/no/x", 0)},
	{"pread64", SA, true, CALL(SYS_pread64, 99, 0, 0, 0)},
	{"pwrite64", SA, CALL(SYS_pwrite64, 99, 0, 0, 0)},
	{"lock", SA, CALL(SYS_fcntl, 99, F_SETLK, 0)},
	{"fdatasync", SA, CALL(SYS_fdatasync, 99)},
	{"ftruncate", SA, CALL(SYS_ftruncate, 99, 0)},
	{"clock_nanosleep", SA, true, CALL(SYS_clock_nanosleep, 99, 0, 0, 0)},
	/* dtcpweb: folders, and sockets of this machine */
	{"openat, of a folder", SA | WB, true,
	 CALL(SYS_openat, AT_FDCWD, (long)"/", O_RDONLY | O_DIRECTORY)},
	{"getdents64", WB, CALL(SYS_getdents64, 0, 0, 0)},
	{"lstat", SA | WB, true,
	 CALL(SYS_newfstatat, AT_FDCWD, (long)"/no/x", 0, AT_SYMLINK_NOFOLLOW)},
	{"sysinfo", WB, CALL(SYS_sysinfo, 0)},
	{"stream to a daemon here", WB, CALL(SYS_socket, AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)},
	/* What nobody has: more of files, */
	{"a folder to write in", SA, true,
	 CALL(SYS_openat, AT_FDCWD, (long)"/", O_RDWR | O_DIRECTORY | O_CREAT, 0)},
	{"renameat2", NOBODY,
	 CALL(SYS_renameat2, AT_FDCWD, (long)"/no/x", AT_FDCWD, (long)"/no/y")},
	{"linkat", NOBODY, CALL(SYS_linkat, AT_FDCWD, (long)"/no/x", AT_FDCWD, (long)"/no/y", 0)},
	{"symlinkat", NOBODY, CALL(SYS_symlinkat, (long)"/no/x", AT_FDCWD, (long)"/no/y")},
	{"mknodat", NOBODY, CALL(SYS_mknodat, AT_FDCWD, (long)"/no/x", 0, 0)},
	{"fchown", NOBODY, CALL(SYS_fchown, 99, 0, 0)},
	{"lock, waiting for it", NOBODY, CALL(SYS_fcntl, 99, F_SETLKW, 0)},
	{"mkdirat", NOBODY, CALL(SYS_mkdirat, AT_FDCWD, (long)"/x", 0)},
	{"fchdir", NOBODY, CALL(SYS_fchdir, 0)},
	{"chroot", NOBODY, CALL(SYS_chroot, (long)"/")},
	{"mount", NOBODY, CALL(SYS_mount, 0, 0, 0, 0, 0)},
	{"memfd_create", NOBODY, CALL(SYS_memfd_create, (long)"x", 0)},
	/* processes, */
	{"execve", NOBODY, .call = call_exec},
	{"clone", NOBODY, CALL(SYS_clone, SIGCHLD, 0, 0, 0, 0)},
	{"clone3", NOBODY, CALL(SYS_clone3, 0, 0)},
	{"kill", NOBODY, .call = call_kill_test},
	{"abort another process", NOBODY, .call = call_signal_test},
	{"another signal to itself", NOBODY, .call = call_signal_self},
	{"ptrace", NOBODY, CALL(SYS_ptrace, PTRACE_TRACEME, 0, 0, 0)},
	{"process_vm_readv", NOBODY, CALL(SYS_process_vm_readv, 1, 0, 0, 0, 0, 0)},
	{"pidfd_open", NOBODY, CALL(SYS_pidfd_open, 1, 0)},
	{"unshare", NOBODY, CALL(SYS_unshare, 0)},
	{"setns", NOBODY, CALL(SYS_setns, 0, 0)},
	/* other users, */
	{"setuid", NOBODY, CALL(SYS_setuid, 0)},
	{"setresuid", NOBODY, CALL(SYS_setresuid, 0, 0, 0)},
	{"setgroups", NOBODY, CALL(SYS_setgroups, 0, 0)},
	{"capset", NOBODY, CALL(SYS_capset, 0, 0)},
	{"prctl", NOBODY, true, CALL(SYS_prctl, 4, 1, 0, 0, 0)},
	{"setrlimit", NOBODY, CALL(SYS_setrlimit, RLIMIT_FSIZE, 0)},
	/* code of its own, */
	{"memory that can be executed", NOBODY, true, .call = call_mmap_exec},
	{"executing what was written", NOBODY, true, .call = call_mprotect},
	{"personality", NOBODY, true, CALL(SYS_personality, 0x0400000)},
	/* sockets, */
	{"UDP over IPv6", NOBODY, CALL(SYS_socket, AF_INET6, SOCK_DGRAM, 0)},
	{"TCP over IPv6", NOBODY, CALL(SYS_socket, AF_INET6, SOCK_STREAM, 0)},
	{"MPTCP", NOBODY, CALL(SYS_socket, AF_INET, SOCK_STREAM, IPPROTO_MPTCP)},
	{"SCTP", NOBODY, CALL(SYS_socket, AF_INET, SOCK_STREAM, IPPROTO_SCTP)},
	{"UDP-Lite", NOBODY, CALL(SYS_socket, AF_INET, SOCK_DGRAM, IPPROTO_UDPLITE)},
	{"UDP-Lite over IPv6", NOBODY, CALL(SYS_socket, AF_INET6, SOCK_DGRAM, IPPROTO_UDPLITE)},
	{"ping socket", NOBODY, CALL(SYS_socket, AF_INET, SOCK_DGRAM, IPPROTO_ICMP)},
	{"raw socket", NOBODY, CALL(SYS_socket, AF_INET, SOCK_RAW, IPPROTO_RAW)},
	{"AF_UNIX", WB, CALL(SYS_socket, AF_UNIX, SOCK_DGRAM, 0)},
	{"AF_NETLINK", NOBODY, CALL(SYS_socket, AF_NETLINK, SOCK_RAW, 0)},
	{"AF_PACKET", NOBODY, CALL(SYS_socket, AF_PACKET, SOCK_RAW, 0)},
	{"AF_ALG", NOBODY, CALL(SYS_socket, AF_ALG, SOCK_SEQPACKET, 0)},
	{"AF_VSOCK", NOBODY, CALL(SYS_socket, AF_VSOCK, SOCK_STREAM, 0)},
	{"socketpair", NOBODY, CALL(SYS_socketpair, AF_UNIX, SOCK_STREAM, 0, 0)},
	{"bind", NOBODY, CALL(SYS_bind, 99, 0, 0)},
	{"listen", NOBODY, CALL(SYS_listen, 99, 1)},
	{"connecting by sendto", NOBODY,
	 CALL(SYS_sendto, 99, 0, 0, MSG_FASTOPEN | MSG_NOSIGNAL, 0, 0)},
	{"connecting by sendmsg", NOBODY, CALL(SYS_sendmsg, 99, 0, MSG_FASTOPEN)},
	{"no listening any more", NOBODY, CALL(SYS_shutdown, 99, SHUT_RD)},
	{"TCP_INFO", NOBODY, CALL(SYS_getsockopt, 99, IPPROTO_TCP, TCP_INFO, 0, 0)},
	{"SO_PEERSEC", NOBODY, CALL(SYS_getsockopt, 99, SOL_SOCKET, SO_PEERSEC, 0, 0)},
	{"SO_ATTACH_FILTER", NOBODY, CALL(SYS_setsockopt, 99, SOL_SOCKET, SO_ATTACH_FILTER, 0, 0)},
	{"SO_BINDTODEVICE", NOBODY, CALL(SYS_setsockopt, 99, SOL_SOCKET, SO_BINDTODEVICE, 0, 0)},
	{"TCP_ULP", NOBODY, CALL(SYS_setsockopt, 99, IPPROTO_TCP, TCP_ULP, 0, 0)},
	{"IP_HDRINCL", NOBODY, CALL(SYS_setsockopt, 99, IPPROTO_IP, IP_HDRINCL, 0, 0)},
	/* and the corners of the kernel. */
	{"TIOCSTI", NOBODY, true, CALL(SYS_ioctl, 0, TIOCSTI, 0)},
	{"merging memory", NOBODY, true, CALL(SYS_madvise, 0, 0, MADV_MERGEABLE)},
	{"locks that lend priority", NOBODY, true,
	 CALL(SYS_futex, (long)&word, FUTEX_LOCK_PI, 0, 0, 0, 0)},
	{"F_DUPFD", NOBODY, CALL(SYS_fcntl, 0, F_DUPFD, 50)},
	{"keyctl", NOBODY, CALL(SYS_keyctl, 0, 0, 0, 0, 0)},
	{"bpf", NOBODY, CALL(SYS_bpf, BPF_PROG_LOAD, 0, 0)},
	{"io_uring_setup", NOBODY, CALL(SYS_io_uring_setup, 1, 0)},
	{"userfaultfd", NOBODY, CALL(SYS_userfaultfd, 0)},
	{"perf_event_open", NOBODY, CALL(SYS_perf_event_open, 0, 0, -1, -1, 0)},
	{"sched_setscheduler", NOBODY, CALL(SYS_sched_setscheduler, 0, 0, 0)},
	{"a number that no call has", NOBODY, CALL(4000, 0)},
#ifdef __x86_64__
	/* The same call in the numbers of x32. */
	{"getrandom of another kind", NOBODY, CALL(0x40000000 | SYS_getrandom, 0, 0, 0)},
#endif
};

static void attempt_make(const struct attempt *attempt)
{
	if (attempt->call)
		attempt->call();
	else
		(void)syscall(attempt->number, attempt->args[0], attempt->args[1], attempt->args[2],
			      attempt->args[3], attempt->args[4], attempt->args[5]);
}

/* Makes it behind the list of a room; the status as of wait(2). */
static int run_behind(enum sandbox_kind room, void (*call)(const void *), const void *arg)
{
	const struct rlimit none = {0};
	int status;
	pid_t pid = fork();

	assert_true(pid != -1);
	if (pid == 0) {
		(void)setrlimit(RLIMIT_CORE, &none);
		if (sandbox_filter(room) != 0)
			_exit(8);
		call(arg);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

static void call_attempt(const void *arg)
{
	attempt_make(arg);
}

static void test_each_call(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(attempts) / sizeof(attempts[0]); i++) {
		const struct attempt *attempt = &attempts[i];

		for (unsigned int room = 0; room < ROOMS; room++) {
			bool may = attempt->rooms & 1u << room;
			int status;

			if (SANDBOX_SANITIZED && attempt->sanitizers)
				continue;
			status = run_behind((enum sandbox_kind)room, call_attempt, attempt);
			if (may ? WIFEXITED(status) && WEXITSTATUS(status) == 0
				: WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS)
				continue;
			fail_msg("%s in room %u: %s expected, status 0x%x", attempt->name, room,
				 may ? "success" : "the end", (unsigned int)status);
		}
	}
}

/* What the resolver's list is about fails; everything else is as it is without a list. */
static const struct {
	const char *name;
	bool may;
	long number;
	long args[6];
} resolver_attempts[] = {
	{"files", true, SYS_openat, {AT_FDCWD, (long)"/etc/passwd", O_RDONLY}},
	{"UDP", true, SYS_socket, {AF_INET, SOCK_DGRAM | SOCK_CLOEXEC}},
	{"UDP over IPv6", true, SYS_socket, {AF_INET6, SOCK_DGRAM}},
	{"TCP, for long answers", true, SYS_socket, {AF_INET, SOCK_STREAM}},
	{"daemons of this machine", true, SYS_socket, {AF_UNIX, SOCK_STREAM}},
	{"its addresses", true, SYS_socket, {AF_NETLINK, SOCK_RAW}},
	{"memory", true, SYS_mmap, {0, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1}},
	{"its own limits", true, SYS_prlimit64, {0, RLIMIT_NOFILE, 0, 0}},
	{"chroot", false, SYS_chroot, {(long)"/"}},
	{"execve", false, SYS_execve, {(long)"/bin/true", 0, 0}},
	{"execveat", false, SYS_execveat, {AT_FDCWD, (long)"/bin/true", 0, 0}},
	{"clone", false, SYS_clone, {SIGCHLD}},
	{"clone3", false, SYS_clone3, {0, 0}},
	{"ptrace", false, SYS_ptrace, {PTRACE_TRACEME}},
	{"process_vm_readv", false, SYS_process_vm_readv, {1}},
	{"pidfd_open", false, SYS_pidfd_open, {1}},
	{"kill", false, SYS_kill, {1, 0}},
	{"its process group", false, SYS_kill, {0, 0}},
	{"tgkill", false, SYS_tgkill, {1, 1, 0}},
	{"tkill", false, SYS_tkill, {1, 0}},
	{"rt_sigqueueinfo", false, SYS_rt_sigqueueinfo, {1, SIGTERM, 0}},
	{"signals to others", false, SYS_fcntl, {0, F_SETOWN, 1}},
	{"signals to others", false, SYS_fcntl, {0, F_SETSIG, SIGTERM}},
	{"signals to others", false, SYS_ioctl, {0, FIOSETOWN, 0}},
	{"others' limits", false, SYS_prlimit64, {1, RLIMIT_CPU, 0, 0}},
	{"others' priority", false, SYS_setpriority, {0, 1, 19}},
	{"code", false, SYS_mmap, {0, 4096, PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1}},
	{"code in shared memory", false, SYS_shmat, {-1, 0, SHM_EXEC}},
	{"its own memory as a file", false, SYS_prctl, {PR_SET_DUMPABLE, 1}},
	{"memfd_create", false, SYS_memfd_create, {(long)"x", 0}},
	{"listen", false, SYS_listen, {99, 1}},
	{"accept", false, SYS_accept4, {99}},
	{"AF_PACKET", false, SYS_socket, {AF_PACKET, SOCK_DGRAM}},
	{"AF_ALG", false, SYS_socket, {AF_ALG, SOCK_SEQPACKET}},
	{"AF_ALG, in other words", false, SYS_socket, {(1L << 32) | AF_ALG, SOCK_SEQPACKET}},
	{"AF_VSOCK", false, SYS_socket, {AF_VSOCK, SOCK_STREAM}},
	{"TIOCSTI", false, SYS_ioctl, {0, TIOCSTI, 0}},
	{"bpf", false, SYS_bpf, {BPF_PROG_LOAD, 0, 0}},
	{"io_uring_setup", false, SYS_io_uring_setup, {1, 0}},
	{"userfaultfd", false, SYS_userfaultfd, {0}},
	{"perf_event_open", false, SYS_perf_event_open, {0, 0, -1, -1, 0}},
	{"keyctl", false, SYS_keyctl, {0}},
	{"mount", false, SYS_mount, {0}},
	{"unshare", false, SYS_unshare, {0}},
	{"setns", false, SYS_setns, {0}},
};

/* In the child. The number of the first attempt that went otherwise, counted from 1, is its status;
 * EPERM is also what these calls say to somebody without privileges, so they are made as root. */
static void call_resolver_attempts(const void *arg)
{
	(void)arg;
	for (size_t i = 0; i < sizeof(resolver_attempts) / sizeof(resolver_attempts[0]); i++) {
		const long *args = resolver_attempts[i].args;
		long result = syscall(resolver_attempts[i].number, args[0], args[1], args[2],
				      args[3], args[4], args[5]);

		if (resolver_attempts[i].may ? result == -1 : result != -1 || errno != EPERM)
			_exit((int)i + 1);
	}
}

static void test_resolver(void **state)
{
	int status = run_behind(SANDBOX_CLIENT_RESOLVER, call_resolver_attempts, NULL);

	(void)state;
	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) != 0)
		fail_msg("%s", resolver_attempts[WEXITSTATUS(status) - 1].name);
}

/* dtcpctl has its descriptors; all else fails. */
static const struct {
	const char *name;
	unsigned int may; /* 1: it may, 2: its watch may */
	long number;
	long args[6];
} tool_attempts[] = {
	{"recvfrom", 3, SYS_recvfrom, {99}},
	{"sendto", 3, SYS_sendto, {99}},
	{"write", 3, SYS_write, {99}},
	{"poll", 3, SYS_ppoll, {0, 1, 0, 0, 0}},
	{"the size of the terminal", 3, SYS_ioctl, {99, TIOCGWINSZ}},
	{"keys of the terminal", 3, SYS_ioctl, {99, TCSETSW}},
	{"handlers", 3, SYS_rt_sigaction, {SIGWINCH, 0, 0, 8}},
	{"memory", 3, SYS_mmap, {0, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1}},
	{"connect", 2, SYS_connect, {99}},
	{"daemons of this machine", 2, SYS_socket, {AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK}},
	{"others of them", 0, SYS_socket, {AF_UNIX, SOCK_DGRAM}},
	{"TCP", 0, SYS_socket, {AF_INET, SOCK_STREAM}},
	{"typing into the terminal", 0, SYS_ioctl, {99, TIOCSTI}},
	{"files", 0, SYS_openat, {AT_FDCWD, (long)"/dev/null", O_RDONLY}},
	{"removing files", 0, SYS_unlinkat, {AT_FDCWD, (long)"/nonexistent", 0}},
	{"execve", 0, SYS_execve, {(long)"/nonexistent", 0, 0}},
	{"clone", 0, SYS_clone, {SIGCHLD}},
	{"ptrace", 0, SYS_ptrace, {PTRACE_ATTACH, 0}},
	{"kill", 0, SYS_kill, {0, 0}},
	{"code", 0, SYS_mmap, {0, 4096, PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1}},
	{"becoming somebody else", 0, SYS_setuid, {(long)UINT32_MAX}},
	{"a namespace", 0, SYS_setns, {99}},
};

/* arg: the bit of the kind. */
static void call_tool_attempts(const void *arg)
{
	const unsigned int *bit = arg;

	for (size_t i = 0; i < sizeof(tool_attempts) / sizeof(tool_attempts[0]); i++) {
		const long *args = tool_attempts[i].args;
		long result = syscall(tool_attempts[i].number, args[0], args[1], args[2], args[3],
				      args[4], args[5]);
		bool refused = result == -1 && errno == EPERM;

		if (refused == ((tool_attempts[i].may & *bit) != 0))
			_exit((int)i + 1);
	}
}

static void test_tool(void **state)
{
	(void)state;
	for (unsigned int bit = 1; bit <= 2; bit++) {
		int status = run_behind(bit == 1 ? SANDBOX_LOOK : SANDBOX_WATCH, call_tool_attempts,
					&bit);

		assert_true(WIFEXITED(status));
		if (WEXITSTATUS(status) != 0 && !SANDBOX_SANITIZED)
			fail_msg("%s, %u", tool_attempts[WEXITSTATUS(status) - 1].name, bit);
	}
}

static void call_texts(const void *arg)
{
	(void)arg;
	if (!gai_strerror(EAI_FAIL) || !strerror(ECONNREFUSED))
		_exit(9);
}

/* For the texts of errors the C library needs no file, which control could not open. */
static void test_texts(void **state)
{
	(void)state;
	assert_int_equal(run_behind(SANDBOX_CLIENT_CONTROL, call_texts, NULL), 0);
}

static void call_abort(const void *arg)
{
	(void)arg;
	abort();
}

/* What a library finds wrong is reported as that. */
static void test_abort(void **state)
{
	(void)state;
	for (unsigned int room = 0; room < ALL_ROOMS; room++) {
		int status = run_behind((enum sandbox_kind)room, call_abort, NULL);

		assert_true(WIFSIGNALED(status));
		assert_int_equal(WTERMSIG(status), SIGABRT);
	}
}

static void expect_known(const char *names)
{
	char calls[SANDBOX_CALLS_SIZE];
	char *rest = calls;
	const char *call;

	assert_true(strlcpy(calls, names, sizeof(calls)) < sizeof(calls));
	while ((call = strsep(&rest, " "))) {
		if (seccomp_syscall_resolve_name(call) == __NR_SCMP_ERROR)
			fail_msg("there is no call %s", call);
	}
}

/* A name that the library does not know would be left out without a word. */
static void test_names(void **state)
{
	(void)state;
	for (unsigned int room = 0; room < ALL_ROOMS; room++) {
		const struct sandbox_rule *const *group = sandbox_groups((enum sandbox_kind)room);

		assert_non_null(group);
		for (; *group; group++) {
			for (const struct sandbox_rule *rule = *group; rule->calls; rule++)
				expect_known(rule->calls);
		}
	}
}

static int make_page(void **state)
{
	(void)state;
	page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	test_pid = getpid();
	return page == MAP_FAILED;
}

int main(void)
{
	const struct CMUnitTest all[] = {
		cmocka_unit_test(test_names), cmocka_unit_test(test_each_call),
		cmocka_unit_test(test_abort), cmocka_unit_test(test_resolver),
		cmocka_unit_test(test_texts), cmocka_unit_test(test_tool),
	};
	const struct CMUnitTest names[] = {cmocka_unit_test(test_names)};
	const char *preload = getenv("LD_PRELOAD");

	/* Behind a list valgrind cannot work, either. */
	if (preload && strstr(preload, "valgrind"))
		return cmocka_run_group_tests_name("base sandbox", names, make_page, NULL);
	return cmocka_run_group_tests_name("base sandbox", all, make_page, NULL);
}
