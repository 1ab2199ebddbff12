/* SPDX-License-Identifier: BSD-2-Clause */
/* A network with one device as those that tunnels go out by. */
#ifndef DTCP_TESTS_UNIT_FASTPATH_UPLINK_H
#define DTCP_TESTS_UNIT_FASTPATH_UPLINK_H

/*
 * Gives this process a network of its own, in which 192.0.2.0/24 is behind an Ethernet device, and
 * 192.0.2.1 is here. The device lives as long as the descriptor that is returned.
 */
int uplink_open(unsigned int *index);

#endif
