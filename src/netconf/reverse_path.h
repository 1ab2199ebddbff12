/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which interface the kernel would send packets to an address through, for a reverse path check
 * (RFC 3704, section 2.2). Needs no privilege.
 */
#ifndef DTCP_NETCONF_REVERSE_PATH_H
#define DTCP_NETCONF_REVERSE_PATH_H

#include <netinet/in.h>
#include <stdbool.h>

/* Opens a socket for the queries, to be handed over; or returns -errno after logging. */
int reverse_path_open(void);

/*
 * True if the kernel's route to addr, or one of several that share its packets, leads to the
 * interface with this index; an address of this machine leads nowhere. Costs two system calls,
 * write and recvmsg, which never block. False also if the kernel does not answer.
 */
bool reverse_path_leads(int fd, const struct in6_addr *addr, unsigned int index);

#endif
