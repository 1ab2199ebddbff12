/* SPDX-License-Identifier: BSD-2-Clause */
/* Reports of the network and the kernel about packets sent earlier: a socket's error queue. */
#ifndef DTCP_FORWARD_ERRQUEUE_H
#define DTCP_FORWARD_ERRQUEUE_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

struct errqueue_report {
	struct in_addr peer; /* destination of the packet */
	uint16_t port;	     /* host byte order; 0 on a raw socket, and if icmp is false */
	bool icmp;	     /* reported by the network; otherwise found locally */
	bool too_big;
	uint32_t mtu; /* with too_big: largest size that passes, octets; 0: unknown */
};

/* Takes the next report from the queue. False if there is none. */
bool errqueue_next(int fd, struct errqueue_report *out);

#endif
