/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The system calls that each process may make, in groups with one purpose each. A call that is
 * missing here and needed is a mistake of ours and ends the program; a call that is here and not
 * needed is one more that a taken-over process has. So each group says what needs it, and what in
 * it is for other C libraries, kernels or machines than the usual ones.
 *
 * Not in any list, and what that is worth: openat, unlink and all other calls with a path (no file
 * is read or made, whatever the user may do); execve, fork, clone (no program, no process); kill,
 * ptrace, process_vm_readv (other processes of the same user); ioctl but for one question
 * (terminals, devices); bpf, io_uring, keyctl, userfaultfd, perf_event_open, mount, unshare and the
 * like (the parts of the kernel where most holes were found).
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

/* The bits of socket(2)'s second argument that are no flags. */
#define SOCK_TYPE 0xfu

#define OPTION(l, o)	CALL_IF("setsockopt", ARG(1, ALL, l), ARG(2, ALL, o))
#define SOCKET(f, t, p) CALL_IF("socket", ARG(0, ALL, f), ARG(1, SOCK_TYPE, t), ARG(2, ALL, p))

/* malloc, which also maps and returns large pieces. Nothing that is written can be executed. */
static const struct sandbox_rule memory_rules[] = {
	CALL("brk"),
	CALL_IF("mmap", ARG(2, PROT_EXEC, 0)),
	CALL_IF("mmap2", ARG(2, PROT_EXEC, 0)), /* 32-bit machines */
	CALL_IF("mprotect", ARG(2, PROT_EXEC, 0)),
	CALL("munmap"),
	CALL("mremap"),
	CALL_IF("madvise", ARG(2, ALL, MADV_DONTNEED)),
	CALL_IF("madvise", ARG(2, ALL, MADV_FREE)),	/* other C libraries */
	CALL_IF("madvise", ARG(2, ALL, MADV_HUGEPAGE)), /* with GLIBC_TUNABLES */
};

/* libevent's loop: waiting for descriptors and times. */
static const struct sandbox_rule loop_rules[] = {
	CALL("epoll_create1"),
	CALL("epoll_create"), /* libevent, where the kernel lacks the other one */
	CALL("epoll_ctl"),
	CALL("epoll_wait"),
	CALL("epoll_pwait"),  /* machines without epoll_wait */
	CALL("epoll_pwait2"), /* libevent 2.2 */
	CALL("poll"),
	CALL("ppoll"),	      /* machines without poll */
	CALL("ppoll_time64"), /* 32-bit machines */
	CALL("pipe2"),	      /* libevent's own, for signals */
	CALL("getuid"),	      /* libevent, before it looks at its environment variables */
	CALL("geteuid"),
	CALL("getgid"),
	CALL("getegid"),
	CALL("close"),
	CALL_IF("fcntl", ARG(1, ALL, F_GETFL)),
	CALL_IF("fcntl", ARG(1, ALL, F_SETFL)),
	CALL_IF("fcntl", ARG(1, ALL, F_GETFD)),
	CALL_IF("fcntl", ARG(1, ALL, F_SETFD)),
	CALL_IF("fcntl64", ARG(1, ALL, F_GETFL)), /* 32-bit machines */
	CALL_IF("fcntl64", ARG(1, ALL, F_SETFL)),
	CALL_IF("fcntl64", ARG(1, ALL, F_GETFD)),
	CALL_IF("fcntl64", ARG(1, ALL, F_SETFD)),
	CALL("restart_syscall"), /* the kernel's, after SIGSTOP and SIGCONT */
	CALL("rt_sigreturn"),	 /* after a signal handler, of a debugger or profiler */
	CALL("sigreturn"),	 /* 32-bit machines */
};

/* Clocks, where the kernel does not answer without a call; and locks of libraries, never waited
 * for by a process with one thread. */
