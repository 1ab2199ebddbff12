/* SPDX-License-Identifier: BSD-2-Clause */
#include "process/ipc_wire.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

size_t ipc_wire_padded(size_t body_size)
{
	const size_t align = _Alignof(struct ipc_header);

	return sizeof(struct ipc_header) + (body_size + align - 1) / align * align;
}

int ipc_wire_send(int fd, struct iovec *pieces, size_t count, int passed)
{
	union {
		struct cmsghdr align;
		unsigned char space[CMSG_SPACE(sizeof(int))];
	} control = {.space = {0}};
	struct msghdr msg = {.msg_iov = pieces, .msg_iovlen = count};
	ssize_t n;

	if (passed != -1) {
		struct cmsghdr *cmsg;

		msg.msg_control = control.space;
		msg.msg_controllen = sizeof(control.space);
		cmsg = CMSG_FIRSTHDR(&msg);
		cmsg->cmsg_level = SOL_SOCKET;
		cmsg->cmsg_type = SCM_RIGHTS;
		cmsg->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(cmsg), &passed, sizeof(int));
	}
	do
		n = sendmsg(fd, &msg, MSG_NOSIGNAL);
	while (n == -1 && errno == EINTR);
	return n == -1 ? -errno : 0;
}

/* For struct iovec: its octets are only read here. */
static void *ipc_wire_writable(const void *octets)
{
	const union {
		const void *read;
		void *written;
	} pointer = {.read = octets};

	return pointer.written;
}

int ipc_wire_send_one(int fd, const struct ipc_header *header, const void *body, size_t size,
		      int passed)
{
	struct iovec pieces[2] = {
		{.iov_base = ipc_wire_writable(header), .iov_len = sizeof(*header)},
		{.iov_base = ipc_wire_writable(body), .iov_len = size},
	};

	return ipc_wire_send(fd, pieces, 2, passed);
}

/* Takes the first descriptor of a packet, or -1; closes further ones. False if there were any. */
static bool ipc_wire_take_fd(struct msghdr *msg, int *passed)
{
	bool one = true;

	*passed = -1;
	for (struct cmsghdr *cmsg = CMSG_FIRSTHDR(msg); cmsg; cmsg = CMSG_NXTHDR(msg, cmsg)) {
		if (cmsg->cmsg_level != SOL_SOCKET || cmsg->cmsg_type != SCM_RIGHTS)
			continue;
		size_t count = (cmsg->cmsg_len - CMSG_LEN(0)) / sizeof(int);

		for (size_t i = 0; i < count; i++) {
			int got;

			memcpy(&got, CMSG_DATA(cmsg) + i * sizeof(int), sizeof(int));
			if (*passed == -1) {
				*passed = got;
			} else {
				one = false;
				close(got);
			}
		}
	}
	return one;
}

int ipc_wire_receive(int fd, struct ipc_wire_packet *packet, int *passed)
{
	union {
		struct cmsghdr align;
		unsigned char space[CMSG_SPACE(4 * sizeof(int))];
	} control;
	struct iovec iov = {.iov_base = packet->octets, .iov_len = sizeof(packet->octets)};
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control.space,
		.msg_controllen = sizeof(control.space),
	};
	ssize_t n = recvmsg(fd, &msg, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);

	*passed = -1;
	packet->at = packet->len = 0;
	if (n == -1)
		return errno == EAGAIN || errno == EINTR ? 0 : -1;
	if (n == 0)
		return -1;
	packet->len = (size_t)n;
	if (!ipc_wire_take_fd(&msg, passed) || (msg.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) ||
	    packet->len < sizeof(struct ipc_header)) {
		if (*passed != -1)
			close(*passed);
		*passed = -1;
		return -2;
	}
	return 1;
}

int ipc_wire_next(struct ipc_wire_packet *packet, const struct ipc_header **header,
		  const void **body)
{
	size_t left = packet->len - packet->at;
	const void *here = packet->octets + packet->at;

	if (left == 0)
		return 0;
	*header = here;
	*body = *header + 1;
	if (left == sizeof(**header) + (*header)->size) {
		packet->at = packet->len;
		return 1;
	}
	/* Another header must follow. */
	if (left < sizeof(**header) + ipc_wire_padded((*header)->size))
		return -1;
	packet->at += ipc_wire_padded((*header)->size);
	return 1;
}
