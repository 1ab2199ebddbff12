/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sockets outside of the tunnels that only root can open, for the processes that read from the
 * network; and a check of this machine's addresses.
 */
#ifndef DTCP_NETCONF_SOCKETS_H
#define DTCP_NETCONF_SOCKETS_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

/* True if that address is one of this machine. */
bool sockets_is_here(struct in_addr addr);

/* Each of these returns a descriptor (close-on-exec, non-blocking), or -errno after logging. */

/* The raw socket for protocol 41 (RFC 4213). */
int sockets_raw_socket(void);

/* A UDP socket bound to port of addr; port 0: any free one. *bound is its port. */
int sockets_udp_socket(struct in_addr addr, uint16_t port, uint16_t *bound);

/*
 * A listening IPv4 TCP socket. Its connections inherit small buffers, and end when the peer has not
 * acknowledged data for silence seconds.
 */
int sockets_listener(struct in_addr addr, uint16_t port, uint32_t silence);

/* A zeroed memory file of size bytes, and a second, read-only descriptor of it in *reader. */
int sockets_counter_page(size_t size, int *reader);

#endif