static const struct sandbox_rule time_rules[] = {
	CALL("clock_gettime"),
	CALL("clock_gettime64"), /* 32-bit machines */
	CALL("gettimeofday"),
	CALL("time"),
	CALL_IF("futex", ARG(1, FUTEX_CMD_MASK, FUTEX_WAIT)),
	CALL_IF("futex", ARG(1, FUTEX_CMD_MASK, FUTEX_WAKE)),
	CALL_IF("futex_time64", ARG(1, FUTEX_CMD_MASK, FUTEX_WAIT)), /* 32-bit machines */
	CALL_IF("futex_time64", ARG(1, FUTEX_CMD_MASK, FUTEX_WAKE)),
};

/* Random numbers, and whether this is still the process that they were seeded in (libcrypto). */
static const struct sandbox_rule random_rules[] = {
	CALL("getrandom"),
	CALL("getpid"),
};

/* The channels to the other processes, the pipe that the log goes to, and asking for routes.
 * Sending with MSG_FASTOPEN would connect. */
static const struct sandbox_rule channel_rules[] = {
	CALL("recvmsg"),
	CALL_IF("sendmsg", ARG(2, MSG_FASTOPEN, 0)),
	CALL("write"),
};

/* The end, in good order or by abort(): the signal for that can be sent to this process only, see
 * sandbox_filter(). */
static const struct sandbox_rule end_rules[] = {
	CALL("exit_group"),
	CALL("exit"),
	CALL("rt_sigprocmask"),
	CALL("gettid"),
	CALL_IF("rt_sigaction", ARG(0, ALL, SIGABRT)),
};

/* The size of the counter page before it is mapped. By descriptor: the path must be empty, or is
 * one in the empty root directory. */
static const struct sandbox_rule page_rules[] = {
	CALL("fstat"),
	CALL("fstat64"),					     /* 32-bit machines */
	CALL_IF("newfstatat", ARG(3, AT_EMPTY_PATH, AT_EMPTY_PATH)), /* glibc's fstat */
	CALL_IF("fstatat64", ARG(3, AT_EMPTY_PATH, AT_EMPTY_PATH)),
	CALL_IF("statx", ARG(2, AT_EMPTY_PATH, AT_EMPTY_PATH)),
};

/*
 * TCP connections that are there: libevent's buffered reading and writing. Both directions of a
 * listening socket that are shut down make one of it that can be connected, and sending with
 * MSG_FASTOPEN would do that.
 */
static const struct sandbox_rule tcp_rules[] = {
	CALL("read"),
	CALL("readv"),
	CALL("recvfrom"),
	CALL("recv"), /* 32-bit machines */
	CALL("writev"),
	CALL_IF("sendto", ARG(3, MSG_FASTOPEN, 0)),
	CALL_IF("send", ARG(3, MSG_FASTOPEN, 0)), /* 32-bit machines */
	CALL_IF("shutdown", ARG(1, ALL, SHUT_WR)),
	CALL("getsockname"),
	CALL("getpeername"),
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
};

/* The server's listening socket, which came from root's process and listens already. */
static const struct sandbox_rule accept_rules[] = {
	CALL("accept4"), CALL("accept"), /* libevent, where the kernel lacks the other one */
};

/* The client's connection to the server, which it can also break off, and the question which
 * address leads there. */
static const struct sandbox_rule connect_rules[] = {
	SOCKET(AF_INET, SOCK_STREAM, 0),
	SOCKET(AF_INET, SOCK_DGRAM, 0),
	CALL("connect"),
	CALL_IF("shutdown", ARG(1, ALL, SHUT_RDWR)),
};

/* Packets, in batches; reports of the network; and how the outer header is to be. */
static const struct sandbox_rule packet_rules[] = {
	CALL("readv"),
	CALL("writev"),
	CALL("recvmmsg"),
	CALL("recvmmsg_time64"), /* 32-bit machines */
	CALL("sendmmsg"),
	OPTION(IPPROTO_IP, IP_TTL),
	OPTION(IPPROTO_IP, IP_RECVERR),
	OPTION(IPPROTO_IP, IP_RECVTOS),
	OPTION(IPPROTO_IP, IP_PKTINFO),
	OPTION(IPPROTO_IP, IP_MTU_DISCOVER),
	OPTION(IPPROTO_UDP, UDP_GRO),
};

