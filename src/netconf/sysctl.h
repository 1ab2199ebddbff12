/* SPDX-License-Identifier: BSD-2-Clause */
/* Numeric kernel settings below /proc/sys. */
#ifndef DTCP_NETCONF_SYSCTL_H
#define DTCP_NETCONF_SYSCTL_H

/* key is a path below /proc/sys ("net/ipv6/conf/all/forwarding"). Returns 0 or -errno. */
int sysctl_read(const char *key, int *value);
int sysctl_write(const char *key, int value);

#endif
