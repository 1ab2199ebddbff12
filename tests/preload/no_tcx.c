/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A kernel before Linux 6.6, as far as a program with this in LD_PRELOAD can see: it knows no TCX,
 * so programs of its kind are joined to a device by filters.
 */
#include <dlfcn.h>
#include <errno.h>
#include <linux/bpf.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

static long (*no_tcx_syscall)(long number, ...);

__attribute__((constructor)) static void no_tcx_init(void)
{
	*(void **)&no_tcx_syscall = dlsym(RTLD_NEXT, "syscall");
	if (!no_tcx_syscall)
		abort();
}

long syscall(long number, ...)
{
	long words[6];
	va_list ap;

	/* As many as there can be: the kernel looks at those that it needs. */
	va_start(ap, number);
	for (int i = 0; i < 6; i++)
		words[i] = va_arg(ap, long);
	va_end(ap);
	if (number == SYS_bpf && (int)words[0] == BPF_LINK_CREATE) {
		errno = EINVAL;
		return -1;
	}
	return no_tcx_syscall(number, words[0], words[1], words[2], words[3], words[4], words[5]);
}
