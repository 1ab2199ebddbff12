/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Removes interfaces in a process of its own. The kernel takes tens of milliseconds for it, in
 * which whoever has asked can do nothing else.
 */
#ifndef DTCP_NETCONF_REMOVER_H
#define DTCP_NETCONF_REMOVER_H

#include <stddef.h>
#include <sys/types.h>

/*
 * Starts it. Returns the process id or -errno, after logging. When the process has ended with
 * status 0, the interfaces are gone; else it has logged why not.
 */
pid_t remover_start(const unsigned int index[], size_t n);

#endif
