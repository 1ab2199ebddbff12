/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The system calls that each process may make, in groups with one purpose each. A missing call that
 * is needed is a bug and ends the program; a call that is not needed is one more that a taken-over
 * process has. So each group says what needs it. Calls of one rule do the same for different
 * kernels, C libraries and machines (fcntl64 is fcntl of 32-bit ones).
 *
 * Not in any list, with the effect: openat, unlink and all other calls with a path (no file is read
 * or made, whatever the user's permissions), except for the process with the database, and for
 * folders in dtcpweb; execve, fork, clone (no program, no process); kill, ptrace, process_vm_readv
 * (other processes of the same user); ioctl except one query (terminals, devices); bpf, io_uring,
 * keyctl, userfaultfd, perf_event_open, mount, unshare and the like (the parts of the kernel with
 * most vulnerabilities).
 */
#include "process/sandbox_rules.h"

#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/futex.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>

/* The bits of socket(2)'s second argument that are not flags. */
#define SOCK_TYPE 0xfu

#define OPTION(l, o)	CALL_IF("setsockopt", ARG(1, ALL, l), ARG(2, ALL, o))
#define SOCKET(f, t, p) CALL_IF("socket", ARG(0, ALL, f), ARG(1, SOCK_TYPE, t), ARG(2, ALL, p))

/* malloc, which also maps and returns large blocks. No writable memory can be executed. */
static const struct sandbox_rule memory_rules[] = {
	CALL("brk munmap mremap"),
	CALL_IF("mmap mmap2 mprotect", ARG(2, PROT_EXEC, 0)),
	CALL_IF("madvise", ARG(2, ALL, MADV_DONTNEED)),
	CALL_IF("madvise", ARG(2, ALL, MADV_FREE)),	/* other C libraries */
	CALL_IF("madvise", ARG(2, ALL, MADV_HUGEPAGE)), /* with GLIBC_TUNABLES */
	SANDBOX_END,
};

/* libevent's loop: waiting for descriptors and timeouts. */
static const struct sandbox_rule loop_rules[] = {
	CALL("epoll_create1 epoll_create epoll_ctl"),
	CALL("epoll_wait epoll_pwait epoll_pwait2"),
	CALL("poll ppoll ppoll_time64"),
	CALL("pipe2"),			       /* libevent's own, for signals */
	CALL("getuid geteuid getgid getegid"), /* before it looks at its environment variables */
	CALL("close"),
	CALL_IF("fcntl fcntl64", ARG(1, ALL, F_GETFL)),
	CALL_IF("fcntl fcntl64", ARG(1, ALL, F_SETFL)),
	CALL_IF("fcntl fcntl64", ARG(1, ALL, F_GETFD)),
	CALL_IF("fcntl fcntl64", ARG(1, ALL, F_SETFD)),
	CALL("restart_syscall"),	/* the kernel's, after SIGSTOP and SIGCONT */
	CALL("rt_sigreturn sigreturn"), /* after a signal handler, of a debugger or profiler */
	SANDBOX_END,
};

/*
 * Clocks, if the kernel does not provide them without a call; and locks of libraries, for which a
 * single-threaded process never waits.
 */
static const struct sandbox_rule time_rules[] = {
	CALL("clock_gettime clock_gettime64 gettimeofday time"),
	CALL_IF("futex futex_time64", ARG(1, FUTEX_CMD_MASK, FUTEX_WAIT)),
	CALL_IF("futex futex_time64", ARG(1, FUTEX_CMD_MASK, FUTEX_WAKE)),
	SANDBOX_END,
};

/* Random numbers, and the check that the process has not forked since seeding (libcrypto). */
static const struct sandbox_rule random_rules[] = {
	CALL("getrandom getpid"),
	SANDBOX_END,
};

/*
 * The channels to the other processes, the pipe of the log, route queries, and the packet socket.
 * Sending with MSG_FASTOPEN would connect.
 */
static const struct sandbox_rule channel_rules[] = {
	CALL("recvmsg write"),
	CALL_IF("sendmsg", ARG(2, MSG_FASTOPEN, 0)),
	SANDBOX_END,
};

/*
 * Exit, normally or by abort(), whose signal can be sent to this process only, see
 * sandbox_filter().
 */
static const struct sandbox_rule end_rules[] = {
	CALL("exit_group exit rt_sigprocmask gettid"),
	CALL_IF("rt_sigaction", ARG(0, ALL, SIGABRT)),
	SANDBOX_END,
};

/*
 * The size of the counter page before it is mapped. By descriptor: the path must be empty, or is
 * one in the empty root directory.
 */
static const struct sandbox_rule page_rules[] = {
	CALL("fstat fstat64"),
	CALL_IF("newfstatat fstatat64", ARG(3, AT_EMPTY_PATH, AT_EMPTY_PATH)), /* glibc's fstat */
	CALL_IF("statx", ARG(2, AT_EMPTY_PATH, AT_EMPTY_PATH)),
	SANDBOX_END,
};

/*
 * Established TCP connections: libevent's buffered reading and writing. A listening socket with
 * both directions shut down could be connected, as could one by sending with MSG_FASTOPEN.
 */
static const struct sandbox_rule tcp_rules[] = {
	CALL("read readv recvfrom recv writev getsockname getpeername"),
	CALL_IF("sendto send", ARG(3, MSG_FASTOPEN, 0)),
	CALL_IF("shutdown", ARG(1, ALL, SHUT_WR)),
	CALL_IF("getsockopt", ARG(1, ALL, SOL_SOCKET), ARG(2, ALL, SO_ERROR)),
	CALL_IF("ioctl", ARG(1, ALL, FIONREAD)),
	OPTION(SOL_SOCKET, SO_KEEPALIVE),
	OPTION(SOL_SOCKET, SO_LINGER),
	OPTION(SOL_SOCKET, SO_RCVBUF),
	OPTION(SOL_SOCKET, SO_SNDBUF),
	OPTION(IPPROTO_TCP, TCP_NODELAY),
	OPTION(IPPROTO_TCP, TCP_KEEPIDLE),
	OPTION(IPPROTO_TCP, TCP_KEEPINTVL),
	OPTION(IPPROTO_TCP, TCP_KEEPCNT),
	OPTION(IPPROTO_TCP, TCP_USER_TIMEOUT),
	SANDBOX_END,
};

/* The server's listening socket, which the root process has opened. */
static const struct sandbox_rule accept_rules[] = {
	CALL("accept4 accept"), /* libevent, if the kernel lacks accept4 */
	SANDBOX_END,
};

/* The control socket: connections to it, and the identity of their peers. */
static const struct sandbox_rule ctl_rules[] = {
	CALL("accept4"),
	CALL_IF("getsockopt", ARG(1, ALL, SOL_SOCKET), ARG(2, ALL, SO_PEERCRED)),
	SANDBOX_END,
};

/*
 * The client's connection to the server, which it can also reset, and the query of the local
 * address that leads there.
 */
static const struct sandbox_rule connect_rules[] = {
	SOCKET(AF_INET, SOCK_STREAM, 0),
	SOCKET(AF_INET, SOCK_DGRAM, 0),
	CALL("connect"),
	CALL_IF("shutdown", ARG(1, ALL, SHUT_RDWR)),
	SANDBOX_END,
};

/* Packets, in batches; error reports; and fields of the outer header. */
static const struct sandbox_rule packet_rules[] = {
	CALL("readv writev recvmmsg recvmmsg_time64 sendmmsg"),
	OPTION(IPPROTO_IP, IP_TTL),
	OPTION(IPPROTO_IP, IP_RECVERR),
	OPTION(IPPROTO_IP, IP_RECVTOS),
	OPTION(IPPROTO_IP, IP_PKTINFO),
	OPTION(IPPROTO_IP, IP_MTU_DISCOVER),
	OPTION(IPPROTO_UDP, UDP_GRO),
	SANDBOX_END,
};

/*
 * SQLite: files below the root directory, which is the database's own folder; locks of parts of
 * them; and waiting for a lock. A new file gets the database's mode, whatever the umask.
 */
static const struct sandbox_rule database_rules[] = {
	CALL("open openat unlink unlinkat access faccessat readlink readlinkat getcwd"),
	CALL("stat lstat fstat newfstatat stat64 lstat64 fstat64 fstatat64 statx"),
	CALL("read pread64 pwrite64 lseek _llseek ftruncate ftruncate64 fallocate"),
	CALL("fsync fdatasync fchmod"),
	CALL_IF("fcntl fcntl64", ARG(1, ALL, F_SETLK)),
	CALL_IF("fcntl fcntl64", ARG(1, ALL, F_GETLK)),
	CALL_IF("fcntl64", ARG(1, ALL, F_SETLK64)),
	CALL_IF("fcntl64", ARG(1, ALL, F_GETLK64)),
	CALL("nanosleep clock_nanosleep clock_nanosleep_time64"),
	SANDBOX_END,
};

/*
 * dtcpweb: finding control sockets (a folder can be listed, but no file opened), and connections to
 * them; resetting its own connections that take too long.
 */
static const struct sandbox_rule ask_rules[] = {
	CALL_IF("open", ARG(1, O_ACCMODE | O_DIRECTORY | O_CREAT, O_DIRECTORY)),
	CALL_IF("openat", ARG(2, O_ACCMODE | O_DIRECTORY | O_CREAT, O_DIRECTORY)),
	CALL("getdents64 getdents"),
	CALL("lstat lstat64 newfstatat fstatat64 statx"),
	CALL("sysinfo"), /* qsort(3) of a long list */
	SOCKET(AF_UNIX, SOCK_STREAM, 0),
	SOCKET(AF_UNIX, SOCK_DGRAM, 0), /* its own log: syslog, journal */
	CALL("connect"),
	CALL_IF("shutdown", ARG(1, ALL, SHUT_RDWR)),
	SANDBOX_END,
};

/*
 * dtcpctl: answers of daemons, its output, and the terminal, into which it cannot insert input
 * (TIOCSTI). curses has handlers for signals, and stops itself at ^Z. What libraries try besides,
 * such as to read a file, fails.
 */
static const struct sandbox_rule tool_rules[] = {
	CALL("read readv write writev recvfrom recv lseek _llseek"),
	CALL_IF("sendto send", ARG(3, MSG_FASTOPEN, 0)),
	CALL("nanosleep clock_nanosleep clock_nanosleep_time64"),
	CALL_IF("ioctl", ARG(1, ALL, TCGETS)),
	CALL_IF("ioctl", ARG(1, ALL, TCSETS)),
	CALL_IF("ioctl", ARG(1, ALL, TCSETSW)),
	CALL_IF("ioctl", ARG(1, ALL, TCSETSF)),
	/* The same for later C libraries, with struct termios2. */
	CALL_IF("ioctl", ARG(1, ALL, _IOR('T', 0x2a, char[44]))),
	CALL_IF("ioctl", ARG(1, ALL, _IOW('T', 0x2b, char[44]))),
	CALL_IF("ioctl", ARG(1, ALL, _IOW('T', 0x2c, char[44]))),
	CALL_IF("ioctl", ARG(1, ALL, _IOW('T', 0x2d, char[44]))),
	CALL_IF("ioctl", ARG(1, ALL, TIOCGWINSZ)),
	CALL_IF("ioctl", ARG(1, ALL, TCFLSH)),
	CALL("rt_sigaction sigaction rt_sigprocmask"),
	CALL_IF("kill", ARG(0, ALL, 0), ARG(1, ALL, SIGTSTP)),
	CALL("sysinfo"), /* qsort(3) of a long list */
	SANDBOX_END,
};

/* "dtcpctl watch": reconnects to a daemon that was restarted. */
static const struct sandbox_rule again_rules[] = {
	SOCKET(AF_UNIX, SOCK_STREAM, 0),
	CALL("connect"),
	SANDBOX_END,
};

/*
 * The fast path: entries of the maps that the root process has made and passed on, and nothing else
 * of bpf(2). Without the right to load programs, these two commands are limited to its descriptors.
 */
static const struct sandbox_rule map_rules[] = {
	CALL_IF("bpf", ARG(0, ALL, BPF_MAP_UPDATE_ELEM)),
	CALL_IF("bpf", ARG(0, ALL, BPF_MAP_DELETE_ELEM)),
	SANDBOX_END,
};

#if SANDBOX_SANITIZED
/* AddressSanitizer and UBSan: checking, and their reports. */
static const struct sandbox_rule sanitizer_rules[] = {
	CALL("mmap mprotect madvise futex open openat read pread64 lseek stat lstat fstat"),
	CALL("newfstatat access readlink readlinkat getcwd mkdir sigaltstack rt_sigaction"),
	CALL("sched_yield getrlimit prlimit64 sched_getaffinity prctl personality gettid"),
	CALL("dup dup2 ioctl nanosleep clock_nanosleep"),
	SANDBOX_END,
};
#define SANITIZER sanitizer_rules,
#else
#define SANITIZER
#endif

/* Groups of every process. */
#define COMMON                                                                                     \
	SANITIZER memory_rules, loop_rules, time_rules, random_rules, channel_rules, end_rules

static const struct sandbox_rule *const client_control[] = {COMMON,    tcp_rules,  connect_rules,
							    ctl_rules, page_rules, NULL};
static const struct sandbox_rule *const server_control[] = {COMMON,    tcp_rules,  accept_rules,
							    ctl_rules, page_rules, NULL};
static const struct sandbox_rule *const forward[] = {COMMON, packet_rules, map_rules, page_rules,
						     NULL};
static const struct sandbox_rule *const accounts[] = {COMMON, database_rules, NULL};

/* Solicitations are read and answered by the same calls as messages. */
static const struct sandbox_rule *const server_ndp[] = {COMMON, NULL};
static const struct sandbox_rule *const web[] = {COMMON,     tcp_rules, accept_rules,
						 page_rules, ask_rules, NULL};

/* What every process needs, but for channels. */
#define TOOL                                                                                       \
	SANITIZER memory_rules, loop_rules, time_rules, random_rules, end_rules, page_rules,       \
		tool_rules

static const struct sandbox_rule *const look[] = {TOOL, NULL};
static const struct sandbox_rule *const watch[] = {TOOL, again_rules, NULL};

const struct sandbox_rule *const *sandbox_groups(enum sandbox_kind kind)
{
	switch (kind) {
	case SANDBOX_CLIENT_CONTROL:
		return client_control;
	case SANDBOX_SERVER_CONTROL:
		return server_control;
	case SANDBOX_CLIENT_FORWARD:
	case SANDBOX_SERVER_FORWARD:
		return forward;
	case SANDBOX_SERVER_NDP:
		return server_ndp;
	case SANDBOX_SERVER_ACCOUNTS:
		return accounts;
	case SANDBOX_CLIENT_RESOLVER:
		return sandbox_resolver;
	case SANDBOX_WEB:
		return web;
	case SANDBOX_LOOK:
		return look;
	case SANDBOX_WATCH:
		return watch;
	}
	return NULL;
}
