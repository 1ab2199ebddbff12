/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The system calls that the client's resolver must not make. The system's resolver loads the
 * modules configured on this machine (nsswitch.conf), which read files and talk to daemons; nobody
 * can list the calls they make. So this is a list of calls that none of them needs, which fail with
 * EPERM instead of ending the process.
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
	CALL("execve execveat fork vfork clone clone3"),
	CALL("ptrace process_vm_readv process_vm_writev process_madvise process_mrelease kcmp"),
	CALL("pidfd_open pidfd_getfd pidfd_send_signal tkill"),
	CALL_IF("fcntl fcntl64",
		ARG(1, ALL, F_SETOWN)), /* sends signals to the owner of a descriptor */
	CALL_IF("fcntl fcntl64", ARG(1, ALL, F_SETOWN_EX)),
	CALL_IF("fcntl fcntl64", ARG(1, ALL, F_SETSIG)),
	CALL_IF("ioctl", ARG(1, ALL, FIOSETOWN)),
	CALL_IF("ioctl", ARG(1, ALL, SIOCSPGRP)),
	CALL("setpriority ioprio_set sched_setscheduler sched_setparam sched_setattr"),
	CALL("sched_setaffinity migrate_pages move_pages"),
	SANDBOX_END,
};

/* Code injection: memory that is not backed by a file cannot be executed. */
static const struct sandbox_rule code_rules[] = {
	CALL_IF("mmap mmap2", ARG(2, PROT_EXEC, PROT_EXEC), ARG(3, MAP_ANONYMOUS, MAP_ANONYMOUS)),
	CALL_IF("mprotect pkey_mprotect", ARG(2, PROT_EXEC, PROT_EXEC)),
	CALL_IF("shmat", ARG(2, SHM_EXEC, SHM_EXEC)),
	CALL_IF("prctl", ARG(0, ALL, PR_SET_DUMPABLE)), /* would allow writing to /proc/self/mem */
	CALL("memfd_create personality modify_ldt"),
	SANDBOX_END,
};

/* Listening, and sockets that no resolver needs. */
static const struct sandbox_rule socket_rules[] = {
	CALL("listen accept accept4"),
	FAMILY(AF_AX25),
	FAMILY(AF_IPX),
	FAMILY(AF_APPLETALK),
	FAMILY(AF_NETROM),
	FAMILY(AF_ATMPVC),
	FAMILY(AF_X25),
	FAMILY(AF_ROSE),
	FAMILY(AF_KEY),
	FAMILY(AF_PACKET),
	FAMILY(AF_ATMSVC),
	FAMILY(AF_RDS),
	FAMILY(AF_LLC),
	FAMILY(AF_CAN),
	FAMILY(AF_TIPC),
	FAMILY(AF_BLUETOOTH),
	FAMILY(AF_IUCV),
	FAMILY(AF_RXRPC),
	FAMILY(AF_PHONET),
	FAMILY(AF_IEEE802154),
	FAMILY(AF_CAIF),
	FAMILY(AF_ALG),
	FAMILY(AF_NFC),
	FAMILY(AF_VSOCK),
	FAMILY(AF_KCM),
	FAMILY(AF_QIPCRTR),
	FAMILY(AF_SMC),
	FAMILY(AF_XDP),
	FAMILY(AF_MCTP),
	CALL_IF("ioctl", ARG(1, ALL, TIOCSTI)),
	SANDBOX_END,
};

/*
 * The parts of the kernel with most vulnerabilities; and calls that need privileges, which it does
 * not have.
 */
static const struct sandbox_rule kernel_rules[] = {
	CALL("bpf io_uring_setup io_uring_enter io_uring_register userfaultfd perf_event_open"),
	CALL("keyctl add_key request_key"),
	CALL("mount umount2 pivot_root move_mount open_tree fsopen fsconfig fsmount fspick"),
	CALL("mount_setattr chroot unshare setns name_to_handle_at open_by_handle_at"),
	CALL("fanotify_init quotactl acct swapon swapoff reboot syslog"),
	CALL("init_module finit_module delete_module kexec_load kexec_file_load"),
	CALL("settimeofday clock_settime clock_adjtime adjtimex sethostname setdomainname"),
	SANDBOX_END,
};

const struct sandbox_rule *const sandbox_resolver[] = {process_rules, code_rules, socket_rules,
						       kernel_rules, NULL};
