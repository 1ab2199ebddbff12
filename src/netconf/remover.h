/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Removes interfaces in a process of its own, since the caller would be blocked in the kernel for
 * tens of milliseconds.
 */
#ifndef DTCP_NETCONF_REMOVER_H
#define DTCP_NETCONF_REMOVER_H

#include <stddef.h>
#include <sys/types.h>

/*
 * Starts it. Returns the process id, or -errno after logging. When the process has ended with
 * status 0, the interfaces have been removed; otherwise it has logged the reason.
 */
pid_t remover_start(const unsigned int index[], size_t n);

#endif
