/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A packet as it arrived from outside: what its socket knows of it. From here on the rules are the
 * same for both transports.
 */
#ifndef DTCP_FORWARD_ARRIVAL_H
#define DTCP_FORWARD_ARRIVAL_H

#include "forward/table.h"

#include <netinet/in.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

struct outer;

struct arrival {
	struct table_peer peer; /* the transport, and who sent it */
	struct in_addr local;	/* where it was sent; 0 if that is not known */
	struct outer *outer;	/* the socket that it came to; NULL in tests of the rules alone */
	uint8_t tos;		/* of the outer header */
	uint8_t *payload;	/* may be changed in place; NULL if it was no whole IPv4 packet */
	size_t len;
};

/* From the n octets of an IPv4 packet with its header, as a raw socket gives it. */
void arrival_from_ipv4(uint8_t *packet, size_t n, struct arrival *out);

/*
 * From n octets of payload and what came with them from a UDP socket. They may be several datagrams
 * that the kernel has merged: returns the octets of each but the last, which may have less, above n
 * if there is one only. payload and len are those of all.
 */
size_t arrival_from_udp(uint8_t *payload, size_t n, struct msghdr *msg,
			const struct sockaddr_in *peer, struct arrival *out);

#endif
