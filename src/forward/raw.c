/* SPDX-License-Identifier: BSD-2-Clause */
#include "forward/raw.h"

#include "base/log.h"

#include <errno.h>
#include <linux/errqueue.h>
#include <netinet/ip_icmp.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define RAW_TTL	   64
#define RAW_ROUNDS 4 /* batches read before others get their turn */
#define RAW_ERRORS 64

/*
 * What goes with each packet, in the layout that cmsg(3) gives it, so that only the two values
 * have to be written each time.
 */
struct raw_control {
	struct cmsghdr info_header;
	struct in_pktinfo info;
	_Alignas(size_t) struct cmsghdr tos_header;
	int tos;
};

_Static_assert(offsetof(struct raw_control, info) == CMSG_LEN(0), "no gap before the first value");
_Static_assert(offsetof(struct raw_control, tos_header) == CMSG_SPACE(sizeof(struct in_pktinfo)),
	       "the second header is where it is looked for");
_Static_assert(sizeof(struct raw_control) ==
		       CMSG_SPACE(sizeof(struct in_pktinfo)) + CMSG_SPACE(sizeof(int)),
	       "nothing follows");

struct raw {
	int fd;
	struct event *readable;
	struct event *writable;
	const struct raw_handlers *handlers;
	void *arg;
	int df; /* what the socket is set to: 0, 1, or -1 where that is not known */
	bool blocked;
	size_t first; /* of the packets, those from first up to count are to be sent */
	size_t count;
	struct raw_packet packets[RAW_BATCH];
	struct mmsghdr out[RAW_BATCH];
	struct iovec out_iov[RAW_BATCH];
	struct sockaddr_in out_peer[RAW_BATCH];
	struct raw_control out_control[RAW_BATCH];
	struct mmsghdr in[RAW_BATCH];
	struct iovec in_iov[RAW_BATCH];
	uint8_t *buffers; /* RAW_BATCH to receive into, then RAW_BATCH to send from */
};

static void raw_on_readable(evutil_socket_t fd, short what, void *arg);
static void raw_on_writable(evutil_socket_t fd, short what, void *arg);

static int raw_set(int fd, int option, int value)
{
	return setsockopt(fd, IPPROTO_IP, option, &value, sizeof(value)) == -1 ? -errno : 0;
}

static int raw_setup(int fd)
{
	int error = raw_set(fd, IP_TTL, RAW_TTL);

	if (!error)
		error = raw_set(fd, IP_RECVERR, 1);
	if (!error && evutil_make_socket_nonblocking(fd) == -1)
		error = -errno;
	return error;
}

/* What stays the same from packet to packet. */
static void raw_prepare(struct raw *raw)
{
	for (size_t i = 0; i < RAW_BATCH; i++) {
		raw->in_iov[i].iov_base = raw->buffers + i * RAW_PACKET_SIZE;
		raw->in_iov[i].iov_len = RAW_PACKET_SIZE;
		raw->in[i].msg_hdr.msg_iov = &raw->in_iov[i];
		raw->in[i].msg_hdr.msg_iovlen = 1;

		raw->packets[i].data = raw->buffers + (RAW_BATCH + i) * RAW_PACKET_SIZE;
		raw->out_iov[i].iov_base = raw->packets[i].data;
		raw->out_peer[i].sin_family = AF_INET;

		struct msghdr *msg = &raw->out[i].msg_hdr;

		msg->msg_iov = &raw->out_iov[i];
		msg->msg_iovlen = 1;
		msg->msg_name = &raw->out_peer[i];
		msg->msg_namelen = sizeof(raw->out_peer[i]);
		msg->msg_control = &raw->out_control[i];
		msg->msg_controllen = sizeof(raw->out_control[i]);
		raw->out_control[i].info_header = (struct cmsghdr){
			.cmsg_level = IPPROTO_IP,
			.cmsg_type = IP_PKTINFO,
			.cmsg_len = CMSG_LEN(sizeof(struct in_pktinfo)),
		};
		raw->out_control[i].tos_header = (struct cmsghdr){
			.cmsg_level = IPPROTO_IP,
			.cmsg_type = IP_TOS,
			.cmsg_len = CMSG_LEN(sizeof(int)),
		};
	}
}

