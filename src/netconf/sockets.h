/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What root's process has to do with the network outside of the tunnels: descriptors that only root
 * can make, for the processes that read what comes from there, and which addresses this machine
 * has.
 */
#ifndef DTCP_NETCONF_SOCKETS_H
#define DTCP_NETCONF_SOCKETS_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

/* True if packets to that address are for this machine. */
bool sockets_is_here(struct in_addr addr);

/*
 * Each of these returns a descriptor (close-on-exec, non-blocking) or -errno after logging why.
 */

/* The raw socket for protocol 41 (RFC 4213). */
int sockets_raw_socket(void);

/* A UDP socket on port of addr; port 0 takes a free one. *bound is the port that it has. */
int sockets_udp_socket(struct in_addr addr, uint16_t port, uint16_t *bound);

/*
 * A listening IPv4 TCP socket. Its connections inherit that little waits in them, and that they end
 * when the other side has not taken anything for silence seconds.
 */
int sockets_listener(struct in_addr addr, uint16_t port, uint32_t silence);

/* A zeroed memory file of size bytes, and a second, read-only descriptor of it in *reader. */
int sockets_counter_page(size_t size, int *reader);

#endif
