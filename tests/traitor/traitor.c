/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A room that has been taken over. Linked to a whole program, of which nothing is changed, it waits
 * for a signal in each of its processes, and then tries in the middle of whatever the room is doing
 * what an attacker would try there. The value that comes with the signal (sigqueue(3)) says what.
 * Whoever is still alive afterwards says so.
 */
#include "tests/traitor/traitor.h"

#include "process/process.h"

#include <fcntl.h>
#include <linux/bpf.h>
#include <signal.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

static pid_t traitor_parent;

/* Calls the kernel itself, so that no library stands between. */
static void traitor_call(enum treason treason)
{
	static char page[8192];
	static char *const argv[] = {NULL};

	switch ((int)treason) {
	case TREASON_OPEN:
		(void)syscall(SYS_openat, AT_FDCWD, "/etc/passwd", O_RDONLY);
		break;
	case TREASON_EXECVE:
		(void)syscall(SYS_execve, "/bin/true", argv, argv);
		break;
	case TREASON_FORK:
		if (syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0) == 0)
			_exit(0);
		break;
	case TREASON_SOCKET_INET6:
		(void)syscall(SYS_socket, AF_INET6, SOCK_STREAM, 0);
		break;
	case TREASON_SOCKET_NETLINK:
		(void)syscall(SYS_socket, AF_NETLINK, SOCK_RAW, 0);
		break;
	case TREASON_SOCKET_PACKET:
		(void)syscall(SYS_socket, AF_PACKET, SOCK_RAW, 0);
		break;
	case TREASON_CHROOT:
		(void)syscall(SYS_chroot, "..");
		break;
	case TREASON_SETUID:
		(void)syscall(SYS_setuid, 0);
		break;
	case TREASON_KILL:
		(void)syscall(SYS_kill, traitor_parent, SIGKILL);
		break;
	case TREASON_PTRACE:
		(void)syscall(SYS_ptrace, PTRACE_TRACEME, 0, 0, 0);
		break;
	case TREASON_MPROTECT:
		(void)syscall(SYS_mprotect, ((uintptr_t)page + 4095) & ~(uintptr_t)4095, 4096,
			      PROT_READ | PROT_EXEC);
		break;
	case TREASON_KEYCTL:
		(void)syscall(SYS_keyctl, 0, 0, 0, 0, 0);
		break;
	case TREASON_UNLISTEN:
		(void)syscall(SYS_shutdown, PROCESS_FD, SHUT_RDWR);
		break;
	case TREASON_LOAD_PROGRAM:
		(void)syscall(SYS_bpf, BPF_PROG_LOAD, NULL, 0);
		break;
	case TREASON_MAKE_MAP:
		(void)syscall(SYS_bpf, BPF_MAP_CREATE, NULL, 0);
		break;
	case TREASON_FASTOPEN:
		(void)syscall(SYS_sendto, PROCESS_FD, "", 1, MSG_FASTOPEN | MSG_NOSIGNAL, NULL, 0);
		break;
	default:
		(void)syscall(SYS_mount, "none", "/", "tmpfs", 0, NULL);
		break;
	}
}

static void traitor_on_signal(int signal_number, siginfo_t *info, void *context)
{
	static const char survived[] = "the traitor has survived\n";
	enum treason treason = (enum treason)info->si_value.sival_int;

	(void)signal_number;
	(void)context;
	if (treason < TREASON_WRONG_SIZE)
		traitor_call(treason);
	else
		traitor_tell(treason);
	(void)!write(STDERR_FILENO, survived, sizeof(survived) - 1);
}

/* Before main(), in monitor and again in each room that it starts. */
__attribute__((constructor)) static void traitor_wait(void)
{
	struct sigaction action = {.sa_sigaction = traitor_on_signal, .sa_flags = SA_SIGINFO};

	traitor_parent = getppid();
	(void)sigaction(SIGRTMIN, &action, NULL);
}
