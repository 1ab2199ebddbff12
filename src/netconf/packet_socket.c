/* SPDX-License-Identifier: BSD-2-Clause */
#include "netconf/packet_socket.h"

#include "base/log.h"
#include "proto/neighbour.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <unistd.h>

/* Loads an octet of the packet, or of its metadata. */
#define LOAD(at) BPF_STMT(BPF_LD | BPF_B | BPF_ABS, (uint32_t)(at))
/* Continues if it has that value, otherwise skips this many instructions. */
#define NEED(value, skip) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)(value), 0, (skip))
#define RETURN(octets)	  BPF_STMT(BPF_RET | BPF_K, (uint32_t)(octets))

/*
 * The first checks the frame: one for another machine, which a switch may have flooded, is not for
 * us; numbers up to PACKET_MULTICAST are for this machine, for all, and for groups.
 */
static struct sock_filter packet_socket_code[] = {
	LOAD(SKF_AD_OFF + SKF_AD_PKTTYPE),
	BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, PACKET_MULTICAST, 7, 0),
	LOAD(NEIGHBOUR_AT_PROTOCOL),
	NEED(NEIGHBOUR_PROTOCOL, 5),
	LOAD(NEIGHBOUR_AT_HOP_LIMIT),
	NEED(NEIGHBOUR_HOP_LIMIT, 3),
	LOAD(NEIGHBOUR_AT_TYPE),
	NEED(NEIGHBOUR_SOLICITATION, 1),
	RETURN(UINT32_MAX),
	RETURN(0),
};

int packet_socket_open(void)
{
	const struct sock_fprog program = {
		.len = sizeof(packet_socket_code) / sizeof(packet_socket_code[0]),
		.filter = packet_socket_code,
	};
	const int on = 1;
	/* Protocol 0: receives nothing before it is bound, and so nothing without the filter. */
	int fd = socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd == -1 ||
	    setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)) == -1 ||
	    setsockopt(fd, SOL_SOCKET, SO_LOCK_FILTER, &on, sizeof(on)) == -1) {
		int error = -errno;

		log_warn("cannot open a packet socket for neighbour solicitations");
		if (fd != -1)
			close(fd);
		return error;
	}
	return fd;
}

int packet_socket_bind(int fd, unsigned int index)
{
	const struct sockaddr_ll local = {
		.sll_family = AF_PACKET,
		.sll_protocol = htons(ETH_P_IPV6),
		.sll_ifindex = (int)index,
	};
	struct packet_mreq groups = {.mr_type = PACKET_MR_ALLMULTI};
	struct sockaddr_ll before = {.sll_ifindex = 0};
	socklen_t len = sizeof(before);

	/* The previous interface may have been removed, and the membership with it. */
	if (getsockname(fd, (struct sockaddr *)&before, &len) == 0 && before.sll_ifindex > 0) {
		groups.mr_ifindex = before.sll_ifindex;
		(void)setsockopt(fd, SOL_PACKET, PACKET_DROP_MEMBERSHIP, &groups, sizeof(groups));
	}
	groups.mr_ifindex = (int)index;
	if (bind(fd, (const struct sockaddr *)&local, sizeof(local)) == -1 ||
	    setsockopt(fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &groups, sizeof(groups)) == -1) {
		int error = -errno;

		log_warn("cannot listen for neighbour solicitations");
		return error;
	}
	return 0;
}
