/* SPDX-License-Identifier: BSD-2-Clause */
#include "forward/arrival.h"

#include <arpa/inet.h>
#include <netinet/udp.h>
#include <string.h>

#define IPV4_HEADER 20

void arrival_from_ipv4(uint8_t *packet, size_t n, struct arrival *out)
{
	*out = (struct arrival){.peer.transport = FORWARD_PROTO41};
	if (n < IPV4_HEADER)
		return;

	size_t header = (size_t)(packet[0] & 0x0f) * 4;

	if (packet[0] >> 4 != 4 || header < IPV4_HEADER || n < header)
		return;
	out->tos = packet[1];
	memcpy(&out->peer.address, packet + 12, sizeof(out->peer.address));
	memcpy(&out->local, packet + 16, sizeof(out->local));
	out->payload = packet + header;
	out->len = n - header;
}

size_t arrival_from_udp(uint8_t *payload, size_t n, struct msghdr *msg,
			const struct sockaddr_in *peer, struct arrival *out)
{
	int size = 0;

	*out = (struct arrival){
		.peer = {FORWARD_UDP, peer->sin_addr, ntohs(peer->sin_port)},
		.payload = payload,
		.len = n,
	};
	for (struct cmsghdr *cmsg = CMSG_FIRSTHDR(msg); cmsg; cmsg = CMSG_NXTHDR(msg, cmsg)) {
		struct in_pktinfo info;

		if (cmsg->cmsg_level == IPPROTO_UDP && cmsg->cmsg_type == UDP_GRO &&
		    cmsg->cmsg_len >= CMSG_LEN(sizeof(size)))
			memcpy(&size, CMSG_DATA(cmsg), sizeof(size));
		if (cmsg->cmsg_level != IPPROTO_IP)
			continue;
		if (cmsg->cmsg_type == IP_TOS && cmsg->cmsg_len >= CMSG_LEN(1)) {
			out->tos = *CMSG_DATA(cmsg);
		} else if (cmsg->cmsg_type == IP_PKTINFO &&
			   cmsg->cmsg_len >= CMSG_LEN(sizeof(info))) {
			memcpy(&info, CMSG_DATA(cmsg), sizeof(info));
			out->local = info.ipi_addr;
		}
	}
	return size > 0 ? (size_t)size : n + 1;
}