struct raw *raw_new(struct event_base *base, int fd, const struct raw_handlers *handlers, void *arg)
{
	struct raw *raw = calloc(1, sizeof(*raw));
	int error = raw_setup(fd);

	if (error) {
		errno = -error;
		log_warn("raw socket");
		free(raw);
		close(fd);
		return NULL;
	}
	if (!raw) {
		log_warnx("raw socket: out of memory");
		close(fd);
		return NULL;
	}
	raw->fd = fd;
	raw->handlers = handlers;
	raw->arg = arg;
	raw->df = -1;
	raw->buffers = malloc((size_t)2 * RAW_BATCH * RAW_PACKET_SIZE);
	raw->readable = event_new(base, fd, EV_READ | EV_PERSIST, raw_on_readable, raw);
	raw->writable = event_new(base, fd, EV_WRITE, raw_on_writable, raw);
	if (!raw->buffers || !raw->readable || !raw->writable ||
	    event_add(raw->readable, NULL) == -1) {
		log_warnx("raw socket: out of memory");
		raw_free(raw);
		return NULL;
	}
	raw_prepare(raw);
	return raw;
}

void raw_free(struct raw *raw)
{
	if (!raw)
		return;
	if (raw->readable)
		event_free(raw->readable);
	if (raw->writable)
		event_free(raw->writable);
	close(raw->fd);
	free(raw->buffers);
	free(raw);
}

/* --- receiving ---------------------------------------------------------------------------- */

static void raw_report(struct raw *raw, struct msghdr *msg, const struct sockaddr_in *peer)
{
	for (struct cmsghdr *cmsg = CMSG_FIRSTHDR(msg); cmsg; cmsg = CMSG_NXTHDR(msg, cmsg)) {
		struct sock_extended_err ee;

		if (cmsg->cmsg_level != IPPROTO_IP || cmsg->cmsg_type != IP_RECVERR ||
		    cmsg->cmsg_len < CMSG_LEN(sizeof(ee)))
			continue;
		memcpy(&ee, CMSG_DATA(cmsg), sizeof(ee));

		/* The name is the destination of the packet that it is about, not who tells. */
		struct raw_error error = {
			.peer = peer->sin_addr,
			.icmp = ee.ee_origin == SO_EE_ORIGIN_ICMP,
			.too_big = ee.ee_errno == EMSGSIZE,
			.mtu = ee.ee_info,
		};
		raw->handlers->error(&error, raw->arg);
		return;
	}
}

static void raw_read_errors(struct raw *raw)
{
	for (int i = 0; i < RAW_ERRORS; i++) {
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

		if (recvmsg(raw->fd, &msg, MSG_ERRQUEUE | MSG_DONTWAIT) == -1)
			return;
		raw_report(raw, &msg, &peer);
	}
}

static void raw_on_readable(evutil_socket_t fd, short what, void *arg)
{
	struct raw *raw = arg;

	(void)fd;
	(void)what;
	for (int round = 0; round < RAW_ROUNDS; round++) {
		int n = recvmmsg(raw->fd, raw->in, RAW_BATCH, MSG_DONTWAIT, NULL);

		if (n == -1) {
			/* A report waits, which also wakes us when there is no packet. */
			bool empty = errno == EAGAIN;

			raw_read_errors(raw);
			if (empty)
				return;
			continue;
		}
		for (int i = 0; i < n; i++)
			raw->handlers->received(raw->in_iov[i].iov_base, raw->in[i].msg_len,
						raw->arg);
		if (n < RAW_BATCH)
			return;
	}
}

/* --- sending ------------------------------------------------------------------------------ */

struct raw_packet *raw_slot(struct raw *raw)
{
	if (raw->count == RAW_BATCH)
		raw_flush(raw);
	if (raw->blocked)
		return NULL;
	return &raw->packets[raw->count];
}

