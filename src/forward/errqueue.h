/* SPDX-License-Identifier: BSD-2-Clause */
/* What the network and the kernel report about packets sent earlier: a socket's error queue. */
#ifndef DTCP_FORWARD_ERRQUEUE_H
#define DTCP_FORWARD_ERRQUEUE_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

struct errqueue_report {
	struct in_addr peer; /* where the packet was sent */
	uint16_t port;	     /* host byte order; 0 on a raw socket, and if icmp is false */
	bool icmp;	     /* told by the network; else found out here */
	bool too_big;
	uint32_t mtu; /* with too_big: octets that would pass, 0 if unknown */
};

/* Takes the next report off the queue. False if there is none. */
bool errqueue_next(int fd, struct errqueue_report *out);

#endif
