/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the client's resolver may not do. The system's resolver loads modules that this machine has
 * been set up with (nsswitch.conf), which read files and talk to daemons; nobody can say which
 * calls they make. So this is a list of what none of them has a reason for, and the calls fail with
 * EPERM rather than end the process.
 */
#include "process/sandbox_rules.h"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/shm.h>
#include <sys/socket.h>

#define FAMILY(f) CALL_IF("socket", ARG(0, ALL, f))

/* Other programs and processes; a thread is one as well. */
static const struct sandbox_rule process_rules[] = {
	CALL("execve"),
	CALL("execveat"),
	CALL("fork"),
	CALL("vfork"),
	CALL("clone"),
	CALL("clone3"),
	CALL("ptrace"),
	CALL("process_vm_readv"),
	CALL("process_vm_writev"),
	CALL("process_madvise"),
	CALL("process_mrelease"),
	CALL("kcmp"),
	CALL("pidfd_open"),
	CALL("pidfd_getfd"),
	CALL("pidfd_send_signal"),
	CALL("tkill"),
	CALL_IF("fcntl", ARG(1, ALL, F_SETOWN)), /* whose descriptors are ready */
	CALL_IF("fcntl", ARG(1, ALL, F_SETOWN_EX)),
	CALL_IF("fcntl", ARG(1, ALL, F_SETSIG)),
	CALL_IF("fcntl64", ARG(1, ALL, F_SETOWN)),
	CALL_IF("fcntl64", ARG(1, ALL, F_SETOWN_EX)),
	CALL_IF("fcntl64", ARG(1, ALL, F_SETSIG)),
	CALL_IF("ioctl", ARG(1, ALL, FIOSETOWN)),
	CALL_IF("ioctl", ARG(1, ALL, SIOCSPGRP)),
	CALL("setpriority"),
	CALL("ioprio_set"),
	CALL("sched_setscheduler"),
	CALL("sched_setparam"),
	CALL("sched_setattr"),
	CALL("sched_setaffinity"),
	CALL("migrate_pages"),
	CALL("move_pages"),
};

/* Code of its own: what is in memory, and not in a file, is not executed. */
static const struct sandbox_rule code_rules[] = {
	CALL_IF("mmap", ARG(2, PROT_EXEC, PROT_EXEC), ARG(3, MAP_ANONYMOUS, MAP_ANONYMOUS)),
	CALL_IF("mmap2", ARG(2, PROT_EXEC, PROT_EXEC), ARG(3, MAP_ANONYMOUS, MAP_ANONYMOUS)),
	CALL_IF("mprotect", ARG(2, PROT_EXEC, PROT_EXEC)),
	CALL_IF("pkey_mprotect", ARG(2, PROT_EXEC, PROT_EXEC)),
	CALL_IF("shmat", ARG(2, SHM_EXEC, SHM_EXEC)),
	CALL_IF("prctl", ARG(0, ALL, PR_SET_DUMPABLE)), /* then it could write to /proc/self/mem */
	CALL("memfd_create"),
	CALL("personality"),
	CALL("modify_ldt"),
};

/* Waiting for others' connections, and sockets that are not for asking. */
static const struct sandbox_rule socket_rules[] = {
	CALL("listen"),	   CALL("accept"),
	CALL("accept4"),   FAMILY(AF_AX25),
	FAMILY(AF_IPX),	   FAMILY(AF_APPLETALK),
	FAMILY(AF_NETROM), FAMILY(AF_ATMPVC),
	FAMILY(AF_X25),	   FAMILY(AF_ROSE),
	FAMILY(AF_KEY),	   FAMILY(AF_PACKET),
	FAMILY(AF_ATMSVC), FAMILY(AF_RDS),
	FAMILY(AF_LLC),	   FAMILY(AF_CAN),
	FAMILY(AF_TIPC),   FAMILY(AF_BLUETOOTH),
	FAMILY(AF_IUCV),   FAMILY(AF_RXRPC),
	FAMILY(AF_PHONET), FAMILY(AF_IEEE802154),
	FAMILY(AF_CAIF),   FAMILY(AF_ALG),
	FAMILY(AF_NFC),	   FAMILY(AF_VSOCK),
	FAMILY(AF_KCM),	   FAMILY(AF_QIPCRTR),
	FAMILY(AF_SMC),	   FAMILY(AF_XDP),
	FAMILY(AF_MCTP),   CALL_IF("ioctl", ARG(1, ALL, TIOCSTI)),
};

/* The parts of the kernel where most holes were found; and what needs privileges, which it has not.
 */
static const struct sandbox_rule kernel_rules[] = {
	CALL("bpf"),
	CALL("io_uring_setup"),
	CALL("io_uring_enter"),
	CALL("io_uring_register"),
	CALL("userfaultfd"),
	CALL("perf_event_open"),
	CALL("keyctl"),
	CALL("add_key"),
	CALL("request_key"),
	CALL("mount"),
	CALL("umount2"),
	CALL("pivot_root"),
	CALL("move_mount"),
	CALL("open_tree"),
	CALL("fsopen"),
	CALL("fsconfig"),
	CALL("fsmount"),
	CALL("fspick"),
	CALL("mount_setattr"),
	CALL("chroot"),
	CALL("unshare"),
	CALL("setns"),
	CALL("name_to_handle_at"),
	CALL("open_by_handle_at"),
	CALL("fanotify_init"),
	CALL("quotactl"),
	CALL("acct"),
	CALL("swapon"),
	CALL("swapoff"),
	CALL("init_module"),
	CALL("finit_module"),
	CALL("delete_module"),
	CALL("kexec_load"),
	CALL("kexec_file_load"),
	CALL("reboot"),
	CALL("syslog"),
	CALL("settimeofday"),
	CALL("clock_settime"),
	CALL("clock_adjtime"),
	CALL("adjtimex"),
	CALL("sethostname"),
	CALL("setdomainname"),
};

static const struct sandbox_group processes = GROUP("other processes", process_rules);
static const struct sandbox_group code = GROUP("code of its own", code_rules);
static const struct sandbox_group sockets = GROUP("other sockets", socket_rules);
static const struct sandbox_group kernel = GROUP("the kernel", kernel_rules);

const struct sandbox_group *const sandbox_resolver[] = {&processes, &code, &sockets, &kernel, NULL};
