/* SPDX-License-Identifier: BSD-2-Clause */
#include "forward/errqueue.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/errqueue.h>
#include <netinet/ip_icmp.h>
#include <string.h>
#include <sys/socket.h>

static bool errqueue_read(struct msghdr *msg, struct errqueue_report *out)
{
	for (struct cmsghdr *cmsg = CMSG_FIRSTHDR(msg); cmsg; cmsg = CMSG_NXTHDR(msg, cmsg)) {
		struct sock_extended_err ee;

		if (cmsg->cmsg_level != IPPROTO_IP || cmsg->cmsg_type != IP_RECVERR ||
		    cmsg->cmsg_len < CMSG_LEN(sizeof(ee)))
			continue;
		memcpy(&ee, CMSG_DATA(cmsg), sizeof(ee));
		out->icmp = ee.ee_origin == SO_EE_ORIGIN_ICMP;
		out->too_big = ee.ee_errno == EMSGSIZE;
		out->mtu = ee.ee_info;
		return true;
	}
	return false;
}

bool errqueue_next(int fd, struct errqueue_report *out)
{
	for (;;) {
		unsigned char data[64];
		_Alignas(struct cmsghdr) unsigned char control[512];
		struct sockaddr_in peer = {0};
		struct iovec iov = {.iov_base = data, .iov_len = sizeof(data)};
		struct msghdr msg = {
			.msg_name = &peer,
			.msg_namelen = sizeof(peer),
			.msg_iov = &iov,
			.msg_iovlen = 1,
			.msg_control = control,
			.msg_controllen = sizeof(control),
		};

		if (recvmsg(fd, &msg, MSG_ERRQUEUE | MSG_DONTWAIT) == -1)
			return false;
		/* The name is the destination of the original packet, not the sender of the error.
		 */
		out->peer = peer.sin_addr;
		out->port = ntohs(peer.sin_port);
		if (errqueue_read(&msg, out))
			return true;
	}
}