/*
 * The fast path: entries of the maps that root's process has made and given, and nothing else of bpf(2).
 * Without the right to load programs, these two commands do what their descriptors allow.
 */
static const struct sandbox_rule map_rules[] = {
	CALL_IF("bpf", ARG(0, ALL, BPF_MAP_UPDATE_ELEM)),
	CALL_IF("bpf", ARG(0, ALL, BPF_MAP_DELETE_ELEM)),
};

#if SANDBOX_SANITIZED
/* What AddressSanitizer and UBSan need for their reports, and while they watch. */
static const struct sandbox_rule sanitizer_rules[] = {
	CALL("mmap"),	     CALL("mprotect"),	  CALL("madvise"),     CALL("futex"),
	CALL("open"),	     CALL("openat"),	  CALL("read"),	       CALL("pread64"),
	CALL("lseek"),	     CALL("stat"),	  CALL("lstat"),       CALL("fstat"),
	CALL("newfstatat"),  CALL("access"),	  CALL("readlink"),    CALL("readlinkat"),
	CALL("getcwd"),	     CALL("mkdir"),	  CALL("sigaltstack"), CALL("rt_sigaction"),
	CALL("sched_yield"), CALL("getrlimit"),	  CALL("prlimit64"),   CALL("sched_getaffinity"),
	CALL("prctl"),	     CALL("personality"), CALL("gettid"),      CALL("dup"),
	CALL("dup2"),	     CALL("ioctl"),	  CALL("nanosleep"),   CALL("clock_nanosleep"),
};
#endif

static const struct sandbox_group memory = GROUP("memory", memory_rules);
static const struct sandbox_group loop = GROUP("event loop", loop_rules);
static const struct sandbox_group times = GROUP("time", time_rules);
static const struct sandbox_group randoms = GROUP("random numbers", random_rules);
static const struct sandbox_group channels = GROUP("channels and log", channel_rules);
static const struct sandbox_group ends = GROUP("end", end_rules);
static const struct sandbox_group page = GROUP("counter page", page_rules);
static const struct sandbox_group tcp = GROUP("TCP", tcp_rules);
static const struct sandbox_group accepts = GROUP("accepting", accept_rules);
static const struct sandbox_group connects = GROUP("connecting", connect_rules);
static const struct sandbox_group packets = GROUP("packets", packet_rules);
static const struct sandbox_group maps = GROUP("fast path", map_rules);

#if SANDBOX_SANITIZED
static const struct sandbox_group sanitizer = GROUP("sanitizers", sanitizer_rules);
#define SANITIZER &sanitizer,
#else
#define SANITIZER
#endif

/* What every process needs. */
#define COMMON SANITIZER &memory, &loop, &times, &randoms, &channels, &ends

static const struct sandbox_group *const client_control[] = {COMMON, &tcp, &connects, &page, NULL};
static const struct sandbox_group *const client_forward[] = {COMMON, &packets, &maps, &page, NULL};
static const struct sandbox_group *const server_control[] = {COMMON, &tcp, &accepts, &page, NULL};
static const struct sandbox_group *const server_forward[] = {COMMON, &packets, &maps, &page, NULL};

const struct sandbox_group *const *sandbox_groups(enum sandbox_kind kind)
{
	switch (kind) {
	case SANDBOX_CLIENT_CONTROL:
		return client_control;
	case SANDBOX_CLIENT_FORWARD:
		return client_forward;
	case SANDBOX_CLIENT_RESOLVER:
		return sandbox_resolver;
	case SANDBOX_SERVER_CONTROL:
		return server_control;
	case SANDBOX_SERVER_FORWARD:
		return server_forward;
	}
	return NULL;
}
