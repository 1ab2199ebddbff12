/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A packet received from outside, with what its socket knows about it. From here on the rules are
 * the same for both transports.
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
	struct table_peer peer; /* the transport and the sender */
	struct in_addr local;	/* its destination; 0 if unknown */
	struct outer *outer; /* the socket it was received on; NULL in tests of the rules alone */
	uint8_t tos;	     /* of the outer header */
	uint8_t *payload; /* may be changed in place; NULL if it was not a complete IPv4 packet */
	size_t len;
};

/* Fills it from the n octets of an IPv4 packet with its header, as from a raw socket. */
void arrival_from_ipv4(uint8_t *packet, size_t n, struct arrival *out);

/*
 * Fills it from n octets of payload and the ancillary data of a UDP socket. These may be several
 * datagrams that the kernel has merged: returns the octets of each but the last, which may be
 * shorter; more than n if there is only one. payload and len are those of all.
 */
size_t arrival_from_udp(uint8_t *payload, size_t n, struct msghdr *msg,
			const struct sockaddr_in *peer, struct arrival *out);

#endif