void raw_push(struct raw *raw)
{
	size_t i = raw->count++;
	struct raw_packet *packet = &raw->packets[i];

	packet->retried = false;
	raw->out_iov[i].iov_len = packet->len;
	raw->out_peer[i].sin_addr = packet->peer;
	raw->out_control[i].info.ipi_spec_dst = packet->source;
	raw->out_control[i].tos = packet->tos;
}

/* IP_PMTUDISC_PROBE: with DF, whatever the kernel remembers of the path, for that is our job. */
static int raw_set_df(struct raw *raw, bool df)
{
	int error;

	if (raw->df == df)
		return 0;
	error = raw_set(raw->fd, IP_MTU_DISCOVER, df ? IP_PMTUDISC_PROBE : IP_PMTUDISC_DONT);
	raw->df = error ? -1 : df;
	return error;
}

static bool raw_is_writable(const struct raw *raw)
{
	struct pollfd poll_fd = {.fd = raw->fd, .events = POLLOUT};

	return poll(&poll_fd, 1, 0) == 1 && poll_fd.revents & POLLOUT;
}

/* Sends the packets from first on that have the same DF. Returns how many, or -errno. */
static int raw_send_run(struct raw *raw)
{
	bool df = raw->packets[raw->first].df;
	size_t end = raw->first + 1;
	int error = raw_set_df(raw, df);

	if (error)
		return error;
	while (end < raw->count && raw->packets[end].df == df)
		end++;

	int n = sendmmsg(raw->fd, raw->out + raw->first, (unsigned)(end - raw->first),
			 MSG_DONTWAIT | MSG_NOSIGNAL);

	return n == -1 ? -errno : n;
}

/* True where the packet is to be tried again, at once or (with blocked set) later. */
static bool raw_recover(struct raw *raw, struct raw_packet *packet, int error)
{
	bool retried = packet->retried;

	switch (error) {
	case EINTR:
		return true;
	case EAGAIN:
	case ENOBUFS:
		/* The queue of the interface gives the same error as our own, but waiting for
		 * room would end at once then. */
		if (!raw_is_writable(raw) && event_add(raw->writable, NULL) == 0) {
			raw->blocked = true;
			return true;
		}
		break;
	case EMSGSIZE:
		/* The report of it says how large is right. */
		raw_read_errors(raw);
		packet->retried = true;
		if (retried)
			break;
		if (raw->handlers->too_big(packet, raw->arg))
			return true;
		return false;
	default:
		/* Most likely an ICMP error about an earlier packet, to whomever that was. */
		packet->retried = true;
		if (!retried)
			return true;
		break;
	}
	raw->handlers->refused(packet, error, raw->arg);
	return false;
}

void raw_flush(struct raw *raw)
{
	if (raw->blocked)
		return;
	while (raw->first < raw->count) {
		int n = raw_send_run(raw);

		if (n < 0) {
			if (!raw_recover(raw, &raw->packets[raw->first], -n))
				raw->first++;
			else if (raw->blocked)
				return;
			continue;
		}
		for (; n > 0; n--)
			raw->handlers->sent(&raw->packets[raw->first++], raw->arg);
	}
	raw->first = 0;
	raw->count = 0;
}

static void raw_on_writable(evutil_socket_t fd, short what, void *arg)
{
	struct raw *raw = arg;

	(void)fd;
	(void)what;
	raw->blocked = false;
	raw_flush(raw);
	if (!raw->blocked)
		raw->handlers->ready(raw->arg);
}

void raw_discard(struct raw *raw)
{
	bool blocked = raw->blocked;

	(void)event_del(raw->writable);
	raw->blocked = false;
	for (; raw->first < raw->count; raw->first++)
		raw->handlers->refused(&raw->packets[raw->first], ENOBUFS, raw->arg);
	raw->first = 0;
	raw->count = 0;
	if (blocked)
		raw->handlers->ready(raw->arg);
}
