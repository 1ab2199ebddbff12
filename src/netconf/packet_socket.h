/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The socket for neighbour solicitations and the answers to them. Nobody can join the multicast
 * groups of all addresses of a prefix, so the interface receives all multicast, and a filter in the
 * kernel passes only solicitations.
 */
#ifndef DTCP_NETCONF_PACKET_SOCKET_H
#define DTCP_NETCONF_PACKET_SOCKET_H

/*
 * Opens a socket that receives nothing yet. Its packets have no link-layer header. Returns a
 * descriptor (close-on-exec, non-blocking), or -errno after logging.
 */
int packet_socket_open(void);

/*
 * Binds it to the interface with this index. Unlike opening it, this needs no privilege. When the
 * interface is removed, the socket receives nothing until it is bound again; setting the interface
 * down and up has no effect. Returns 0, or -errno after logging.
 */
int packet_socket_bind(int fd, unsigned int index);

#endif
