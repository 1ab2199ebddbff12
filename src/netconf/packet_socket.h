/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The socket by which neighbour solicitations are read and answered. Nobody can be in the multicast
 * groups of all addresses of a prefix, so the interface takes in all of them, and a filter in the
 * kernel lets nothing but solicitations through.
 */
#ifndef DTCP_NETCONF_PACKET_SOCKET_H
#define DTCP_NETCONF_PACKET_SOCKET_H

/*
 * Opens one that reads nothing yet. Packets of it have no link-layer header. Returns a descriptor
 * (close-on-exec, non-blocking) or -errno after logging why.
 */
int packet_socket_open(void);

/*
 * From now on it reads from the interface with this index, and from that only. Needs no privilege,
 * unlike opening it. When the interface goes away, it reads nothing until it is bound again; one
 * that is set down and up stays. Returns 0 or -errno after logging why.
 */
int packet_socket_bind(int fd, unsigned int index);

#endif
